"""Results on stdout: JSON lines, a table for a person, tabs for a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any


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

    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, header in enumerate(headers):
        # A row a line: the last column is cut where the terminal ends, what stands before it is whole.
        width = max(len(header), *(len(row[index]) for row in rows)) if rows and index < len(headers) - 1 else None
        table.add_column(header, overflow="ellipsis", no_wrap=True, min_width=width)
    for row in rows:
        table.add_row(*map(_plain, row))
    Console().print(table)


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """A fact a line."""
    width = max((len(name) for name, _ in facts), default=0)
    for name, value in facts:
        print(f"{name:<{width}}  {value}" if sys.stdout.isatty() else f"{name}\t{value}")


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
