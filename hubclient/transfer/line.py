"""The connection to the world, which all transfers of a process share: so many requests at once, so many bytes a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hubclient.settings import Limits

# What may be sent at once after a pause, in seconds of the rate: more would be a burst, less would cost a wait for every read.
_BURST_SECONDS = 0.25


class Line:
    """Make one, and hand it to every transfer. Safe to use from any thread."""

    def __init__(
        self, limits: Limits | None = None, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.limits = limits or Limits()
        self._slots = threading.BoundedSemaphore(self.limits.jobs)
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._free_at = clock()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """The right to have one request under way."""
        with self._slots:
            yield

    def pay(self, count: int) -> float:
        """Wait until so many bytes that have just arrived are paid for, and return how long that took."""
        if self.limits.rate is None:
            return 0.0
        with self._lock:
            now = self._clock()
            self._free_at = max(self._free_at, now - _BURST_SECONDS) + count / self.limits.rate
            due = self._free_at - now
        if due <= 0:
            return 0.0
        self._sleep(due)
        return due
