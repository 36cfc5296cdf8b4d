"""Files of lines: texts, JSON, or values between delimiters.

Strategy: a line at a time, each decoded by itself, so that a bad one spoils no other. Rows with delimiters are read by Python's own parser,
which asks for as many lines as a row has. Sources: RFC 4180 (CSV), jsonlines.org.
"""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO

from hubclient.errors import InvalidText, UsageError
from hubclient.tables.form import Form, Kind
from hubclient.tables.part import CHARACTERS, ROWS, Bad, Part, Place, Record, text_of, why_not
from hubclient.texts import Text

if TYPE_CHECKING:
    import pyarrow

LONGEST = 1 << 24
TEXT = "text"
_BOM = b"\xef\xbb\xbf"
_OTHER_UNICODE = (b"\xff\xfe", b"\xfe\xff")
# So many lines of JSON say which columns there are.
_FIRST = 100


class BadRow(Exception):
    """Why a row cannot be used, and what is there."""

    def __init__(self, why: str, content: str) -> None:
        super().__init__(why)
        self.why = why
        self.content = content


@dataclass
class Lines:
    """The lines of a file from `offset` on; `offset` and `line` are those of the next one."""

    path: Path
    compressed: bool
    offset: int = 0
    line: int = 0
    raw: BinaryIO | None = field(default=None, repr=False)

    def __iter__(self) -> Iterator[bytes]:
        """What is longer than `LONGEST` comes cut off. Raises UsageError."""
        with readable(self.path), self.path.open("rb") as self.raw:
            file: BinaryIO = gzip.GzipFile(fileobj=self.raw) if self.compressed else self.raw  # type: ignore[assignment]
            file.seek(self.offset)
            while line := file.readline(LONGEST + 1):
                first = self.offset == 0
                self.line += 1
                self.offset += len(line)
                rest = line
                while len(rest) > LONGEST and not rest.endswith(b"\n"):
                    rest = file.readline(LONGEST + 1)
                    self.offset += len(rest)
                yield _without_mark(line, self.path) if first else line


@dataclass(frozen=True)
class Records:
    """`Rows` of Python's values."""

    given: Sequence[Record]

    def records(self) -> Sequence[Record]:
        return self.given

    def table(self, columns: Sequence[str]) -> pyarrow.Table:
        """Every value as text: what a file of lines says of types is not the same from line to line."""
        import pyarrow

        cells = {name: [_cell(record.get(name)) for record in self.given] for name in columns}
        return pyarrow.table(cells, schema=pyarrow.schema([(name, pyarrow.string()) for name in columns]))


class LineSource:
    """A `Source`. `asked`: the columns of the text, one or two; `kept`: what is carried over, None for all there are.

    `loose`: of JSON, fields are carried over that the first lines do not have; else such a row is a bad one, so that nothing is lost.
    """

    def __init__(self, path: Path, form: Form, asked: Sequence[str], kept: Sequence[str] | None, *, loose: bool) -> None:
        self._path = path
        self._form = form
        self._lines: Lines | None = None
        with readable(path):
            self.size = path.stat().st_size
        self._header, self._begin = self._head()
        self._asked = chosen(self._header, asked, path)
        self.columns = kept_columns(self._header, kept, path)
        self._narrowed = kept is not None
        self._loose = loose

    @property
    def at(self) -> int:
        raw = self._lines.raw if self._lines else None
        return raw.tell() if raw and not raw.closed else 0

    def schema(self) -> pyarrow.Schema:
        import pyarrow

        return pyarrow.schema([(name, pyarrow.string()) for name in self.columns])

    def parts(self, start: Place) -> Iterator[Part]:
        begin = start if start.rows else self._begin
        lines = self._lines = Lines(self._path, self._form.compressed, begin.offset, begin.lines)
        rows = _ROWS[self._form.kind](lines)
        row = begin.rows
        while True:
            texts: list[Text] = []
            records: list[Record] = []
            bad: list[Bad] = []
            for value in _some(rows, lines):
                row += 1
                try:
                    record = self._checked(value)
                    text, carried = self._text(record), self._carried(record)
                    texts.append(text)
                    records.append(carried)
                except BadRow as error:
                    bad.append(Bad(row, lines.line, error.why, error.content))
            if not texts and not bad:
                return
            yield Part(texts, Records(records), bad, Place(row, lines.line, lines.offset))

    def _head(self) -> tuple[Sequence[str], Place]:
        """The names of the columns, and where the first row begins."""
        lines = Lines(self._path, self._form.compressed)
        if self._form.kind == "txt":
            return (TEXT,), Place()
        if self._form.kind == "jsonl":
            first = (value for value in islice(_json_rows(lines), _FIRST) if isinstance(value, dict))
            return tuple(dict.fromkeys(name for value in first for name in value)), Place()
        header: list[str] | BadRow = next(_ROWS[self._form.kind](lines), [])
        if isinstance(header, BadRow):
            raise UsageError("the header cannot be read", where=str(self._path), why=header.why)
        twice = sorted({name for name in header if header.count(name) > 1})
        if twice:
            raise UsageError(f"two columns have the name '{twice[0]}'", where=str(self._path))
        return tuple(header), Place(0, lines.line, lines.offset)

    def _checked(self, value: Any) -> Record:
        """Raises BadRow."""
        if isinstance(value, BadRow):
            raise value
        if self._form.kind == "txt":
            return {TEXT: value}
        if self._form.kind != "jsonl":
            if len(value) != len(self._header):
                raise BadRow(f"the row has {len(value)} fields, and the header {len(self._header)}", json.dumps(value, ensure_ascii=False))
            return dict(zip(self._header, value, strict=True))
        if not isinstance(value, dict):
            raise BadRow("the line is no JSON object", _shown(value))
        lacking = [name for name in self._asked if name not in value]
        if lacking:
            raise BadRow(f"the field '{lacking[0]}' is missing", _shown(value))
        return value

    def _text(self, record: Record) -> Text:
        """Raises BadRow."""
        try:
            return text_of([record[name] for name in self._asked])
        except InvalidText as error:
            raise BadRow(why_not(error), _shown(record)) from error

    def _carried(self, record: Record) -> Record:
        """Raises BadRow."""
        if self._narrowed:
            return {name: record[name] for name in self.columns if name in record}
        other = [] if self._loose else [name for name in record if name not in self.columns]
        if other:
            raise BadRow(f"no row at the beginning of the file has the field '{other[0]}'; say which columns to keep", _shown(record))
        return record


