"""A remote file that is read here and there: what the archive readers open when the archive is to stay where it is.

Strategy: blocks of 4 KiB, kept once they are here. Who knows what will be read says so (`bring`), and has it in few requests; what is read
without notice brings more than was asked for, and ever more while it goes on in order. Each request demands the ETag of the first, so
that the bytes are those of one file. No more is moved than `budget`, whatever a hostile directory says of its own size.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

from hubclient.errors import CorruptTransfer, SourceError, Unreachable
from hubclient.sources.remote import RemoteFile, Stat
from hubclient.sources.retry import Patience

Span = tuple[int, int]
"""From byte, up to byte."""

_BLOCK = 1 << 12
_FIRST_AHEAD, _LONGEST_AHEAD = 1 << 15, 1 << 20
# Between two spans that are this close, the bytes cost less than another request.
_GAP = 1 << 16
_BUDGET = 64 << 20
# A server that gives whole files only is borne with while they are no longer than this.
_WHOLE = 1 << 20


class SeekableFile(io.RawIOBase):
    """`moved` counts the bytes that came, `asked` the requests for them. Not for several threads at once. Reading raises SourceError."""

    def __init__(
        self,
        file: RemoteFile,
        stat: Stat | None = None,
        *,
        budget: int = _BUDGET,
        retries: int = 4,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._file, self._budget, self._retries, self._sleep = file, budget, retries, sleep
        self.stat = stat or Patience(retries, sleep).insist(file.stat)
        self.moved = self.asked = 0
        self._position = self._expected = 0
        self._ahead = _FIRST_AHEAD
        self._blocks: dict[int, bytes] = {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        target = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.stat.size}[whence]
        if target < 0:
            raise OSError(f"byte {target} is before the file")
        self._position = target
        return target

    def read(self, size: int | None = -1, /) -> bytes:
        end = self.stat.size if size is None or size < 0 else min(self._position + size, self.stat.size)
        start = self._position
        if start >= end:
            return b""
        for missing in self._missing(start, end):
            self._fetch(*self._with_more(missing))
        self._position = end
        first = start // _BLOCK
        whole = b"".join(self._blocks[number] for number in range(first, _blocks_up_to(end)))
        return whole[start - first * _BLOCK : end - first * _BLOCK]

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def bring(self, spans: Iterable[Span]) -> None:
        """What will be read: at once, and together what lies together."""
        for start, end in _joined(missing for span in spans for missing in self._missing(*span)):
            self._fetch(start, end)

    def bring_end(self, size: int) -> None:
        self.bring([(max(0, self.stat.size - size), self.stat.size)])

    def _missing(self, start: int, end: int) -> Iterator[Span]:
        """The runs of whole blocks in this span that are not here."""
        run: int | None = None
        stop = _blocks_up_to(min(end, self.stat.size))
        for number in range(start // _BLOCK, stop):
            if number in self._blocks:
                if run is not None:
                    yield run * _BLOCK, number * _BLOCK
                run = None
            elif run is None:
                run = number
        if run is not None:
            yield run * _BLOCK, min(stop * _BLOCK, self.stat.size)

    def _with_more(self, span: Span) -> Span:
        """What was not announced: who reads on in order is given more each time."""
        start, end = span
        self._ahead = min(2 * self._ahead, _LONGEST_AHEAD) if start == self._expected else _FIRST_AHEAD
        until = max(end, start + self._ahead)
        ((_, stop), *_) = self._missing(start, until)
        self._expected = max(end, stop)
        return start, self._expected

    def _fetch(self, start: int, end: int) -> None:
        patience = Patience(self._retries, self._sleep)
        data = bytearray()
        while start + len(data) < end:
            before = len(data)
            try:
                self._take(data, start, end)
            except SourceError as error:
                patience.wait(error, progressed=len(data) > before)
        self._keep(start, bytes(data))

    def _take(self, data: bytearray, start: int, end: int) -> None:
        """Receive what is missing of a span. Raises SourceError, Unreachable among it if not all of it comes."""
        position = start + len(data)
        if self.moved + end - position > self._budget:
            raise self._refused(
                "too much of the file would have to be read", f"{end - position:,} bytes at byte {position:,}, after {self.moved:,}"
            )
        self.asked += 1
        with closing(self._file.read(position, end=end, etag=self.stat.etag)) as body:
            if body.start == 0 and position and self.stat.size <= _WHOLE:
                self._take_whole(body.chunks)
                data[:] = b"".join(self._blocks[number] for number in range(start // _BLOCK, _blocks_up_to(end)))
                return
            if body.start != position:
                raise self._unlike_what_was_asked(body.start, position)
            for chunk in body.chunks:
                self.moved += len(chunk)
                data += chunk[: end - start - len(data)]
                if start + len(data) >= end:
                    return
        raise Unreachable("the file broke off", where=self._file.url, why=f"byte {start + len(data):,} did not come", hint="try again")

    def _take_whole(self, chunks: Iterator[bytes]) -> None:
        whole = bytearray()
        for chunk in chunks:
            self.moved += len(chunk)
            whole += chunk
            if len(whole) > self.stat.size:
                break
        if len(whole) != self.stat.size:
            raise Unreachable("the file broke off", where=self._file.url, why=f"{len(whole):,} of {self.stat.size:,} bytes arrived")
        self._keep(0, bytes(whole))

    def _keep(self, start: int, data: bytes) -> None:
        for offset in range(0, len(data), _BLOCK):
            self._blocks[(start + offset) // _BLOCK] = data[offset : offset + _BLOCK]

    def _unlike_what_was_asked(self, start: int, position: int) -> SourceError:
        if start:
            return CorruptTransfer(f"the server began at byte {start:,}, and {position:,} was asked for", where=self._file.url)
        return self._refused("the server gives whole files only", "it ignores ranges (the header Range)")

    def _refused(self, what: str, why: str) -> SourceError:
        error = SourceError(what, where=self._file.url, why=why, hint="hub pull fetches the whole archive, which hub info then shows")
        error.lasting = True
        return error


def _blocks_up_to(end: int) -> int:
    return -(-end // _BLOCK)


def _joined(spans: Iterable[Span]) -> list[Span]:
    """In order, with those made one between which little lies."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start - joined[-1][1] <= _GAP:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined
