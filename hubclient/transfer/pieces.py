"""Which bytes of a file have arrived, which are on their way, and which nobody has asked for yet.

Pieces are handed out from the front, so that what is there is nearly a prefix, and can be hashed as it grows. They are long at first, for
each question costs the server and us some work, and grow shorter, so that all streams end at about the same time.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass

_SMALLEST_PIECE, _LARGEST_PIECE = 4 << 20, 16 << 20
# An owner reads no more than half of this at once: the end of its piece may be brought nearer while it does.
SMALLEST_SPLIT = 1 << 20
# Up to here one stream is as fast as several: more would only ask more.
SMALL = 16 << 20


@dataclass(frozen=True, order=True)
class Span:
    """The bytes from `start` up to `end`."""

    start: int
    end: int


@dataclass(eq=False)
class Piece:
    """What one stream brings: the bytes from `position` up to `end`, which may come nearer meanwhile."""

    position: int
    end: int


class Pieces:
    """Not safe to use from several threads at once. `streams`: how many there may be; `there`: what has arrived before."""

    def __init__(self, size: int, streams: int, there: Iterable[Span] = ()) -> None:
        self.size = size
        self._most_streams = streams
        self._missing = _between(size, sorted(there))
        self._flying: list[Piece] = []
        self._divisible = True

    @property
    def arrived(self) -> int:
        """How many bytes are there."""
        return self.size - self._left - sum(piece.end - piece.position for piece in self._flying)

    @property
    def most_streams(self) -> int:
        """How many streams have something to do at the start."""
        return 1 if self.size <= SMALL else min(self._most_streams, max(1, self._left // _SMALLEST_PIECE))

    @property
    def prefix(self) -> int:
        """How far everything is there from byte 0 on."""
        first_missing = self._missing[0].start if self._missing else self.size
        return min([first_missing, *(piece.position for piece in self._flying if piece.position < piece.end)])

    @property
    def waiting(self) -> bool:
        """Whether there is something that nobody has asked for."""
        return bool(self._missing)

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way."""
        return not self._flying

    @property
    def divisible(self) -> bool:
        """Whether several streams may work at once."""
        return self._divisible

    def is_alone(self, piece: Piece) -> bool:
        """Whether nothing but this piece is on its way."""
        return self._flying == [piece]

    def take(self) -> Piece | None:
        """The first piece that nobody has asked for."""
        if not self._missing or (self._flying and not self._divisible):
            return None
        length = self._next_length()
        first = self._missing.pop(0)
        end = min(first.end, first.start + length)
        if end < first.end:
            self._missing.insert(0, Span(end, first.end))
        return self._fly(Piece(first.start, end))

    def split(self) -> Piece | None:
        """The second half of what a stream still has to bring; None if no stream has much."""
        slowest = max(self._flying, key=lambda piece: piece.end - piece.position, default=None)
        if slowest is None or not self._divisible or slowest.end - slowest.position < 2 * SMALLEST_SPLIT:
            return None
        middle = (slowest.position + slowest.end) // 2
        half = Piece(middle, slowest.end)
        slowest.end = middle
        return self._fly(half)

    def take_rest(self, piece: Piece) -> None:
        """The only stream gets everything from its position on, whatever it asked for: what lies there already comes once more."""
        piece.end = self.size
        self._missing = [Span(span.start, min(span.end, piece.position)) for span in self._missing if span.start < piece.position]
        self._divisible = False

    def release(self, piece: Piece) -> None:
        """Nobody works on this piece any more: what has not arrived is to be asked for again."""
        self._flying.remove(piece)
        if piece.position < piece.end:
            bisect.insort(self._missing, Span(piece.position, piece.end))

    def lose(self, span: Span) -> None:
        """What was thought to be there is not."""
        bisect.insort(self._missing, span)

    @property
    def _left(self) -> int:
        return sum(span.end - span.start for span in self._missing)

    def _next_length(self) -> int:
        if self.size <= SMALL:
            return SMALL
        return min(_LARGEST_PIECE, max(_SMALLEST_PIECE, self._left // self._most_streams))

    def _fly(self, piece: Piece) -> Piece:
        self._flying.append(piece)
        return piece


def _between(size: int, there: Iterable[Span]) -> list[Span]:
    missing, position = [], 0
    for span in there:
        if position < span.start:
            missing.append(Span(position, span.start))
        position = max(position, span.end)
    return [*missing, Span(position, size)] if position < size else missing
