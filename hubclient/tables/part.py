"""Some rows of a file, on their way from what it says to what is answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from hubclient.errors import InvalidText
from hubclient.texts import Text, checked_single

if TYPE_CHECKING:
    import pyarrow

Record = Mapping[str, Any]
# So many rows, or characters, are taken at once.
ROWS = 2048
CHARACTERS = 1 << 20
# So much is told of a row that cannot be used.
_SHOWN = 1000


@dataclass(frozen=True)
class Place:
    """Where a row begins: so many `rows` stand before it, so many lines, and so many bytes (`offset`), once unpacked."""

    rows: int = 0
    lines: int = 0
    offset: int = 0


@dataclass(frozen=True)
class Bad:
    """A row that cannot be used. `row` counts from 1, without the header; `line` is where it ends, None in a file without lines."""

    row: int
    line: int | None
    why: str
    content: str

    def to_dict(self) -> dict[str, Any]:
        line = {} if self.line is None else {"line": self.line}
        return {"row": self.row, **line, "why": self.why, "content": self.content[:_SHOWN]}


class Rows(Protocol):
    """What is carried over to the output."""

    def records(self) -> Sequence[Record]: ...
    def table(self, columns: Sequence[str]) -> pyarrow.Table: ...


@dataclass(frozen=True)
class Part:
    """`rows` are those of the `texts`; the bad ones are left out of both. `after`: where the next part begins."""

    texts: Sequence[Text]
    rows: Rows
    bad: Sequence[Bad]
    after: Place


class Source(Protocol):
    """A file to be read. `columns`: what is carried over. `size`, `at`: how long it is, and how much has been read, in units of its own."""

    columns: Sequence[str]
    size: int

    @property
    def at(self) -> int: ...
    def schema(self) -> pyarrow.Schema: ...
    def parts(self, start: Place) -> Iterator[Part]: ...


def text_of(values: Sequence[Any]) -> Text:
    """Of one column, or of two that make a pair. Raises InvalidText."""
    texts = [checked_single(value) for value in values]
    return texts[0] if len(texts) == 1 else (texts[0], texts[1])


def length_of(text: Text) -> int:
    return len(text) if isinstance(text, str) else sum(map(len, text))


def why_not(error: InvalidText) -> str:
    return error.what + (f": {error.why}" if error.why else "")
