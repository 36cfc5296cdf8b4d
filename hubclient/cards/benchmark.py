"""The tables of scores in a card's section "Benchmarking", as numbers.

Strategy: a header line names the columns, and what stands below is read by these words, never by position alone. Usual are the report of
scikit-learn (https://scikit-learn.org/stable/modules/generated/sklearn.metrics.classification_report.html), whose first column has no
name, the same with other columns, and both as tables between bars. A table that does not add up stays text: another number of columns,
a number that is none, a word that is not known in its header, a score outside of 0 to 1 (or of 0 to 100 in a table of percentages).
So does a section that is longer than any that people write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby, takewhile
from typing import Any

_SCORES = {
    "precision": "precision",
    "prec": "precision",
    "recall": "recall",
    "rec": "recall",
    "f1": "f1",
    "f1-score": "f1",
    "f1_score": "f1",
    "f1 score": "f1",
    "accuracy": "accuracy",
    "acc": "accuracy",
}
# `number` is what seqeval calls the support. The last four are told by none of our fields.
_COUNTS = {"support": "support", "number": "support", "tp": "tp", "fp": "fp", "fn": "fn", "total": "total"}
_COLUMNS = _SCORES | _COUNTS
_WHOLE = frozenset(_COUNTS.values())
_OF_A_LABEL = frozenset({"precision", "recall", "f1"})
_AVERAGES = {f"{kind} {word}": f"{kind} avg" for kind in ("micro", "macro", "weighted", "samples") for word in ("avg", "average")}
# Until version 0.20, scikit-learn printed one average, the weighted one, by this name.
_AVERAGES["avg / total"] = "weighted avg"
_NUMBER = re.compile(r"(?:\d{1,15}(?:\.\d{0,20})?|\.\d{1,20})", re.ASCII)
_RULE = re.compile(r"[\s|+:=-]*")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_UNSAID = {"", "-"}
_LONGEST = 200_000

_Row = tuple[str, dict[str, Decimal]]


@dataclass(frozen=True)
class Score:
    """A row of a table: how well a label is found. Scores run from 0 to 1; what the table does not say is None."""

    label: str
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    support: int | None = None
    accuracy: float | None = None


@dataclass(frozen=True)
class Benchmark:
    """A table. `averages` are called micro avg, macro avg, weighted avg or samples avg; `title` is the line of text above the table."""

    scores: tuple[Score, ...]
    accuracy: float | None = None
    averages: tuple[Score, ...] = ()
    title: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, without what is not said."""
        data = {**vars(self), "scores": [_said(row) for row in self.scores], "averages": [_said(row) for row in self.averages]}
        return {name: value for name, value in data.items() if value not in (None, [])}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Benchmark:
        rows = {name: tuple(Score(**row) for row in data.get(name, ())) for name in ("scores", "averages")}
        return cls(**{**data, **rows})


def _said(score: Score) -> dict[str, Any]:
    return {name: value for name, value in vars(score).items() if value is not None}


def parse_benchmarks(text: str) -> tuple[Benchmark, ...]:
    """Every table of the section that can be read, in order."""
    lines = text.split("\n") if len(text) <= _LONGEST else []
    found: list[Benchmark | None] = []
    title: str | None = None
    index = 0
    while index < len(lines):
        line = lines[index]
        index += 1
        if header := _header(line):
            end = header.end(lines, index)
            found.append(_benchmark(header, lines[index:end], title))
            title, index = None, end
        elif _FENCE.match(line):
            title = None
        elif not _RULE.fullmatch(line):
            title = line.strip()
    return tuple(benchmark for benchmark in found if benchmark)


