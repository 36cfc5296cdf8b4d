"""A folder of cards on disk, with its subfolders: which files are cards and overlays, and what they hold."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from hubclient.cards import Card, Overlay, parse_card, parse_overlay
from hubclient.errors import CardError

OVERLAY_ENDING = ".overlay.yaml"


@dataclass(frozen=True)
class CardFolder:
    """What a folder lists; nothing of it is read yet. `problems` says which parts of it could not be listed."""

    path: Path
    cards: tuple[Path, ...] = ()
    overlays: tuple[Path, ...] = ()
    problems: tuple[CardError, ...] = ()


def list_folder(path: Path) -> CardFolder:
    """List the `.md` and `.overlay.yaml` files; a README.md is no card, and hidden folders are left alone."""
    cards: list[Path] = []
    overlays: list[Path] = []
    problems: list[CardError] = []

    def note(error: OSError) -> None:
        problems.append(CardError("a folder of cards cannot be listed", where=error.filename, why=error.strerror))

    for folder, subfolders, files in os.walk(path, onerror=note):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in files:
            if name.endswith(OVERLAY_ENDING):
                overlays.append(Path(folder, name))
            elif name.endswith(".md") and name.lower() != "readme.md":
                cards.append(Path(folder, name))
    return CardFolder(path, tuple(sorted(cards)), tuple(sorted(overlays)), tuple(problems))


def read_bytes(path: Path) -> bytes:
    """The file's bytes. Raises CardError if it cannot be read."""
    try:
        if not path.is_file():  # reading a pipe would wait for ever
            raise CardError("a card is not a file", where=str(path))
        return path.read_bytes()
    except OSError as error:
        raise CardError("a card cannot be read", where=str(path), why=error.strerror) from error


def card_from(data: bytes, path: Path) -> Card:
    return parse_card(_decode(data, path), path=str(path))


def read_overlay(path: Path) -> Overlay:
    return parse_overlay(_decode(read_bytes(path), path), path=str(path))


def _decode(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CardError("the text is not UTF-8", where=f"{path}:{line}", why=f"byte {error.start}: {error.reason}") from error
