"""A table in a file of any size, read row by row: CSV (RFC 4180), the same with tabs, a JSON object a line, or plain lines of text."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from hubclient.errors import InvalidText, UsageError

# Nobody writes a longer text; a quote that is never closed makes one of all that follows.
_LONGEST_FIELD = 1 << 24
_JSON, _LINES = (".jsonl", ".ndjson"), (".txt",)
LINES_COLUMN = "text"


@dataclass(frozen=True)
class TableFile:
    """The file's ending tells its form. `delimiter`: None is a tab in `.tsv`, else a comma. Lines of text have one column, `text`."""

    path: Path
    delimiter: str | None = None
    encoding: str = "utf-8"

    def columns(self) -> tuple[str, ...]:
        """As the first row names them. Raises UsageError, InvalidText."""
        with self._opened() as file:
            if self._is(_LINES):
                return (LINES_COLUMN,)
            if self._is(_JSON):
                return next((tuple(record) for _, record in self._records(file)), ())
            return tuple(next((header for _, header in self._csv(file)), ()))

    def rows(self, names: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
        """The values in these columns, and the line on which each row ends. Of CSV they are texts, of JSON whatever is written.

        Raises UsageError for a file without these columns, InvalidText at a row that is none.
        """
        with self._opened() as file:
            if self._is(_LINES):
                yield from self._line_rows(file, names)
            elif self._is(_JSON):
                yield from self._json_rows(file, names)
            else:
                yield from self._csv_rows(file, names)

    def where(self, line: int) -> str:
        return f"{self.path}:{line}"

    def _is(self, endings: tuple[str, ...]) -> bool:
        return self.path.suffix.lower() in endings

    @contextmanager
    def _opened(self) -> Iterator[TextIO]:
        encoding = "utf-8-sig" if self.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else self.encoding
        try:
            with self.path.open(encoding=encoding, newline="") as file:
                yield file
        except LookupError as error:
            raise UsageError(f"there is no encoding '{self.encoding}'", hint="write utf-8, latin-1, utf-16, …") from error
        except OSError as error:
            raise UsageError("the file cannot be read", where=str(self.path), why=error.strerror) from error
        except UnicodeError as error:
            hint = "say --encoding latin-1, or whatever it is, or convert it with iconv"
            raise InvalidText(f"the file is not {self.encoding}", where=str(self.path), why=str(error), hint=hint) from error

    def _line_rows(self, file: TextIO, names: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
        self._check_columns((LINES_COLUMN,), names)
        number = 0
        while line := file.readline(_LONGEST_FIELD):
            number += 1
            yield number, [line.rstrip("\r\n")] * len(names)

    def _csv(self, file: TextIO) -> Iterator[tuple[int, list[str]]]:
        """Every row that is not blank, the header first."""
        delimiter = self.delimiter or ("\t" if self._is((".tsv",)) else ",")
        with _long_fields():
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            try:
                yield from ((reader.line_num, row) for row in reader if row)
            except csv.Error as error:
                hint = "put texts with quotes or commas in quotes, and double the quotes in them"
                raise InvalidText("the file is not CSV", where=self.where(reader.line_num), why=str(error), hint=hint) from error

    def _csv_rows(self, file: TextIO, names: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
        rows = self._csv(file)
        _, header = next(rows, (0, None))
        if header is None:
            raise UsageError("the file is empty", where=str(self.path), hint="give a file with a header and a row for each text")
        self._check_columns(header, names)
        places = [header.index(name) for name in names]
        for line, row in rows:
            if len(row) != len(header):
                why = f"it has {len(row)} columns, and the header {len(header)}"
                raise InvalidText(
                    "a row is not as the header says", where=self.where(line), why=why, hint="put texts with commas in quotes"
                )
            yield line, [row[place] for place in places]

    def _check_columns(self, header: Sequence[str], names: Sequence[str]) -> None:
        for name in names:
            if header.count(name) != 1:
                what = "has the column more than once" if name in header else "has no column"
                why = f"its columns are: {', '.join(header)[:300]}"
                raise UsageError(f"the file {what}: '{name}'", where=str(self.path), why=why, hint=_columns_hint(header))

    def _json_rows(self, file: TextIO, names: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
        for line, record in self._records(file):
            for name in names:
                if name not in record:
                    why, where = f"it has: {', '.join(record)[:300]}", self.where(line)
                    raise UsageError(f"a line has no '{name}'", where=where, why=why, hint=_HINT)
            yield line, [record[name] for name in names]

    def _records(self, file: TextIO) -> Iterator[tuple[int, dict[str, Any]]]:
        number = 0
        while line := file.readline(_LONGEST_FIELD):
            number += 1
            if not line.isspace():
                yield number, self._record(line, number)

    def _record(self, line: str, number: int) -> dict[str, Any]:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidText("a line is not JSON", where=self.where(number), why=str(error), hint="write an object a line") from error
        if not isinstance(record, dict):
            raise InvalidText("a line is not a JSON object", where=self.where(number), hint='write {"text": …, "label": …}')
        return record


@contextmanager
def _long_fields() -> Iterator[None]:
    """The csv module has one limit for all: it is raised while a file is read."""
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)


_HINT = "name the columns with --text-column and --label-column"


def _columns_hint(header: Sequence[str]) -> str:
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        return "the columns are parted by something else than a comma: name it with --delimiter"
    return _HINT
