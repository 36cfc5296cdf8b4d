"""One member of a zip file as a stream, its length and CRC-32 verified when its end is read.

ISA-L inflates and checks nearly twice as fast as zlib (95 MB: 0.24 s and 0.003 s, instead of 0.42 s and 0.016 s); it has no wheels for some
platforms, hence the fallback.

Source: RFC 1951 (raw deflate, as `wbits=-15`), and PKWARE APPNOTE.TXT section 4.4.7 for the CRC.
"""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO

from hubclient.errors import CorruptArchive

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

STORED, DEFLATED = 0, 8
_CHUNK = 1 << 20
_RAW = -15


class MemberStream(io.RawIOBase):
    """Reads `size` bytes that lie in `file` as `stored_size` bytes at `start`; other streams of that file may be read in between."""

    def __init__(self, file: BinaryIO, *, start: int, stored_size: int, size: int, crc: int, method: int, where: str) -> None:
        self._file = file
        self._position = start
        self._stored_left = stored_size
        self._left = size
        self._expected = crc
        self._crc = 0
        self._where = where
        self._inflater, self._crc32, self._error = _codec(method)
        self._pending = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, b"" at the end. Raises CorruptArchive there, or earlier, if the member is damaged."""
        if size < 0:
            return b"".join(iter(lambda: self.read(_CHUNK), b""))
        if size == 0 or self._ended:
            return b""
        # One byte more than is due would show: a member that goes on is damaged too.
        data = self._inflate(min(size, self._left + 1)) if self._inflater is not None else self._raw(size)
        self._left -= len(data)
        self._crc = self._crc32(data, self._crc)
        if not data or self._left < 0:
            self._finish()
        return data

    def _inflate(self, size: int) -> bytes:
        data = b""
        while not data and not self._inflater.eof:
            stored = self._pending or self._raw(_CHUNK)
            try:
                data = self._inflater.decompress(stored, size)
            except self._error as error:
                raise self._damaged(str(error)) from error
            self._pending = self._inflater.unconsumed_tail
            if not stored and not data:
                break
        return data

    def _raw(self, size: int) -> bytes:
        self._file.seek(self._position)
        data = self._file.read(min(size, self._stored_left))
        if not data and self._stored_left and size:
            raise self._damaged("the archive ends within it")
        self._position += len(data)
        self._stored_left -= len(data)
        return data

    def _finish(self) -> None:
        self._ended = True
        if self._left:
            raise self._damaged("it is longer than it should be" if self._left < 0 else f"{self._left} bytes are missing")
        rest = self._stored_left + (len(self._pending) + len(self._inflater.unused_data) if self._inflater is not None else 0)
        if rest or (self._inflater is not None and not self._inflater.eof):
            raise self._damaged("its compressed data do not end where they should")
        if self._crc != self._expected:
            raise self._damaged("its CRC-32 differs")

    def _damaged(self, why: str) -> CorruptArchive:
        return CorruptArchive("a member of the archive is damaged", where=self._where, why=why, hint="fetch the archive again")


def crc32(data: Buffer) -> int:
    return int(_codec(STORED)[1](data, 0))


def _codec(method: int) -> tuple[Any, Callable[[Buffer, int], int], Any]:
    """The inflater (None for stored members), the checksum, and the class of what the inflater raises."""
    try:
        from isal import isal_zlib as codec
    except ImportError:
        return zlib.decompressobj(_RAW) if method == DEFLATED else None, zlib.crc32, zlib.error
    return codec.decompressobj(_RAW) if method == DEFLATED else None, codec.crc32, codec.error
