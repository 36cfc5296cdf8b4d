"""Results on stdout: JSON lines, a table for a person, tabs for a pipe."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_GAP = 2


def print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, default=str))


def print_rows(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Aligned under headers on a terminal; in a pipe separated by tabs, without headers."""
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    room = Console().width
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
    # A row a line: the last column is cut where the terminal ends, what stands before it is whole.
    widths[-1] = max(len(headers[-1]), min(widths[-1], room - sum(widths[:-1]) - _GAP * len(widths)))
    table = Table(box=None, padding=(0, _GAP, 0, 0), header_style="bold")
    for header, width in zip(headers, widths, strict=True):
        table.add_column(header, overflow="ellipsis", no_wrap=True, width=width)
    for row in rows:
        table.add_row(*map(_plain, row))
    Console(width=max(room, sum(widths) + _GAP * len(widths))).print(table)


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """A fact a line."""
    width = max((len(name) for name, _ in facts), default=0)
    for name, value in facts:
        print(f"{name:<{width}}  {value}" if sys.stdout.isatty() else f"{name}\t{value}")


def print_section(title: str, text: str) -> None:
    """A heading and what stands under it, after a blank line."""
    heading = f"\x1b[1m{title}\x1b[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else f"## {title}"
    print(f"\n{heading}\n\n{text}")


@contextmanager
def counting(noun: str, *, results_follow: bool = False) -> Iterator[Callable[[int], None]]:
    """Counts on stderr what is done, where a person watches and the results go elsewhere, or are printed afterwards."""
    if not sys.stderr.isatty() or (sys.stdout.isatty() and not results_follow):
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} " + noun), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as progress:
        task = progress.add_task(noun, total=None)
        yield lambda count: progress.advance(task, count)


def human_size(size: float) -> str:
    """Bytes as people read them: 1,234 -> '1.2 kB', by powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
