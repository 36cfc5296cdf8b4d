"""A YAML mapping, read as plain text values.

Strategy: libyaml's events (YAML 1.1, https://yaml.org/spec/1.1/), and nothing of PyYAML's resolvers and constructors above them.
Every scalar stays as it is written: `3.10` is not 3.1, `no` is Norwegian, a date is text. A plain scalar that is empty, `~` or `null`
is None.
Tags, anchors and aliases, duplicate keys and deep nesting are refused: no card needs them, and each is a way to do harm.
A text whose every line is so plain that it can mean one thing only is read by a pattern, several times faster: keys of letters, with
nothing, words, words in quotes or a list of words after them, and keys with words one level below a key with nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from hubclient.cards.frozen import FrozenMap
from hubclient.cards.problem import card_error

if TYPE_CHECKING:
    import yaml

Value: TypeAlias = str | tuple["Value", ...] | FrozenMap[str, "Value"] | None

_MAX_DEPTH = 16
_NULLS = {"", "~", "null", "Null", "NULL"}
_WORDS = r" *+[A-Za-z0-9][\w ()./+-]*+"
_PLAIN_VALUE = rf'[A-Za-z0-9][\w ()./+,-]*+|"[\w ()./+,-]*+" *+|\[(?:{_WORDS},)*+{_WORDS}\] *+'
_PLAIN_TEXT = re.compile(rf"(?:(?:(?:  )?[A-Za-z]\w{{0,99}}:(?: ++(?:{_PLAIN_VALUE})?)?)?\n)*+", re.ASCII)


@dataclass(frozen=True)
class YamlMapping:
    """`lines` says on which line of the file each top-level key stands."""

    values: FrozenMap[str, Value]
    lines: FrozenMap[str, int]


def read_mapping(text: str, *, path: str | None = None, first_line: int = 1) -> YamlMapping:
    """Read one YAML mapping; an empty text is an empty mapping. `first_line` is where `text` begins in its file.

    Raises CardError, at the line of the fault.
    """
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
        found[key] = _plain_value(value)
    values.update((key, FrozenMap(inner)) for key, inner in below.items())
    return YamlMapping(FrozenMap(values), FrozenMap(lines))


def _plain_value(value: str) -> Value:
    if value.startswith("["):
        return tuple(_scalar(item.strip(" ")) for item in value[1:-1].split(","))
    return value[1:-1] if value.startswith('"') else _scalar(value)


def _scalar(text: str) -> str | None:
    return None if text in _NULLS else text


def _read_with_libyaml(text: str, path: str | None, first_line: int) -> YamlMapping:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    reader = _Reader(path, first_line)
    try:
        return reader.document(yaml.parse(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise card_error("the YAML cannot be read", path=path, line=first_line + (mark.line if mark else 0), why=error.problem) from error
    except yaml.reader.ReaderError as error:
        line = first_line + text.count("\n", 0, _offset(error))
        raise card_error("the YAML cannot be read", path=path, line=line, why=error.reason) from error
    except UnicodeEncodeError as error:
        line = first_line + text.count("\n", 0, error.start)
        raise card_error("the text is not Unicode", path=path, line=line, why=error.reason) from error


def _offset(error: yaml.reader.ReaderError) -> int:
    return error.position if isinstance(error.position, int) else 0


class _Reader:
    def __init__(self, path: str | None, first_line: int) -> None:
        self._path = path
        self._first_line = first_line

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
            raise card_error("several YAML documents stand where one is expected", path=self._path, line=self._first_line)
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
                lines[key] = self._line(event)
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
            return _scalar(event.value) if event.implicit[0] else event.value
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
        raise card_error(what, path=self._path, line=self._line(event))

    def _line(self, event: yaml.Event) -> int:
        return self._first_line + (event.start_mark.line if event.start_mark else 0)
