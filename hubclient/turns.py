"""Whose turn it is, where several models are pulled at the same time: a few transfers share the line, a few conversions the machine.

One large transfer uses the whole line by itself: two of them at once would both end late, and nothing could be converted meanwhile. So
they take turns, while small ones, which mostly wait for answers, go together.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass


class Gate:
    """Lets in as much weight at once as it has room for, in the order of arrival."""

    def __init__(self, room: int) -> None:
        self._free = self.room = room
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def held(self, weight: int) -> Iterator[None]:
        """What is heavier than the room has it alone."""
        weight, ticket = max(1, min(weight, self.room)), object()
        with self._changed:
            self._queue.append(ticket)
            try:
                self._changed.wait_for(lambda: self._queue[0] is ticket and self._free >= weight)
                self._free -= weight
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += weight
                self._changed.notify_all()


@dataclass(frozen=True)
class Turns:
    """One model's: it waits at the gates that it shares with others. None: nobody else is there."""

    transfers: Gate | None = None
    conversions: Gate | None = None
    weight: int = 1

    def transfer(self) -> AbstractContextManager[None]:
        return self.transfers.held(self.weight) if self.transfers else nullcontext()

    def conversion(self) -> AbstractContextManager[None]:
        return self.conversions.held(1) if self.conversions else nullcontext()
