"""Digests of a file while it arrives: the part of it that has no gaps is read again, from the system's cache mostly, and hashed.

SHA-256 has a thread of its own, and the other digests another one: neither holds up those that receive.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Sequence
from pathlib import Path

from hubclient.sources.disk import disk_errors
from hubclient.transfer.board import Board
from hubclient.transfer.checks import Running, crc32
from hubclient.transfer.journal import Arrived

_UNIT = 2 << 20
_AHEAD = 4


class Hashing:
    """Follows what arrives. `others`: digests to work out beside SHA-256."""

    def __init__(self, board: Board, path: Path, size: int, others: Sequence[Running]) -> None:
        self._board, self._path, self._size = board, path, size
        self._sha256 = hashlib.sha256()
        self._others = others
        self._units: queue.Queue[bytes] = queue.Queue(_AHEAD)

    def run(self) -> str | None:
        """To the end of the file; None if it was stopped before. Raises StoreError."""
        helper = threading.Thread(target=self._help, name="hubclient-digests", daemon=True)
        if self._others:
            helper.start()
        try:
            whole = self._follow()
        finally:
            if self._others:
                self._units.put(b"")
                helper.join()
        return self._sha256.hexdigest() if whole else None

    def _follow(self) -> bool:
        position = 0
        with disk_errors(self._path), self._path.open("rb", buffering=0) as file:
            while position < self._size:
                ready = self._board.await_range(position, _UNIT)
                if ready is None:
                    return False
                span = ready.span if isinstance(ready, Arrived) else ready
                file.seek(position)
                data = file.read(span.end - position)
                if isinstance(ready, Arrived) and (len(data) < span.end - position or crc32(data) != ready.crc32):
                    self._board.lose(ready)
                    continue
                self._sha256.update(data)
                if self._others:
                    self._units.put(data)
                position += len(data)
        return True

    def _help(self) -> None:
        while data := self._units.get():
            for other in self._others:
                other.update(data)
