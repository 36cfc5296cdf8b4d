"""Scala and Java source: the calls that load Spark NLP's models, by a scanner that reads tokens and no grammar.

It tells apart what a search for words cannot: comments, texts, names that are imported from elsewhere, arguments by position and by
name. A value is known if it is a text, a name that the file binds once and to a text, or a sum of these.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hubclient.check.scan.call import PARAMETERS, Call, Kind, Unknown, Value, shortened
from hubclient.check.scan.libraries import PIPELINE, looks_like_annotator, may_load
from hubclient.check.scan.tokens import Token, tokens

_OPEN, _CLOSED = {"(", "[", "{"}, {")", "]", "}"}
_MEANT = {"remoteLoc": "remote_loc", "downloadName": "name", "source": "remote_loc", "diskLocation": "disk_location"}
_LIBRARY = "johnsnowlabs"
_DEFINES = {"class", "object", "trait", "interface", "enum", "record", "def", "import", "package"}
_NO_TYPES = {"return", "new", "else", "throw", "case", "assert", "yield", "in", "this", "super", "instanceof"}
# What real code stays far below, and what takes no time.
_LONGEST = 1000  # characters of a value
_LONGEST_NAME = 40  # tokens of a dotted name
_DEEPEST = 20  # names that stand for names
_MOST_SUMMANDS = 100
_MOST_TYPES = 200  # tokens of type arguments
_MOST_SHOWN = 400


@dataclass
class _File:
    """`closing`: of each bracket that opens, the token that closes it, or the end. `imports`: what a name stands for, dotted.
    `constants`: where the value of a name begins that is bound once. `values`: those that were worked out."""

    source: str
    tokens: Sequence[Token]
    scala: bool
    closing: dict[int, int] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)
    values: dict[str, str | None] = field(default_factory=dict)
    defined: set[str] = field(default_factory=set)
    is_spark_nlp: bool = False

    def text(self, at: int) -> str:
        """The name or sign there; empty for everything else."""
        if not 0 <= at < len(self.tokens):
            return ""
        token = self.tokens[at]
        return token.text if token.kind in ("name", "sign") and isinstance(token.text, str) else ""

    def name(self, at: int) -> str:
        return self.text(at) if 0 <= at < len(self.tokens) and self.tokens[at].kind == "name" else ""

    def code(self, first: int, last: int) -> str:
        """As it is written, the last token included, or the beginning of that."""
        start, last = self.tokens[first].start, min(last, len(self.tokens) - 1)
        return self.source[start : min(self.tokens[last].end, start + _MOST_SHOWN)] if first <= last else ""


def jvm_calls(source: str, *, scala: bool) -> Iterator[Call]:
    """The calls in the source, in its order. Whatever the text is, it is read to its end."""
    if not may_load(source):
        return
    file = _File(source, list(tokens(source, scala=scala)), scala)
    _match_brackets(file)
    _read_names(file)
    ends = [match.start() for match in re.finditer("\n", source)]
    for at, token in enumerate(file.tokens):
        if token.kind == "name" and token.text in ("pretrained", PIPELINE) and (found := _loading(file, at)):
            kind, annotator, first = found
            arguments, last = _arguments(file, at, PARAMETERS[kind])
            line = bisect_right(ends, token.start)
            column = token.start - (ends[line - 1] if line else -1)
            yield Call(kind, line + 1, column, arguments, shortened(file.code(first, last)), annotator)


def _loading(file: _File, at: int) -> tuple[Kind, str | None, int] | None:
    """What is called there, the class that the model is of, and where the call begins."""
    if file.text(at - 1) in _DEFINES:
        return None
    if file.text(at) == PIPELINE:
        origin = file.imports.get(PIPELINE, _LIBRARY)
        called = file.text(at + 1) == "(" and PIPELINE not in file.defined and _LIBRARY in origin
        return ("pipeline", None, at) if called else None
    dot = _before_types(file, at - 1)
    if file.text(dot) != ".":
        return None
    return _annotator(file, dot)


def _annotator(file: _File, dot: int) -> tuple[Kind, str | None, int] | None:
    """The class before the dot, if it may be one of Spark NLP's."""
    receiver, first = file.name(dot - 1), dot - 1
    while file.text(first - 1) == "." and file.name(first - 2) and dot - first < _LONGEST_NAME:
        first -= 2
    if file.name(first - 1) == "import" or receiver in file.defined or receiver in ("this", "super"):
        return None
    origin = file.imports.get(receiver) or ".".join(filter(None, (file.name(number) for number in range(first, dot))))
    told = receiver in file.imports or "." in origin
    if not (_LIBRARY in origin if told else file.is_spark_nlp or looks_like_annotator(receiver)):
        return None
    class_ = origin.rpartition(".")[2]
    return "annotator", class_ if class_[:1].isupper() else None, max(first, 0)


def _before_types(file: _File, at: int) -> int:
    """The place before `<A<B>>`, which Java writes between the dot and a method's name."""
    if file.text(at) != ">":
        return at
    depth = 0
    for before in range(at, max(at - _MOST_TYPES, 0), -1):
        depth += {">": 1, "<": -1}.get(file.text(before), 0)
        if not depth:
            return before - 1
    return at


