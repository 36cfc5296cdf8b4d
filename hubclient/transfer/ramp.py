"""How many streams a transfer uses: one until the server has answered, then some, then twice as many for as long as that pays."""

from __future__ import annotations

from dataclasses import dataclass

_FIRST = 4
_WINDOW_SECONDS = 0.25
_WORTH_IT = 1.1


@dataclass(frozen=True)
class _Tried:
    streams: int
    rate: float


class Ramp:
    """`most`: the limit. Times are seconds of any clock that only goes forward, `arrived` counts the bytes that are there."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.streams = 1
        self._window: tuple[float, int] | None = None
        self._tried: _Tried | None = None
        self._settled = most == 1

    def answered(self, now: float, arrived: int) -> None:
        """The server has answered a stream as it should."""
        if self.streams == 1 and not self._settled:
            self.streams = min(_FIRST, self._most)
            self._window = (now, arrived)

    def failed(self, alive: int) -> None:
        """A stream has ended in vain, and so many are left: it goes on with these, until a while has passed without failures."""
        self.streams = max(1, alive)
        self._window = self._tried = None
        self._settled = False

    def look_anew(self, now: float, arrived: int) -> None:
        """What came until now says nothing of the line: something else held the streams."""
        self._window = (now, arrived)

    def review(self, now: float, arrived: int) -> None:
        """To be called now and then."""
        if self._settled:
            return
        if self._window is None:
            self._window = (now, arrived)
        seconds = now - self._window[0]
        if seconds >= _WINDOW_SECONDS:
            self._decide((arrived - self._window[1]) / seconds)
            self._window = (now, arrived)

    def _decide(self, rate: float) -> None:
        before, self._tried = self._tried, _Tried(self.streams, rate)
        if before is None or rate >= _WORTH_IT * before.rate:
            self.streams = min(self._most, 2 * self.streams)
        self._settled = self.streams == self._tried.streams
