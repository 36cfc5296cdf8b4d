"""What every source offers: one file, its facts, and its bytes from any place to any other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from hubclient.sources.digests import Digests

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Stat:
    """Facts known before the content is read. `digests`: what the source says of the whole content."""

    size: int
    etag: str | None = None
    digests: Digests = field(default_factory=Digests)


@dataclass(frozen=True)
class Body:
    """Content that arrives.

    `start` is where its first byte lies: it may be 0 when more was asked, for not every server knows ranges.
    `end`: where it ends, `total`: how long the whole content is, as far as the source says.
    `read`: at most so many bytes, as soon as some are there; none at the end. Raises SourceError when it breaks off.
    `abort`: called by another thread, ends a `read` that waits; what is read afterwards is worth nothing.
    Close it, in the thread that reads.
    """

    start: int
    end: int | None
    total: int | None
    read: Callable[[int], bytes]
    close: Callable[[], None]
    abort: Callable[[], None]

    @property
    def chunks(self) -> Iterator[bytes]:
        """All of it; closed at the end."""
        try:
            while chunk := self.read(_CHUNK):
                yield chunk
        finally:
            self.close()


class RemoteFile(Protocol):
    """`url` says where the file is, to people and in manifests; it holds no secrets. `read` may be called in several threads at once."""

    @property
    def url(self) -> str: ...

    def stat(self) -> Stat:
        """Raises SourceError."""

    def read(self, start: int = 0, end: int | None = None, etag: str | None = None) -> Body:
        """The content from byte `start` up to `end`, provided that it still has this ETag. Raises SourceError, ContentChanged.

        The body may be longer or shorter than that, and begin earlier.
        """

    def part_size(self, stat: Stat) -> int | None:
        """How long the parts were that the content was uploaded in, where the source says so."""