def _arguments(file: _File, at: int, parameters: Sequence[str]) -> tuple[dict[str, Value], int]:
    """The values of the arguments, and the last token of the call."""
    opening = at + 1
    if file.text(opening) == "[":
        opening = file.closing[opening] + 1
    if file.text(opening) != "(":
        return {}, at
    closing = file.closing[opening]
    given: dict[str, Value] = {}
    for number, (first, last) in enumerate(_split(file, opening, closing)):
        name = file.name(first) if file.text(first + 1) == "=" else ""
        if name:
            given[_MEANT.get(name, name)] = _value(file, first + 2, last)
        elif number < len(parameters):
            given[parameters[number]] = _value(file, first, last)
    return given, closing


def _match_brackets(file: _File) -> None:
    opened = []
    for at in range(len(file.tokens)):
        sign = file.text(at)
        if sign in _OPEN:
            opened.append(at)
        elif sign in _CLOSED and opened:
            file.closing[opened.pop()] = at
    file.closing.update(dict.fromkeys(opened, len(file.tokens)))


def _split(file: _File, opening: int, closing: int) -> Iterator[tuple[int, int]]:
    """The first and the last token of each argument."""
    at = first = opening + 1
    while at <= closing:
        if at == closing or file.text(at) == ",":
            if first < at:
                yield first, at - 1
            first = at + 1
        at = file.closing.get(at, at) + 1


def _value(file: _File, first: int, last: int, depth: int = 0) -> Value:
    """What the tokens add up to."""
    while file.text(first) == "(" and file.closing[first] == last > first:
        first, last = first + 1, last - 1
    if first == last and file.name(first) in ("null", "None"):
        return None
    unknown, text = Unknown(shortened(file.code(first, last))), ""
    if (last - first) % 2 or last - first > 2 * _MOST_SUMMANDS or any(file.text(at) != "+" for at in range(first + 1, last, 2)):
        return unknown
    for at in range(first, last + 1, 2):
        part = _operand(file, at, depth)
        if part is None or len(text) > _LONGEST:
            return unknown
        text += part
    return text


def _operand(file: _File, at: int, depth: int) -> str | None:
    token = file.tokens[at]
    if token.kind == "text":
        return token.text if isinstance(token.text, str) else None
    name = file.name(at)
    if name in file.constants and name not in file.values and depth < _DEEPEST:
        file.values[name] = None  # so that names which lead in circles end
        start = file.constants[name]
        value = _value(file, start, _end_of_value(file, start), depth + 1)
        file.values[name] = value if isinstance(value, str) else None
    return file.values.get(name)


def _end_of_value(file: _File, start: int) -> int:
    """The last token of a definition: its line's, unless a sum goes on."""
    at = start
    while at + 1 < len(file.tokens):
        following = file.text(at + 1)
        if following in (";", ",", ")", "}"):
            break
        new_line = "\n" in file.source[file.tokens[at].end : file.tokens[at + 1].start]
        if file.scala and new_line and file.text(at) != "+":
            break
        if at - start > 2 * _MOST_SUMMANDS:
            break
        at += 1
    return at


def _read_names(file: _File) -> None:
    """Note the imports, what the file defines, and the names that are bound once."""
    bound: dict[str, list[int]] = {}
    for at, token in enumerate(file.tokens):
        if token.kind != "name" or not isinstance(token.text, str):
            continue
        file.is_spark_nlp = file.is_spark_nlp or token.text == _LIBRARY
        if token.text == "import":
            _read_import(file, at + 1)
        elif file.name(at - 1) in ("class", "object", "trait", "interface", "enum", "record"):
            file.defined.add(token.text)
        elif _binds(file, at):
            bound.setdefault(token.text, []).append(at)
    for name, places in bound.items():
        if len(places) == 1 and (start := _start_of_value(file, places[0])) is not None:
            file.constants[name] = start


def _binds(file: _File, at: int) -> bool:
    """Whether a name is given a value or a type there: by a definition, an assignment, a parameter, a pattern."""
    before, after = file.text(at - 1), file.text(at + 1)
    if before == "." or (after == "=" and before in ("(", ",") and file.scala):
        return False
    if after in ("=", "+=", "=>", "<-", "->") or before in ("val", "var", "def"):
        return True
    if file.scala:
        return after == ":"
    return bool(file.name(at - 1)) and before not in _NO_TYPES


def _start_of_value(file: _File, at: int) -> int | None:
    """Where the value of a constant begins; None for anything but a constant."""
    if file.scala:
        if file.text(at - 1) != "val":
            return None
        at += 1
        if file.text(at) == ":" and file.name(at + 1) == "String":
            at += 2
        return at + 1 if file.text(at) == "=" else None
    is_text = file.name(at - 1) in ("String", "var")
    return at + 2 if is_text and file.text(at + 1) == "=" else None


def _read_import(file: _File, at: int) -> None:
    """`a.b.C`, `a.b.{C, D => E, F as G}`, `static a.b.C.d`."""
    at += file.name(at) == "static"
    path: list[str] = []
    while file.name(at):
        path.append(file.name(at))
        at += 1
        if file.text(at) != ".":
            break
        at += 1
    if file.text(at) != "{":
        local = file.name(at + 1) if file.text(at) in ("=>", "as") else path[-1] if path else ""
        file.imports[local] = ".".join(path)
        return
    closing = file.closing[at]
    for first, last in _split(file, at, closing):
        file.imports[file.name(last)] = ".".join((*path, file.name(first)))
