"""A YAML mapping, read as plain text values.

Strategy: libyaml's events (YAML 1.1, https://yaml.org/spec/1.1/), and nothing of PyYAML's resolvers and constructors above them.
Every scalar stays as it is written: `3.10` is not 3.1, `no` is Norwegian, a date is text. A plain scalar that is empty, `~` or `null`
is None.
Tags, anchors and aliases, duplicate keys, deep nesting and great length are refused: no card needs them, and each is a way to do harm.
A text whose every line is so plain that it can mean one thing only is read by a pattern, several times faster: keys of letters, with
nothing, words, words in quotes or a list of words after them, and keys with words one level below a key with nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from hubclient.cards.frozen import FrozenMap
from hubclient.cards.problem import card_error

if TYPE_CHECKING:
    import yaml

Value: TypeAlias = str | tuple["Value", ...] | FrozenMap[str, "Value"] | None

_MAX_DEPTH = 16
_MAX_LENGTH = 100_000
_NULLS = {"", "~", "null", "Null", "NULL"}
_MARKED = ("[", '"')
_WORDS = r" *+[A-Za-z0-9][\w ()./+-]*+"
_PLAIN_VALUE = rf'[A-Za-z0-9][\w ()./+,-]*+|"[\w ()./+,-]*+" *+|\[(?:{_WORDS},)*+{_WORDS}\] *+'
_PLAIN_TEXT = re.compile(rf"(?:(?:(?:  )?[A-Za-z]\w{{0,99}}:(?: ++(?:{_PLAIN_VALUE})?)?)?\n)*+", re.ASCII)
_NOT_ALLOWED = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_LINE_BREAK = re.compile("[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True)
class YamlMapping:
    """`lines` says on which line of the file each top-level key stands."""

    values: FrozenMap[str, Value]
    lines: FrozenMap[str, int]


def read_mapping(text: str, *, path: str | None = None, first_line: int = 1) -> YamlMapping:
    """Read one YAML mapping; an empty text is an empty mapping. `first_line` is where `text` begins in its file.

    Raises CardError, at the line of the fault.
    """
    if len(text) > _MAX_LENGTH:
        raise card_error(f"the YAML is longer than {_MAX_LENGTH:,} characters", path=path, line=first_line)
    return _read_plain(text, first_line) or _read_with_libyaml(text, path, first_line)


def _read_plain(text: str, first_line: int) -> YamlMapping | None:
    if not _PLAIN_TEXT.fullmatch(text):
        return None
    values: dict[str, Value] = {}
    below: dict[str, dict[str, Value]] = {}
    lines: dict[str, int] = {}
    parent = ""
    for number, line in enumerate(text.split("\n"), first_line):
        if not line:
            continue
        key, _, value = line.partition(":")
        value = value.strip(" ")
        if not key.startswith(" "):
            found, parent = values, "" if value else key
            lines[key] = number
        elif parent:
            found, key = below.setdefault(parent, {}), key.strip(" ")
        else:
            return None
        if key in found:
            return None
        found[key] = _plain_value(value) if value[:1] in _MARKED else None if value in _NULLS else value
    values.update((key, FrozenMap(inner)) for key, inner in below.items())
    return YamlMapping(FrozenMap(values), FrozenMap(lines))


def _plain_value(value: str) -> Value:
    """Of a list, or of a text in quotes."""
    if value[0] == '"':
        return value[1:-1]
    items = [item.strip(" ") for item in value[1:-1].split(",")]
    return tuple([None if item in _NULLS else item for item in items])


def _read_with_libyaml(text: str, path: str | None, first_line: int) -> YamlMapping:
    import yaml

    reader = _Reader(text, path, first_line)
    if character := _NOT_ALLOWED.search(text):
        line = first_line + text.count("\n", 0, character.start())
        raise card_error("the YAML cannot be read", path=path, line=line, why=f"the character U+{ord(character[0]):04X} is not allowed")
    try:
        return reader.document(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.MarkedYAMLError as error:
        line = reader.line(error.problem_mark or error.context_mark)
        raise card_error("the YAML cannot be read", path=path, line=line, why=reader.why(error)) from error


class _Reader:
    def __init__(self, text: str, path: str | None, first_line: int) -> None:
        self._path = path
        # YAML 1.1 knows more line breaks than editors do.
        self._lines: list[int] = list(accumulate((found == "\n" for found in _LINE_BREAK.findall(text)), initial=first_line))

    def line(self, mark: Any) -> int:
        """The line of the file that libyaml's mark is on."""
        return self._lines[min(mark.line, len(self._lines) - 1) if mark else 0]

    def why(self, error: yaml.MarkedYAMLError) -> str | None:
        begun = self.line(error.context_mark)
        if not error.context_mark or begun == self.line(error.problem_mark):
            return error.problem
        return f"{error.problem} {error.context} that begins on line {begun}"

    def document(self, events: Iterator[yaml.Event]) -> YamlMapping:
        import yaml

        values: FrozenMap[str, Value] = FrozenMap()
        lines: dict[str, int] = {}
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
            elif isinstance(event, yaml.MappingStartEvent) and documents == 1:
                self._refuse_tag(event)
                values = self._mapping(events, 1, lines)
            elif not isinstance(event, (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentEndEvent)):
                self._refuse(event, "one mapping of keys to values is expected")
        if documents > 1:
            raise card_error("several YAML documents stand where one is expected", path=self._path, line=self.line(None))
        return YamlMapping(values, FrozenMap(lines))

    def _mapping(self, events: Iterator[yaml.Event], depth: int, lines: dict[str, int] | None = None) -> FrozenMap[str, Value]:
        import yaml

        found: dict[str, Value] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                self._refuse(event, "a key is not plain text")
            self._refuse_tag(event)
            key = event.value
            if key in found:
                self._refuse(event, f"the key '{key}' stands twice")
            if lines is not None:
                lines[key] = self.line(event.start_mark)
            found[key] = self._value(next(events), events, depth)
        return FrozenMap(found)

    def _sequence(self, events: Iterator[yaml.Event], depth: int) -> tuple[Value, ...]:
        import yaml

        found: list[Value] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            found.append(self._value(event, events, depth))
        return tuple(found)

    def _value(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Value:
        import yaml

        self._refuse_tag(event)
        if isinstance(event, yaml.ScalarEvent):
            return None if event.implicit[0] and event.value in _NULLS else event.value
        if depth >= _MAX_DEPTH:
            self._refuse(event, f"the YAML is nested deeper than {_MAX_DEPTH} levels")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, depth + 1)
        return self._mapping(events, depth + 1)

    def _refuse_tag(self, event: yaml.Event) -> None:
        import yaml

        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            self._refuse(event, "YAML anchors and aliases are not allowed here")
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._refuse(event, f"the YAML tag '{tag}' is not allowed here")

    def _refuse(self, event: yaml.Event, what: str) -> NoReturn:
        raise card_error(what, path=self._path, line=self.line(event.start_mark))