def _some(rows: Iterator[Any], lines: Lines) -> Iterator[Any]:
    """Those of a part."""
    begun = lines.offset
    for row in islice(rows, ROWS):
        yield row
        if lines.offset - begun >= CHARACTERS:
            return


def chosen(there: Sequence[str], asked: Sequence[str], path: Path) -> Sequence[str]:
    """The columns of the text: those asked for, or the one called text, or the only one. Raises UsageError."""
    if not there:
        return asked or (TEXT,)
    wanted = asked or (TEXT if TEXT in there else there[0],)
    lacking = [name for name in wanted if name not in there]
    if lacking or (not asked and TEXT not in there and len(there) > 1):
        what = f"there is no column '{lacking[0]}'" if lacking else "which column holds the texts is not said"
        raise UsageError(what, where=str(path), why=f"the columns are {', '.join(there)}", hint="name it with --column")
    if not 1 <= len(wanted) <= 2:
        raise UsageError(f"{len(wanted)} columns were named", hint="one, or two that make a pair of texts")
    return wanted


def kept_columns(there: Sequence[str], kept: Sequence[str] | None, path: Path) -> Sequence[str]:
    """Raises UsageError."""
    if kept is None:
        return there
    lacking = [name for name in kept if name not in there]
    if lacking:
        raise UsageError(f"there is no column '{lacking[0]}'", where=str(path), why=f"the columns are {', '.join(there)}")
    return tuple(kept)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Raises UsageError where a file cannot be read, or is not what its name says."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError("the file cannot be read", where=str(path), why=str(error)) from error


def _texts(lines: Lines) -> Iterator[Any]:
    for line in lines:
        try:
            yield _decoded(line).rstrip("\r\n")
        except BadRow as error:
            yield error


def _json_rows(lines: Lines) -> Iterator[Any]:
    """Blank lines are no rows."""
    for line in lines:
        if not line.strip():
            continue
        try:
            text = _decoded(line)
            yield json.loads(text)
        except BadRow as error:
            yield error
        except (ValueError, RecursionError) as error:
            yield BadRow(f"the line is no JSON: {error}", text.rstrip("\r\n"))


def _delimited(delimiter: str, lines: Lines) -> Iterator[Any]:
    """The fields of each row. Blank lines are no rows."""
    csv.field_size_limit(LONGEST)
    decoding = _Decoding(lines)
    rows = csv.reader(decoding, delimiter=delimiter, strict=True)
    while True:
        decoding.taken.clear()
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            count = len(decoding.taken)
            told = f", in a row of {count:,} lines: a quote may have been left open" if count > 1 else ""
            yield BadRow(f"the row cannot be read: {error}{told}", "".join(decoding.taken))
            decoding.why = None
            continue
        if decoding.why:
            yield BadRow(decoding.why, "".join(decoding.taken))
            decoding.why = None
        elif row:
            yield row


class _Decoding:
    """Lines as text; `taken` holds those of the row that is read, and `why` what is wrong with one of them."""

    def __init__(self, lines: Lines) -> None:
        self._lines = iter(lines)
        self.taken: list[str] = []
        self.why: str | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line = _decoded(next(self._lines))
        except BadRow as error:
            line, self.why = error.content, error.why
        self.taken.append(line)
        return line


def _decoded(line: bytes) -> str:
    if len(line) > LONGEST:
        raise BadRow(f"the line has more than {LONGEST:,} bytes", line[:1000].decode("utf-8", "backslashreplace"))
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRow(f"the line is not UTF-8: {error.reason} at byte {error.start}", line.decode("utf-8", "backslashreplace")) from error


def _without_mark(line: bytes, path: Path) -> bytes:
    if line.startswith(_OTHER_UNICODE):
        raise UsageError("the file is not UTF-8", where=str(path), why="it begins as UTF-16 does", hint="convert it with iconv")
    return line.removeprefix(_BOM)


def _cell(value: Any) -> str | None:
    """JSON may hold halves of letters, which no other file can."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


_ROWS: Mapping[Kind, Callable[[Lines], Iterator[Any]]] = MappingProxyType(
    {
        "txt": _texts,
        "jsonl": _json_rows,
        "csv": partial(_delimited, ","),
        "tsv": partial(_delimited, "\t"),
    }
)
