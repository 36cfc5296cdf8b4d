"""What the threads of one transfer share: the pieces, how far they have come, and the order to stop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable

from hubclient.transfer.journal import Arrived
from hubclient.transfer.parts import Part
from hubclient.transfer.pieces import Piece, Pieces, Span

# So long a stream without work waits for one to fail, before it takes half of another's piece.
_SPLIT_SECONDS = 0.3
_LOOK_SECONDS = 0.004
# So much may have arrived that is not hashed: with more, streams would take the processor from what everything waits for in the end.
_MOST_UNHASHED = 32 << 20


class Board:
    """Safe to use from any thread. `unproved`: ranges that an earlier owner has left, in order."""

    def __init__(self, pieces: Pieces, part: Part, unproved: Iterable[Arrived]) -> None:
        self._pieces, self._part = pieces, part
        self._unproved = deque(unproved)
        self._news = threading.Condition()
        self._stopped = self._paused = self._closed = self._held = False
        self._hashed = 0

    @property
    def stopped(self) -> bool:
        return self._stopped

    @property
    def arrived(self) -> int:
        with self._news:
            return self._pieces.arrived

    @property
    def wants_streams(self) -> bool:
        """Whether there is something that nobody has asked for, and another stream may."""
        with self._news:
            return self._pieces.waiting and not self._paused and (self._pieces.divisible or self._pieces.idle)

    def has_held(self) -> bool:
        """Whether a stream had to wait for the hashing since this was asked last: more of them would be of no use."""
        with self._news:
            held, self._held = self._held, False
        return held

    def take(self) -> Piece | None:
        """Something to bring; None when there is nothing left, or it is over. Waits while all of the rest is on its way, and for the
        hashing."""
        with self._news:
            while not self._stopped and not self._paused:
                if self._pieces.prefix - self._hashed > _MOST_UNHASHED:
                    self._held = True
                    self._news.wait(_LOOK_SECONDS)
                    continue
                if piece := self._pieces.take():
                    return piece
                if self._pieces.idle:
                    return None
                if not self._news.wait_for(self._has_turned, _SPLIT_SECONDS) and (piece := self._pieces.split()):
                    return piece
        return None

    def take_rest(self, piece: Piece) -> bool:
        """Give everything from there on to this piece's stream; False if others are at work."""
        with self._news:
            if not self._pieces.is_alone(piece):
                return False
            self._pieces.take_rest(piece)
            self._unproved = deque(arrived for arrived in self._unproved if arrived.span.start < piece.position)
        return True

    def release(self, piece: Piece) -> None:
        with self._news:
            self._pieces.release(piece)
            self._news.notify_all()

    def record(self, span: Span, crc32: int) -> None:
        """These bytes have been written. Raises OSError."""
        with self._news:
            if not self._closed:
                self._part.record(span, crc32)

    def await_range(self, position: int, most: int) -> Arrived | Span | None:
        """The next range from there on that has arrived: with its checksum if that is yet to be compared. None when it is over.

        What lies before `position` is hashed.
        """
        with self._news:
            self._hashed = position
            while not self._stopped:
                prefix, unproved = self._pieces.prefix, self._unproved_from(position)
                if unproved and unproved.span.start == position:
                    return unproved
                if prefix - position >= most or position < prefix == self._pieces.size:
                    return Span(position, min(position + most, prefix, unproved.span.start if unproved else prefix))
                # Every read of every stream moves it: to be told of each would cost more than to look now and then.
                self._news.wait(_LOOK_SECONDS)
        return None

    def lose(self, arrived: Arrived) -> None:
        """What was left there is not what had been written."""
        with self._news:
            self._unproved.remove(arrived)
            self._pieces.lose(arrived.span)
            self._news.notify_all()

    def pause(self, paused: bool) -> None:
        """Whether streams are to end once they have brought what they are at."""
        with self._news:
            self._paused = paused
            self._news.notify_all()

    def stop(self) -> None:
        with self._news:
            self._stopped = True
            self._news.notify_all()

    def close(self) -> None:
        """Nothing is recorded from now on."""
        with self._news:
            self._closed = True

    def _has_turned(self) -> bool:
        return self._stopped or self._paused or self._pieces.waiting or self._pieces.idle

    def _unproved_from(self, position: int) -> Arrived | None:
        while self._unproved and self._unproved[0].span.start < position:
            self._unproved.popleft()
        return self._unproved[0] if self._unproved else None
