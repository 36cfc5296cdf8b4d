"""Whether a connection is still worth having."""

from __future__ import annotations

# A modem of 1985; what comes slower than this has most likely been forgotten by the other side.
_SLOWEST = 1024.0


class Pace:
    """Judges the average of each `window` seconds. Silence is not its business: reads time out."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._seconds = 0.0
        self._count = 0

    def is_lost(self, seconds: float, count: int) -> bool:
        """Tell that so many bytes took so many seconds of waiting for them; whether it is time to try another connection."""
        self._seconds += seconds
        self._count += count
        if self._seconds < self._window:
            return False
        lost = self._count < _SLOWEST * self._seconds
        self._seconds, self._count = 0.0, 0
        return lost
