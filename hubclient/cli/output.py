"""Results on stdout: JSON lines, a table for a person, tabs for a pipe."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from hubclient.errors import HubError

_GAP = 2
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def print_json(value: Any) -> None:
    """Names of files that are not Unicode are written with JSON's own escapes."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    print(text if _is_unicode(text) else json.dumps(value, default=str))


def one_line(text: str) -> str:
    """Cards and names of files may hold anything: what would end a line, part columns or steer a terminal is shown instead.

    >>> one_line("a\\tb\\x1b[31m")
    'a\\\\tb\\\\x1b[31m'
    """
    return _CONTROL.sub(_shown, text)


def harmless(text: str) -> str:
    """Servers and archives are quoted in errors: what would steer a terminal is shown instead, lines stay lines."""
    return "".join(char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode() for char in text)


def print_rows(headers: Sequence[str], rows: Sequence[Sequence[str]], *, to: TextIO | None = None) -> None:
    """Aligned under headers on a terminal; in a pipe separated by tabs, without headers. To stdout, unless told otherwise."""
    rows = [[one_line(value) for value in row] for row in rows]
    if not (to or sys.stdout).isatty():
        for row in rows:
            print("\t".join(row), file=to)
        return
    from rich.console import Console
    from rich.table import Table

    room = Console(file=to).width
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
    # A row a line: the last column is cut where the terminal ends, what stands before it is whole.
    widths[-1] = max(len(headers[-1]), min(widths[-1], room - sum(widths[:-1]) - _GAP * len(widths)))
    table = Table(box=None, padding=(0, _GAP, 0, 0), header_style="bold")
    for header, width in zip(headers, widths, strict=True):
        table.add_column(header, overflow="ellipsis", no_wrap=True, width=width)
    for row in rows:
        table.add_row(*map(_plain, row))
    Console(file=to, width=max(room, sum(widths) + _GAP * len(widths))).print(table)


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """A fact a line."""
    width = max((len(name) for name, _ in facts), default=0)
    for name, value in facts:
        print(f"{name:<{width}}  {one_line(value)}" if sys.stdout.isatty() else f"{name}\t{one_line(value)}")


def print_section(title: str, text: str) -> None:
    """A heading and what stands under it, after a blank line."""
    heading = f"\x1b[1m{title}\x1b[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else f"## {title}"
    print(f"\n{heading}\n\n{_STEERING.sub(_shown, text)}")


def print_problems(problems: Iterable[HubError]) -> None:
    """On stderr, a line each."""
    for problem in problems:
        print(one_line(f"{problem.in_short()}: it is left out"), file=sys.stderr)


@contextmanager
def counting(noun: str, *, total: int | None = None, results_follow: bool = False) -> Iterator[Callable[[int], None]]:
    """Counts on stderr what is done, where a person watches and the results go elsewhere, or are printed afterwards. `total`: how many
    there are, for a bar."""
    if not sys.stderr.isatty() or (sys.stdout.isatty() and not results_follow):
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    if total is None:
        columns = [SpinnerColumn(), TextColumn("{task.completed:,.0f} " + noun), TimeElapsedColumn()]
    else:
        columns = [BarColumn(), TextColumn("{task.completed:,.0f} of {task.total:,.0f} " + noun), TimeElapsedColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as progress:
        task = progress.add_task(noun, total=total)
        yield lambda count: progress.advance(task, count)


@contextmanager
def watching(noun: str) -> Iterator[Callable[[int, int, int], None]]:
    """A bar on stderr, where a person watches, with how many are done each second and the time left. Takes how many are done, and how far
    that is of how much."""
    if not sys.stderr.isatty():
        yield lambda done, at, size: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[done]:,} " + noun + ", {task.fields[rate]:,.0f} a second,"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as progress:
        task = progress.add_task(noun, total=None, done=0, rate=0.0)
        begun: list[tuple[float, int]] = []

        def show(done: int, at: int, size: int) -> None:
            # What an earlier run did is no part of the rate.
            begun.append((time.monotonic(), done)) if not begun else None
            (start, before), now = begun[0], time.monotonic()
            rate = (done - before) / (now - start) if now > start else 0.0
            progress.update(task, completed=at, total=size, done=done, rate=rate)

        yield show


def human_size(size: float) -> str:
    """Bytes as people read them: 1,234 -> '1.2 kB', by powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
