"""Parquet, read and written by pyarrow: a row group at a time, types as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubclient.errors import InvalidText, MissingExtra, UsageError
from hubclient.tables.lines import chosen, kept_columns
from hubclient.tables.part import CHARACTERS, ROWS, Bad, Part, Place, Record, text_of, why_not
from hubclient.texts import Text

try:
    import pyarrow
    from pyarrow import parquet
except ImportError as error:
    raise MissingExtra("files", "Parquet") from error


@dataclass(frozen=True)
class ArrowRows:
    """`Rows` of Arrow's values."""

    given: Any

    def records(self) -> Sequence[Record]:
        records: list[Record] = self.given.to_pylist()
        return records

    def table(self, columns: Sequence[str]) -> Any:
        return self.given


class ParquetSource:
    """A `Source`; its units are rows. `asked`, `kept`: as `LineSource` has them."""

    def __init__(self, path: Path, asked: Sequence[str], kept: Sequence[str] | None) -> None:
        self._path = path
        try:
            self._file = parquet.ParquetFile(path)
        except (OSError, pyarrow.ArrowException) as error:
            raise UsageError("the file cannot be read as Parquet", where=str(path), why=str(error)) from error
        there = self._file.schema_arrow
        self.size = self._file.metadata.num_rows
        self.at = 0
        self._asked = chosen(there.names, asked, path)
        self.columns = kept_columns(there.names, kept, path)
        for name in self._asked:
            if not _holds_text(there.field(name).type):
                raise UsageError(f"the column '{name}' holds no text", where=str(path), why=f"it is of type {there.field(name).type}")

    def schema(self) -> Any:
        there = self._file.schema_arrow
        return pyarrow.schema([there.field(name) for name in self.columns])

    def parts(self, start: Place) -> Iterator[Part]:
        """Parts end where row groups end, too. Raises UsageError."""
        row = 0
        names = list(dict.fromkeys([*self.columns, *self._asked]))
        try:
            for group in range(self._file.num_row_groups):
                count = self._file.metadata.row_group(group).num_rows
                if row + count <= start.rows:
                    row += count
                    continue
                for batch in self._file.iter_batches(ROWS, [group], names, use_threads=False):
                    for some in _pieces(batch, self._asked):
                        row += some.num_rows
                        if row > start.rows:
                            self.at = row
                            yield self._part(some, row)
        except (OSError, pyarrow.ArrowException) as error:
            raise UsageError("the file cannot be read as Parquet", where=str(self._path), why=str(error)) from error

    def _part(self, batch: Any, end: int) -> Part:
        columns = [_values(batch.column(name)) for name in self._asked]
        carried = batch.select(list(self.columns))
        texts: list[Text] = []
        bad: list[Bad] = []
        good: list[int] = []
        for place, values in enumerate(zip(*columns, strict=True)):
            try:
                if broken := next((value for value in values if isinstance(value, UnicodeDecodeError)), None):
                    raise InvalidText("the text is not UTF-8", why=str(broken))
                texts.append(text_of(values))
                good.append(place)
            except InvalidText as error:
                bad.append(Bad(end - batch.num_rows + place + 1, None, why_not(error), str(carried.slice(place, 1).to_pydict())))
        table = pyarrow.Table.from_batches([carried], schema=self.schema())
        return Part(texts, ArrowRows(table.take(good) if bad else table), bad, Place(end))


def _pieces(batch: Any, asked: Sequence[str]) -> Iterator[Any]:
    """Texts may be long: a part has no more bytes of them than it may, unless it is one text."""
    if sum(batch.column(name).nbytes for name in asked) <= CHARACTERS or batch.num_rows == 1:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _pieces(batch.slice(0, half), asked)
    yield from _pieces(batch.slice(half), asked)


def _values(column: Any) -> list[Any]:
    """Whoever wrote the file need not have written UTF-8."""
    try:
        values: list[Any] = column.to_pylist()
        return values
    except UnicodeDecodeError:
        return [_value(scalar) for scalar in column]


def _value(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError as error:
        return error


def _holds_text(kind: Any) -> bool:
    types = pyarrow.types
    if types.is_dictionary(kind):
        return _holds_text(kind.value_type)
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))
