"""What every source offers: one file, its facts, and its bytes from any place to any other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Stat:
    """Facts known before the content is read.

    `sha256` and `md5` (hexadecimal) are those of the whole content, where the source knows them.
    """

    size: int
    etag: str | None = None
    sha256: str | None = None
    md5: str | None = None


@dataclass(frozen=True)
class Body:
    """Content that arrives. `start` is where its first byte lies: it may be 0 when more was asked, for not every server knows ranges.

    Close it when it is not read to the end.
    """

    start: int
    chunks: Iterator[bytes]
    close: Callable[[], None]


class RemoteFile(Protocol):
    """`url` says where the file is, to people and in manifests; it holds no secrets."""

    @property
    def url(self) -> str: ...

    def stat(self) -> Stat:
        """Raises SourceError."""

    def read(self, start: int = 0, etag: str | None = None, *, end: int | None = None) -> Body:
        """The content from byte `start` up to `end`, provided that it still has this ETag. Raises SourceError, ContentChanged.

        The body may be longer or shorter than that, and begin earlier.
        """
