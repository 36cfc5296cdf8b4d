"""Every byte of a content, read and hashed again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hubclient.sources.disk import disk_errors
from hubclient.store.content import MARKER, Content, StoredFile, read_marker, size_of
from hubclient.store.digest import MANIFEST, digest_of, sha256_of

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Finding:
    """What is wrong with one file; the content as a whole is `.`."""

    file: str
    problem: str


def examine(folder: Path, advance: Advance) -> Iterator[Finding]:
    """What differs from what was stored; `advance` is told of bytes."""
    content = read_marker(folder)
    if content is None:
        yield Finding(".", f"its {MARKER} cannot be used" if os.path.lexists(folder) else "is missing")
        return
    intact = True
    for name, file in content.files.items():
        if problem := problem_of(content.path / name, file, advance):
            intact = False
            yield Finding(name, problem)
    for unlisted in sorted(_there(folder) - {MARKER, *content.files}):
        yield Finding(unlisted, "was not there when the model was stored")
    if intact and _digest(content) != content.digest:
        yield Finding(".", "is not the content that its name says")


def problem_of(path: Path, file: StoredFile, advance: Advance) -> str | None:
    size = size_of(path)
    if size is None:
        return "is missing" if not os.path.lexists(path) else "is not a plain file"
    if size != file.size:
        return f"has {size:,} bytes, {file.size:,} were stored"
    try:
        sha256 = sha256_of(path, advance)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None if sha256 == file.sha256 else f"has SHA-256 {sha256}, {file.sha256} was stored"


def _there(folder: Path) -> set[str]:
    with disk_errors(folder):
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()}


def _digest(content: Content) -> str:
    manifest = (content.path / MANIFEST).read_bytes() if MANIFEST in content.files else None
    return digest_of({name: file.sha256 for name, file in content.files.items()}, manifest)
