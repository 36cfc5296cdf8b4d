"""Pulls under way: each in a thread of its own, and how far it is for whoever watches."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Lock, Thread
from typing import Any

from hubclient.errors import HubError
from hubclient.hub import Hub
from hubclient.transfer.progress import Advance
from hubclient.way import obtain

_log = logging.getLogger("hubclient")
_KEPT = 50


@dataclass
class Pull:
    """`label`, `done` and `total` (None: not known) are of the task at hand. `arrived`: the model is there."""

    number: int
    reference: str
    label: str = "looking for it"
    done: int = 0
    total: int | None = None
    running: bool = True
    arrived: bool = False
    error: HubError | None = None
    _lock: Lock = field(default_factory=Lock, repr=False)

    @contextmanager
    def task(self, label: str, total: int | None) -> Iterator[Advance]:
        """As `hubclient.transfer.progress.Progress` has it; parts of one task may tell of themselves at once."""
        with self._lock:
            self.label, self.done, self.total = label, 0, total

        def advance(count: int) -> None:
            with self._lock:
                self.done += count

        yield advance

    def state(self) -> dict[str, Any]:
        with self._lock:
            stage = "running" if self.running else "done" if self.arrived else "failed"
            error = {"what": self.error.what, "why": self.error.why, "hint": self.error.hint} if self.error else None
            return {"stage": stage, "label": self.label, "done": self.done, "total": self.total, "error": error}


class Pulls:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._pulls: dict[int, Pull] = {}
        self._numbers = itertools.count(1)
        self._lock = Lock()

    def start(self, reference: str) -> Pull:
        """Pull it, unless that is done already: who asks twice watches one pull."""
        with self._lock:
            for pull in self._pulls.values():
                if pull.reference == reference and pull.running:
                    return pull
            pull = Pull(next(self._numbers), reference)
            self._pulls[pull.number] = pull
            for number in list(self._pulls)[:-_KEPT]:
                if not self._pulls[number].running:
                    del self._pulls[number]
        Thread(target=self._run, args=(pull,), name=f"pull {reference}", daemon=True).start()
        return pull

    def get(self, number: int) -> Pull | None:
        return self._pulls.get(number)

    def _run(self, pull: Pull) -> None:
        try:
            target = self._hub.find(pull.reference)
            obtain(replace(self._hub.workshop, progress=pull), target)
            pull.arrived = True
        except HubError as error:
            pull.error = error
        finally:
            # Whatever else went wrong is told where threads tell of it; nobody waits for ever.
            pull.running = False
