"""Where a mirror is made: what a folder and a bucket have in common."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hubclient.sources.location import S3Location
from hubclient.transfer.progress import Advance


@dataclass(frozen=True)
class Facts:
    """What is known of an object's content; digests are hexadecimal."""

    size: int
    sha256: str | None = None
    md5: str | None = None

    def is_same(self, other: Facts) -> bool:
        """Whether the two are known to be one content: a digest that both have is equal, and none differs."""
        pairs = [(self.sha256, other.sha256), (self.md5, other.md5)]
        told = [mine == theirs for mine, theirs in pairs if mine is not None and theirs is not None]
        return self.size == other.size and bool(told) and all(told)


@dataclass(frozen=True)
class LocalArchive:
    """An archive on this machine, whole, with all that is known of it."""

    path: Path
    facts: Facts


class Place(Protocol):
    """Every method may raise SourceError or StoreError."""

    def address(self, location: S3Location) -> str:
        """Where the copy of an object is, or would be."""
        ...

    def facts(self, location: S3Location) -> Facts | None:
        """Of the copy; None if there is none."""
        ...

    def put(self, location: S3Location, archive: LocalArchive, advance: Advance) -> None:
        """Make the copy, whole or not at all."""
        ...

    def index(self, location: S3Location) -> str:
        """Which index tells of the copy: its address."""
        ...

    def read_index(self, address: str) -> bytes:
        """Empty where there is none."""
        ...

    def write_index(self, address: str, content: bytes) -> None: ...
