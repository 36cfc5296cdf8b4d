"""One folder that models are kept in, as it is read: a user's own, or one that is shared and never written to.

contents/<digest>/       one folder a content, committed with one rename; without a whole marker it is none
names/<key>.json         identity -> content, and what the name has of its own
archives/<sha256>.zip    what was fetched, where it was asked to be kept
staging/<key>.*/         contents in the making, and removed ones on their way out
derived/<digest>/        what was made of a content for this machine, which goes with it
transfers/               what was fetched so far, of transfers that are not done
locks/, leases/          one process at a time makes an entry; which contents are in use
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from hubclient.errors import StoreError
from hubclient.store.content import Content, StoredFile, is_digest, read_content, size_of
from hubclient.store.name import LARGEST, Name, parse_name
from hubclient.store.naming import key_of

SUFFIX = ".json"


class Layer:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.contents = root / "contents"
        self.names = root / "names"
        self.archives = root / "archives"
        self.derived = root / "derived"
        self.staging = root / "staging"
        self.locks = root / "locks"
        self.leases = root / "leases"
        self.transfers = root / "transfers"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layer) and self.root == other.root

    def __hash__(self) -> int:
        return hash(self.root)

    def __repr__(self) -> str:
        return f"Layer({str(self.root)!r})"

    def record(self, identity: str) -> Path:
        """Where the record of a name is, or would be."""
        return self.names / f"{key_of(identity)}{SUFFIX}"

    def name(self, identity: str) -> tuple[Name, float] | None:
        """The record of a name, and when it was last used."""
        found = _read(self.record(identity))
        return found if found and found[0].identity == identity else None

    def all_names(self) -> Iterator[tuple[Name, float]]:
        """Every whole record. Raises StoreError where the folder is there and cannot be read."""
        for path in listed(self.names):
            found = _read(path) if path.suffix == SUFFIX else None
            if found and path == self.record(found[0].identity):
                yield found

    def content(self, digest: str) -> Content | None:
        return read_content(self.contents / digest) if is_digest(digest) else None

    def archive(self, file: StoredFile) -> Path | None:
        path = self.place_of(file)
        return path if size_of(path) == file.size else None

    def place_of(self, file: StoredFile) -> Path:
        return self.archives / f"{file.sha256}.zip"


def listed(folder: Path) -> list[Path]:
    """What is in a folder, in order; nothing if it is not there. Raises StoreError."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        hint = "check its permissions, or set HUBCLIENT_CACHE"
        raise StoreError("the cache cannot be read", where=str(folder), why=error.strerror, hint=hint) from error


def as_time(seconds: float) -> datetime:
    """A file's time, which may be any number."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _read(path: Path) -> tuple[Name, float] | None:
    try:
        with open(path, "rb") as file:
            return parse_name(file.read(LARGEST)), os.fstat(file.fileno()).st_mtime
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
