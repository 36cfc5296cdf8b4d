"""Where the bytes of one piece go: into their place in the file, and into the journal once enough of them are there."""

from __future__ import annotations

import time

from hubclient.sources.disk import disk_errors
from hubclient.transfer.board import Board
from hubclient.transfer.checks import crc32
from hubclient.transfer.parts import Part
from hubclient.transfer.pieces import Piece, Span

# What a killed process loses: so many bytes of each stream, or what came in so many seconds, whichever is more.
_RECORD, _RECORD_SECONDS = 1 << 18, 1.0


class Sink:
    """`needed`: bytes of the whole file, for who must be told that there is no room. Close it: that records the rest."""

    def __init__(self, part: Part, board: Board, piece: Piece, needed: int) -> None:
        self._part, self._board, self._piece, self._needed = part, board, piece, needed
        self._unrecorded, self._crc32 = piece.position, 0
        self._recorded_at = time.monotonic()
        with disk_errors(part.path, needed):
            self._file = part.path.open("r+b", buffering=0)
            self._file.seek(piece.position)

    def write(self, data: bytes) -> None:
        """What lies beyond the end of the piece is not wanted. Raises StoreError."""
        data = data[: self._piece.end - self._piece.position]
        with disk_errors(self._part.path, self._needed):
            written = 0
            while written < len(data):
                written += self._file.write(data[written:])
        self._crc32 = crc32(data, self._crc32)
        self._piece.position += len(data)
        if self._piece.position - self._unrecorded >= _RECORD and time.monotonic() - self._recorded_at >= _RECORD_SECONDS:
            self.record()

    def close(self) -> None:
        with disk_errors(self._part.path):
            self._file.close()
        self.record()

    def record(self) -> None:
        """What has been written since the last time is there to stay. Raises StoreError."""
        if self._piece.position == self._unrecorded:
            return
        with disk_errors(self._part.path):
            self._board.record(Span(self._unrecorded, self._piece.position), self._crc32)
        self._unrecorded, self._crc32 = self._piece.position, 0
        self._recorded_at = time.monotonic()
