"""A folder of cards on disk, with its subfolders: which files are cards and overlays, and what they hold."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hubclient.cards import Card, Overlay
from hubclient.errors import CardError

# Opening a pipe would otherwise wait for somebody who writes.
_READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_MOST_BYTES = 64 * 2**20
_CHUNK = 2**20
# SQLite's integers end in the year 2262.
_END_OF_TIME = 2**63 - 1
CARD_ENDING = ".md"
OVERLAY_ENDING = ".overlay.yaml"
# Where a Jekyll site keeps its pages, Spark NLP's documentation among them: of its checkout, only these are cards.
_POSTS = Path("docs", "_posts")


@dataclass(frozen=True)
class CardFile:
    """`mtime_ns` and `size` tell whether it changed since it was read."""

    path: str
    mtime_ns: int
    size: int


@dataclass(frozen=True)
class CardFolder:
    """What a folder lists; nothing of it is read yet. `problems` says which parts of it could not be listed."""

    path: Path
    cards: tuple[CardFile, ...] = ()
    overlays: tuple[Path, ...] = ()
    problems: tuple[CardError, ...] = ()


def list_folder(path: Path) -> CardFolder:
    """List the `.md` and `.overlay.yaml` files by path; a README.md is no card, and hidden files and folders are left alone.

    Of a checkout that has `docs/_posts`, that folder is listed.
    """
    posts = path / _POSTS
    lister = _Lister()
    lister.visit(str(posts if os.path.isdir(posts) else path))
    return CardFolder(path, tuple(sorted(lister.cards, key=lambda card: card.path)), tuple(sorted(lister.overlays)), tuple(lister.problems))


class _Lister:
    def __init__(self) -> None:
        self.cards: list[CardFile] = []
        self.overlays: list[Path] = []
        self.problems: list[CardError] = []

    def visit(self, folder: str) -> None:
        left = [folder]
        while left:
            folder = left.pop()
            try:
                with os.scandir(folder) as entries:
                    left += self._files(entries)
            except OSError as error:
                self.problems.append(CardError("a folder of cards cannot be listed", where=folder, why=error.strerror))

    def _files(self, entries: Iterator[os.DirEntry[str]]) -> Iterator[str]:
        """Note the files, and give the subfolders."""
        for entry in entries:
            name = entry.name
            if name.startswith("."):
                continue
            if name.endswith(CARD_ENDING) and name.lower() != "readme.md" and not entry.is_dir(follow_symlinks=False):
                self.cards.append(_card_file(entry))
            elif name.endswith(OVERLAY_ENDING):
                self.overlays.append(Path(entry.path))
            elif entry.is_dir(follow_symlinks=False):
                yield entry.path


def _card_file(entry: os.DirEntry[str]) -> CardFile:
    try:
        facts = entry.stat()
    except OSError:  # a link to nowhere: reading it will tell
        return CardFile(entry.path, 0, 0)
    return CardFile(entry.path, min(facts.st_mtime_ns, _END_OF_TIME), facts.st_size)


def read_bytes(path: Path) -> bytes:
    """The file's bytes. Raises CardError if it cannot be read."""
    try:
        file = os.open(path, _READING)
        try:
            facts = os.fstat(file)
            if not stat.S_ISREG(facts.st_mode):
                raise CardError("a card is not a file", where=str(path))
            if facts.st_size > _MOST_BYTES:
                raise CardError("a file is too large for a card", where=str(path), why=f"it has {facts.st_size:,} bytes")
            return _whole(file, facts.st_size)
        finally:
            os.close(file)
    except OSError as error:
        raise CardError("a card cannot be read", where=str(path), why=error.strerror) from error


def _whole(file: int, size: int) -> bytes:
    """The content: one call gives all of it, unless the file grows meanwhile or comes in parts."""
    data = os.read(file, size + 1)
    while len(data) <= _MOST_BYTES and (more := os.read(file, _CHUNK)):
        data += more
    return data


def read_card(path: Path) -> Card:
    """The whole card, prose included. Raises CardError."""
    return card_from(read_bytes(path), path)


def card_from(data: bytes, path: Path) -> Card:
    from hubclient.cards.parse import parse_card

    return parse_card(_decode(data, path), path=str(path))


def facts_from(data: bytes, path: Path) -> Card:
    """The card without its prose."""
    from hubclient.cards.parse import parse_facts

    return parse_facts(_decode(data, path), path=str(path))


def read_overlay(path: Path) -> Overlay:
    from hubclient.cards.overlay import parse_overlay

    return parse_overlay(_decode(read_bytes(path), path), path=str(path))


def _decode(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CardError("the text is not UTF-8", where=f"{path}:{line}", why=f"byte {error.start}: {error.reason}") from error
