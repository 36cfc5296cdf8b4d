"""How far a long task has come, for whoever watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int], None]
"""Tells of so many more units; of fewer, when a task starts over."""


class Progress(Protocol):
    def task(self, label: str, total: int | None) -> AbstractContextManager[Advance]:
        """One task of `total` bytes (None: not known), shown until the context ends."""


class Silent:
    @contextmanager
    def task(self, label: str, total: int | None) -> Iterator[Advance]:
        yield lambda count: None


class Bars:
    """Bars on stderr, which vanish when their task is done."""

    @contextmanager
    def task(self, label: str, total: int | None) -> Iterator[Advance]:
        from rich import progress as rich
        from rich.console import Console

        columns = (
            rich.TextColumn("{task.description}"),
            rich.BarColumn(),
            rich.DownloadColumn(),
            rich.TransferSpeedColumn(),
            rich.TimeRemainingColumn(),
        )
        with rich.Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bars:
            task = bars.add_task(label, total=total)
            yield lambda count: bars.advance(task, count)


def progress_for(enabled: bool | None = None) -> Progress:
    """Bars if enabled; when nothing was said, if stderr is a terminal."""
    if enabled is None:
        enabled = sys.stderr.isatty()
    return Bars() if enabled else Silent()
