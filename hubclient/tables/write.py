"""Rows with their answers, as bytes that are put one after the other; and what is made of them in the end."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from hubclient.errors import MissingExtra
from hubclient.outfile import written_whole
from hubclient.tables.answers import Kind, arrow_fields
from hubclient.tables.form import Form
from hubclient.tables.part import Rows, Source

if TYPE_CHECKING:
    import pyarrow

Answers = Sequence[Mapping[str, Any]]
# So many digits of a score mean something in float32.
_DIGITS = 6
_BETWEEN = " | "
_LENGTH = 8


class Writer(Protocol):
    """`begin`, then `rows` for each part, give what is appended; `finish` turns that into the file that was asked for."""

    def begin(self) -> bytes: ...
    def rows(self, rows: Rows, answers: Answers) -> bytes: ...
    def finish(self, partial: Path, target: Path) -> None: ...


class DelimitedWriter:
    def __init__(self, source: Source, columns: Mapping[str, Kind], delimiter: str) -> None:
        self._carried = source.columns
        self._columns = columns
        self._delimiter = delimiter

    def begin(self) -> bytes:
        return self._bytes([[*self._carried, *self._columns]])

    def rows(self, rows: Rows, answers: Answers) -> bytes:
        return self._bytes(
            [
                [*(_cell(record.get(name)) for name in self._carried), *(_answer_cell(answer[name]) for name in self._columns)]
                for record, answer in zip(rows.records(), answers, strict=True)
            ]
        )

    def finish(self, partial: Path, target: Path) -> None:
        partial.replace(target)

    def _bytes(self, rows: Sequence[Sequence[str]]) -> bytes:
        text = io.StringIO()
        csv.writer(text, delimiter=self._delimiter, lineterminator="\n").writerows(rows)
        return text.getvalue().encode("utf-8", "backslashreplace")


class JsonWriter:
    def begin(self) -> bytes:
        return b""

    def rows(self, rows: Rows, answers: Answers) -> bytes:
        lines = (_line({**record, **_rounded(answer)}) for record, answer in zip(rows.records(), answers, strict=True))
        return b"".join(lines)

    def finish(self, partial: Path, target: Path) -> None:
        partial.replace(target)


class ParquetWriter:
    """Nothing can be appended to Parquet: Arrow's own streams are, each after its length, and written as Parquet in the end."""

    def __init__(self, source: Source, columns: Mapping[str, Kind]) -> None:
        try:
            import pyarrow
        except ImportError as error:
            raise MissingExtra("files", "Parquet") from error
        self._carried = source.columns
        self._answers = pyarrow.schema(arrow_fields(columns))
        self._schema = pyarrow.schema([*source.schema(), *self._answers])

    def begin(self) -> bytes:
        return b""

    def rows(self, rows: Rows, answers: Answers) -> bytes:
        import pyarrow

        table = rows.table(self._carried)
        answered = pyarrow.Table.from_pylist(list(answers), schema=self._answers)
        sink = pyarrow.BufferOutputStream()
        with pyarrow.ipc.new_stream(sink, self._schema) as stream:
            stream.write_table(pyarrow.Table.from_arrays([*table.columns, *answered.columns], schema=self._schema))
        content: bytes = sink.getvalue().to_pybytes()
        return len(content).to_bytes(_LENGTH, "little") + content

    def finish(self, partial: Path, target: Path) -> None:
        from pyarrow import parquet

        with (
            partial.open("rb") as streams,
            written_whole(target, "the answers") as file,
            parquet.ParquetWriter(file, self._schema) as writer,
        ):
            while (table := _next_table(streams)) is not None:
                writer.write_table(table)
        partial.unlink()


def writer_for(form: Form, source: Source, columns: Mapping[str, Kind]) -> Writer:
    """Raises MissingExtra."""
    if form.kind == "parquet":
        return ParquetWriter(source, columns)
    return JsonWriter() if form.kind == "jsonl" else DelimitedWriter(source, columns, "\t" if form.kind == "tsv" else ",")


def _next_table(streams: BinaryIO) -> pyarrow.Table | None:
    import pyarrow

    length = streams.read(_LENGTH)
    return pyarrow.ipc.open_stream(streams.read(int.from_bytes(length, "little"))).read_all() if length else None


def _line(record: Mapping[str, Any]) -> bytes:
    """What is not Unicode is written with JSON's own escapes."""
    text = json.dumps(record, ensure_ascii=False, default=str)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(record, default=str).encode() + b"\n"


def _cell(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, bool | int | float | list | dict) else str(value)


def _answer_cell(value: Any) -> str:
    if isinstance(value, list):
        return _BETWEEN.join(value) if all(isinstance(one, str) for one in value) else json.dumps(_rounded(value), ensure_ascii=False)
    return str(_rounded(value))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, Mapping):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value