@dataclass(frozen=True)
class _Header:
    """`columns` are those after the label; between bars, there may be one with the rows' numbers before the label."""

    columns: tuple[str, ...]
    barred: bool
    numbered: bool

    def end(self, lines: Sequence[str], start: int) -> int:
        """Where the table ends whose rows begin at `start`: without bars, with the last paragraph that has a row."""
        below = (lines[index] for index in range(start, len(lines)))
        if self.barred:
            return start + sum(1 for _ in takewhile(lambda line: "|" in line or _is_rule(line), below))
        end = start
        inside = takewhile(lambda line: not _FENCE.match(line) and not _header(line), below)
        for blank, group in groupby(inside, key=lambda line: not line.strip()):
            paragraph = list(group)
            if not blank and not any(_is_rule(line) or self.row(line) for line in paragraph):
                break
            end += len(paragraph)
        return end

    def row(self, line: str) -> _Row | None:
        """The numbers of a row by column; None when this is no row of the table."""
        label, *cells = self._cells(line)
        said = [cell for cell in cells if cell not in _UNSAID]
        if _name(label) == "accuracy" and len(said) < 3:
            return _numbers(label, zip(("accuracy", "support"), said, strict=False))
        if not label or len(cells) != len(self.columns):
            return None
        return _numbers(label, ((column, cell) for column, cell in zip(self.columns, cells, strict=True) if cell not in _UNSAID))

    def _cells(self, line: str) -> list[str]:
        if not self.barred:
            return line.strip().rsplit(None, len(self.columns)) or [""]
        cells = _between_bars(line)
        return cells[1:] if self.numbered and len(cells) > 1 and cells[0].isdecimal() else cells


def _header(line: str) -> _Header | None:
    if "rec" not in line.lower():
        return None
    barred = "|" in line
    words = _between_bars(line) if barred else line.split()
    columns = [_COLUMNS.get(word.casefold(), "") for word in words]
    before = len(list(takewhile(lambda column: not column, columns)))
    named = columns[before:]
    numbered = barred and before == 2 and not words[0]
    if len(set(named)) < len(named) or "" in named or len(_OF_A_LABEL.intersection(named)) < 2:
        return None
    return _Header(tuple(named), barred, numbered) if before == 1 or numbered or (before == 0 and not barred) else None


def _between_bars(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def _is_rule(line: str) -> bool:
    return bool(line.strip()) and _RULE.fullmatch(line) is not None


def _name(label: str) -> str:
    return label.casefold().replace("-", " ").replace("_", " ")


def _numbers(label: str, cells: Iterable[tuple[str, str]]) -> _Row | None:
    found: dict[str, Decimal] = {}
    for column, cell in cells:
        if not _NUMBER.fullmatch(cell) or (column in _WHOLE and Decimal(cell) % 1):
            return None
        found[column] = Decimal(cell)
    return (label, found) if found else None


def _benchmark(header: _Header, lines: Sequence[str], title: str | None) -> Benchmark | None:
    rows = [header.row(line) for line in lines if line.strip() and not _is_rule(line)]
    read = [row for row in rows if row]
    scale = _scale([[value for column, value in numbers.items() if column not in _WHOLE] for _, numbers in read])
    accuracies = [row for row in read if _is_accuracy(row)]
    if len(read) < len(rows) or scale is None or len(accuracies) > 1:
        return None
    scores = [_score(label, numbers, scale) for label, numbers in read if (label, numbers) not in accuracies]
    averages = [replace(score, label=_AVERAGES[_name(score.label)]) for score in scores if _name(score.label) in _AVERAGES]
    return Benchmark(
        tuple(score for score in scores if _name(score.label) not in _AVERAGES),
        accuracy=float(accuracies[0][1]["accuracy"] / scale) if accuracies else None,
        averages=tuple(averages),
        title=title,
    )


def _is_accuracy(row: _Row) -> bool:
    return _name(row[0]) == "accuracy" and _OF_A_LABEL.isdisjoint(row[1])


def _scale(rows: Sequence[Sequence[Decimal]]) -> int | None:
    """What stands for a perfect score, 1 or 100; None when the rows do not agree on one."""
    best = [max(row, default=Decimal()) for row in rows]
    if max(best, default=Decimal()) <= 1:
        return 1 if any(rows) else None
    return 100 if max(best) <= 100 and not any(0 < value <= 1 for value in best) else None


def _score(label: str, numbers: Mapping[str, Decimal], scale: int) -> Score:
    scores = {column: float(numbers[column] / scale) for column in ("precision", "recall", "f1", "accuracy") if column in numbers}
    return Score(label, **scores, support=int(numbers["support"]) if "support" in numbers else None)
