"""Texts with labels, in a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hubclient.errors import InvalidText, UsageError
from hubclient.table_file import TableFile
from hubclient.texts import Text

_MOST_LABELS = 10_000


@dataclass(frozen=True)
class Example:
    """`line`: where it ends in the file, counted from 1. `labels`: several, one or none of a text."""

    line: int
    text: Text
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Form:
    """How the file is written. `text_columns`: one, or the two of pairs. `separator`: between the labels of one text, None where each has
    one label. `delimiter`, `encoding`: see `TableFile`. `renamed`: labels of the file that the model calls otherwise."""

    text_columns: tuple[str, ...] = ("text",)
    label_column: str = "label"
    separator: str | None = None
    delimiter: str | None = None
    encoding: str = "utf-8"
    renamed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Survey:
    """What is in a file: how many texts, and how many of each label. `not_one`: the first line whose text has several labels, or none."""

    texts: int
    labels: Mapping[str, int]
    not_one: int | None = None


@dataclass(frozen=True)
class LabelledFile:
    path: Path
    form: Form = field(default_factory=Form)

    def survey(self, advance: Callable[[int], None] = lambda count: None) -> Survey:
        """Read the file once; `advance` hears of rows. Raises UsageError, InvalidText."""
        labels: Counter[str] = Counter()
        texts, not_one = 0, None
        for example in self.examples():
            texts += 1
            labels.update(example.labels)
            if not_one is None and len(example.labels) != 1:
                not_one = example.line
            if len(labels) > _MOST_LABELS:
                why = f"it has more than {_MOST_LABELS:,} different ones"
                raise UsageError(f"the column '{self.form.label_column}' holds no labels", where=str(self.path), why=why)
            advance(1)
        if not texts:
            raise UsageError("the file holds no texts", where=str(self.path), hint="give a file with a header and a row for each text")
        return Survey(texts, dict(labels), not_one)

    def examples(self) -> Iterator[Example]:
        """Every row, in order. Raises UsageError for other columns, InvalidText, which names the line."""
        table = TableFile(self.path, self.form.delimiter, self.form.encoding)
        for line, (*texts, label) in table.rows((*self.form.text_columns, self.form.label_column)):
            if not all(isinstance(text, str) for text in texts):
                raise InvalidText("a text is not a string", where=table.where(line), hint="leave the line out, or write an empty string")
            yield Example(line, (texts[0], texts[1]) if len(texts) == 2 else texts[0], self._labels(label, table.where(line)))

    def _labels(self, written: Any, where: str) -> tuple[str, ...]:
        if isinstance(written, list):
            parts = written
        elif isinstance(written, str) and self.form.separator is not None:
            parts = written.split(self.form.separator) if written.strip() else []
        else:
            parts = [written]
        if not all(isinstance(part, str | int) and not isinstance(part, bool) for part in parts):
            raise InvalidText("a label is neither a string nor a whole number", where=where, why=f"it is {written!r}"[:200])
        names = [str(part).strip() for part in parts]
        return tuple(dict.fromkeys(self.form.renamed.get(name, name) for name in names))
