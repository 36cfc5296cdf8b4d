"""The labels in a card's section "Predicted Entities".

Strategy: code spans first (CommonMark 6.1: a run of n backticks closes with the next run of n), since a label may hold commas,
brackets or words that look like YAML; a table gives its first column, a bullet list its items; else the section is prose, or empty.
The card's order is not the order of the classes, and the count may differ: the mapping always comes from the weights.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Literal, TypeAlias

LabelsForm = Literal["backticks", "double_backticks", "described_backticks", "bullets", "table", "prose", "empty", "absent"]

_RUN = re.compile(r"`+")
_NOTHING_FOLLOWS = re.compile(r"\s*+(?:,|\Z)")
_BULLET = re.compile(r"[ \t]*[-*+][ \t]+(\S.*)")
_RULE_CELL = re.compile(r":?-+:?")
_WORD = re.compile(r"[^\W\d_]")
_JOINING = {"and", "or"}
# How many backticks stand around a code span, its text, and what stands between it and the span before.
_Span: TypeAlias = tuple[int, str, str]


@dataclass(frozen=True)
class Labels:
    """`labels` are stripped; `verbatim` has them as written."""

    form: LabelsForm
    labels: tuple[str, ...] = ()
    verbatim: tuple[str, ...] = ()


def parse_labels(lines: Sequence[str] | None) -> Labels:
    """Read the section's lines; None when the card has no such section."""
    if lines is None:
        return Labels("absent")
    if not any(line.strip() for line in lines):
        return Labels("empty")
    if rows := [line for line in lines if line.lstrip().startswith("|")]:
        return _labels("table", list(_first_column(rows)))
    if spans := [span for line in lines for span in _spans(line)]:
        return _labels(_span_form(spans), [text for _, text, _ in spans])
    bullets = [match[1].rstrip() for line in lines if (match := _BULLET.fullmatch(line))]
    if bullets and all(_BULLET.fullmatch(line) or not line.strip() for line in lines):
        return _labels("bullets", bullets)
    return Labels("prose")


def _labels(form: LabelsForm, found: list[str]) -> Labels:
    return Labels(form, tuple(text.strip() for text in found), tuple(found))


def _span_form(spans: list[_Span]) -> LabelsForm:
    if any(_WORD.search(before) and before.strip(" ,;.").lower() not in _JOINING for before in {before for _, _, before in spans}):
        return "described_backticks"
    return "double_backticks" if all(ticks > 1 for ticks, _, _ in spans) else "backticks"


def _spans(line: str) -> Iterable[_Span]:
    if "``" in line:
        return _spans_of_any_width(line)
    parts = line.split("`")
    return zip(repeat(1), parts[1:-1:2], parts[::2], strict=False)


def _spans_of_any_width(line: str) -> Iterator[_Span]:
    runs = [(match.start(), match.end()) for match in _RUN.finditer(line)]
    closers: dict[int, list[int]] = {}
    for index in range(len(runs) - 1, -1, -1):
        closers.setdefault(runs[index][1] - runs[index][0], []).append(index)
    end = index = 0
    while index < len(runs):
        start, stop = runs[index]
        ticks = stop - start
        if ticks == 2 and _NOTHING_FOLLOWS.match(line, stop):
            # Not CommonMark: two backticks with nothing in them are how the hub's template writes an empty label.
            yield 1, "", line[end:start]
            end, index = stop, index + 1
            continue
        waiting = closers[ticks]
        while waiting and waiting[-1] <= index:
            waiting.pop()
        if not waiting:
            index += 1
            continue
        closing = waiting[-1]
        yield ticks, line[stop : runs[closing][0]], line[end:start]
        end, index = runs[closing][1], closing + 1


def _first_column(rows: list[str]) -> Iterator[str]:
    """The cells below the line of dashes, or all of them when there is none."""
    cells = [row.strip().strip("|").partition("|")[0].strip() for row in rows]
    rules = [index for index, cell in enumerate(cells) if _RULE_CELL.fullmatch(cell)]
    for cell in cells[rules[0] + 1 if rules else 0 :]:
        if cell and not _RULE_CELL.fullmatch(cell):
            yield cell.strip("`")
