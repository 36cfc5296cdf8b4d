"""How far a long task has come, for whoever watches."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich import progress as rich

Advance = Callable[[int], None]
"""Tells of so many more units; of fewer, when a task starts over."""


class Progress(Protocol):
    def task(self, label: str, total: int | None) -> AbstractContextManager[Advance]:
        """One task of `total` bytes (None: not known), shown until the context ends. Several may be at work, in several threads."""


class Silent:
    @contextmanager
    def task(self, label: str, total: int | None) -> Iterator[Advance]:
        yield lambda count: None


class Bars:
    """Bars on stderr, one for each task at work, whichever thread it is in; each vanishes when its task is done."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks = 0
        self._shown: rich.Progress | None = None

    @contextmanager
    def task(self, label: str, total: int | None) -> Iterator[Advance]:
        bars = self._opened()
        task = bars.add_task(label, total=total)
        try:
            yield lambda count: bars.advance(task, count)
        finally:
            bars.remove_task(task)
            self._closed()

    def _opened(self) -> rich.Progress:
        with self._lock:
            self._tasks += 1
            if self._shown is None:
                self._shown = _display()
                self._shown.start()
            return self._shown

    def _closed(self) -> None:
        with self._lock:
            self._tasks -= 1
            if self._shown is not None and not self._tasks:
                self._shown.stop()
                self._shown = None


def _display() -> rich.Progress:
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
    )
    return progress.Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)


def progress_for(enabled: bool | None = None) -> Progress:
    """Bars if enabled; when nothing was said, if stderr is a terminal."""
    if enabled is None:
        enabled = sys.stderr.isatty()
    return Bars() if enabled else Silent()
