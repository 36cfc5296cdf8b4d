"""Threads that bring pieces of a file, each over one connection at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from hubclient.errors import ContentChanged, CorruptTransfer, HubError, ServerFailure, Unreachable
from hubclient.sources.remote import Body, RemoteFile, Stat
from hubclient.transfer.board import Board
from hubclient.transfer.line import Line
from hubclient.transfer.pace import Pace
from hubclient.transfer.parts import Part
from hubclient.transfer.pieces import SMALLEST_SPLIT, Piece
from hubclient.transfer.sink import Sink

_CHUNK = 1 << 19
assert 2 * _CHUNK <= SMALLEST_SPLIT
# With a limit, so many reads a second are enough.
_READS_A_SECOND = 8
_SMALLEST_CHUNK = 1 << 12
# So much may come of what was not asked for, while others bring what was.
_MOST_SKIPPED = 1 << 20
# A connection that brought this much was worth its while: another one is made at once.
WORTH_AN_ATTEMPT = 1 << 16


@dataclass(frozen=True)
class Errand:
    """What is to be brought, over what, and to where."""

    file: RemoteFile
    stat: Stat
    line: Line
    part: Part


@dataclass(frozen=True)
class Answered:
    """The server has answered a stream as it should."""


@dataclass(frozen=True)
class Ended:
    """A stream has ended: without an error if there was nothing left to do. `crashed`: it fell over a fault of ours."""

    stream: Stream
    error: HubError | None = None
    crashed: bool = False


class Stream:
    """Works on what the board gives it, and reports what becomes of it. `Ended` is its last word."""

    def __init__(self, errand: Errand, board: Board, report: Callable[[Answered | Ended], None]) -> None:
        self._file, self._stat, self._line, self._part = errand.file, errand.stat, errand.line, errand.part
        self._board, self._report = board, report
        self._pace = Pace(errand.line.limits.silence)
        self._chunk = _chunk_for(errand.line.limits.rate)
        self._body: Body | None = None
        self._thread = threading.Thread(target=self._run, name="hubclient-stream", daemon=True)
        self._thread.start()

    def abort(self) -> None:
        """End a wait for bytes. The board was stopped before: what is read from now on is worth nothing."""
        if body := self._body:
            body.abort()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _run(self) -> None:
        last = Ended(self, crashed=True)
        try:
            while (piece := self._board.take()) is not None:
                try:
                    self._bring(piece)
                finally:
                    self._board.release(piece)
            last = Ended(self)
        except HubError as error:
            last = Ended(self, error)
        finally:
            self._report(last)

    def _bring(self, piece: Piece) -> None:
        with closing(Sink(self._part, self._board, piece, self._stat.size)) as sink:
            while piece.position < piece.end and not self._board.stopped:
                before = piece.position
                try:
                    with self._line.slot():
                        self._receive(piece, sink)
                except Unreachable:
                    # There are servers that cut every answer short: while they bring something, that is no trouble.
                    if piece.position - before < WORTH_AN_ATTEMPT:
                        raise
                    sink.record()

    def _receive(self, piece: Piece, sink: Sink) -> None:
        whole = (piece.position, piece.end) == (0, self._stat.size)
        with closing(self._file.read(piece.position, None if whole else piece.end, self._stat.etag)) as body:
            self._body = body
            self._accept(body, piece)
            self._report(Answered())
            to_skip = piece.position - body.start
            while piece.position < piece.end and not self._board.stopped:
                data = self._read(body)
                if self._board.stopped:
                    return
                sink.write(data[to_skip:])
                to_skip = max(0, to_skip - len(data))
                self._line.pay(len(data))

    def _read(self, body: Body) -> bytes:
        began = time.monotonic()
        data = body.read(self._chunk)
        slow = self._pace.is_lost(time.monotonic() - began, len(data))
        if slow or not data:
            what, why = ("the connection is too slow", "hardly anything arrived") if slow else ("the file broke off", "the server ended it")
            raise Unreachable(what, where=self._file.url, why=why, hint="try again")
        return data

    def _accept(self, body: Body, piece: Piece) -> None:
        """Raises CorruptTransfer; ServerFailure if one stream alone could make something of this."""
        size = self._stat.size
        if body.total not in (None, size):
            what = "the file was changed on the server while it was fetched"
            raise ContentChanged(what, where=self._file.url, why=f"it had {size:,} bytes and has {body.total:,}", hint="try again")
        if body.start > piece.position:
            why = f"the server began at byte {body.start}, {piece.position} was asked for"
            raise CorruptTransfer("what arrived is not what was asked for", where=self._file.url, why=why, hint="try again")
        ignored = body.start == 0 and body.end in (None, size) and piece.end < size
        alone = ignored and self._board.take_rest(piece)
        if piece.position - body.start > _MOST_SKIPPED and not alone:
            raise ServerFailure("the server sends more than what is asked for", where=self._file.url, hint="try again")


def _chunk_for(rate: float | None) -> int:
    return _CHUNK if rate is None else int(min(_CHUNK, max(_SMALLEST_CHUNK, rate / _READS_A_SECOND)))
