"""Cards on disk, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from hubclient.authoring.section import with_section
from hubclient.catalog.folder import read_bytes
from hubclient.errors import CardError, UsageError


def write_section(path: Path, title: str, body: str) -> None:
    """Write one section of the card anew. Raises CardError for what is no card, UsageError where it cannot be written."""
    try:
        text = read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise CardError("the text is not UTF-8", where=str(path), why=str(error)) from error
    write(path, with_section(text, title, body, path=str(path)), replace=True)


def write(path: Path, text: str, *, replace: bool = False) -> None:
    """Raises UsageError where the file cannot be written, or is there already and not to be replaced."""
    if not replace and os.path.lexists(path):
        raise UsageError("there is a file already", where=str(path), hint="name another one, or replace it with --force")
    beside = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        beside.write_text(text, encoding="utf-8", newline="")
        os.replace(beside, path)
    except OSError as error:
        raise UsageError("the file cannot be written", where=str(path), why=error.strerror, hint="name another one") from error
    finally:
        beside.unlink(missing_ok=True)
