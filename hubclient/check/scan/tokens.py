"""Scala and Java source as tokens: names, texts, signs. Comments and blanks are left out.

Texts are those of the Scala 2.13 and 3 references (section 1.3) and of the Java Language Specification (sections 3.10.4 to 3.10.7). What
is never closed ends with its line, or with the file: a reader that tolerates more than a compiler finds more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from hubclient.check.scan.call import Unknown

_TRIPLE = '"""'
_SKIPPED = re.compile(r"(?:\s++|//[^\n]*+)++")
_NAME = re.compile(r"[^\W\d][\w$]*+|`[^`\n]*+`|[$][\w$]*+")
_TEXT = re.compile(r'"((?:[^"\\\n]++|\\.)*+)"?', re.DOTALL)
_CHAR = re.compile(r"'(?:\\u+[0-9A-Fa-f]{4}|\\[^\n]|[^\\'\n])'")
_SIGN = re.compile(r"=>|<-|->|==|!=|<=|>=|\+\+|\+=|::|\d[\w.]*+|.", re.DOTALL)
_COMMENT_MARK = re.compile(r"/\*|\*/")
_ESCAPE = re.compile(r"\\(?:u+([0-9A-Fa-f]{4})|([0-7]{1,3})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "s": " ", "\n": ""}


class Token(NamedTuple):
    """`text`: the name, the sign, or what the text says; Unknown for a text that other values are put into."""

    kind: Literal["name", "text", "char", "sign"]
    text: str | Unknown
    start: int
    end: int


def tokens(source: str, *, scala: bool) -> Iterator[Token]:
    at = 0
    while at < len(source):
        if skipped := _SKIPPED.match(source, at):
            at = skipped.end()
        elif source.startswith("/*", at):
            at = _comment_end(source, at, nested=scala)
        else:
            token = _token(source, at, scala)
            at = token.end
            yield token


def _token(source: str, at: int, scala: bool) -> Token:
    if source[at] == '"':
        return _text(source, at, scala)
    if name := _NAME.match(source, at):
        if scala and source.startswith('"', name.end()) and name[0].isidentifier():
            return _interpolated(source, at, name.end())
        return Token("name", name[0].strip("`"), at, name.end())
    if char := _CHAR.match(source, at):
        return Token("char", char[0], at, char.end())
    sign = _SIGN.match(source, at)
    assert sign is not None
    return Token("sign", sign[0], at, sign.end())


def _comment_end(source: str, at: int, *, nested: bool) -> int:
    """Scala's comments hold others, Java's do not."""
    if not nested:
        end = source.find("*/", at + 2)
        return len(source) if end < 0 else end + 2
    depth = 0
    for mark in _COMMENT_MARK.finditer(source, at):
        depth += 1 if mark[0] == "/*" else -1
        if not depth:
            return mark.end()
    return len(source)


def _text(source: str, at: int, scala: bool) -> Token:
    if source.startswith(_TRIPLE, at):
        end = _triple_end(source, at + 3, scala)
        inner = source[at + 3 : end - 3]
        return Token("text", inner if scala else _text_block(inner), at, end)
    match = _TEXT.match(source, at)
    assert match is not None
    return Token("text", unescaped(match[1]), at, match.end())


def _triple_end(source: str, at: int, scala: bool) -> int:
    """Scala has no escapes there, and quotes that come before the last three belong to the text."""
    end = source.find(_TRIPLE, at)
    while end >= 0 and not scala and _escaped(source, end, at):
        end = source.find(_TRIPLE, end + 1)
    if end < 0:
        return len(source)
    end += 3
    while scala and source.startswith('"', end):
        end += 1
    return end


def _escaped(source: str, at: int, start: int) -> bool:
    slashes = 0
    while at - slashes > start and source[at - slashes - 1] == "\\":
        slashes += 1
    return slashes % 2 == 1


def _text_block(inner: str) -> str:
    """Java's text without the indentation that its lines share."""
    first, _, rest = inner.partition("\n")
    if first.strip():
        return unescaped(inner)
    lines = rest.split("\n")
    shown = [line for line in lines[:-1] if line.strip()] + lines[-1:]
    indent = min(len(line) - len(line.lstrip()) for line in shown)
    return unescaped("\n".join(line[indent:].rstrip() for line in lines))


def _interpolated(source: str, start: int, quote: int) -> Token:
    """`s"…"` and the like: a text if nothing is put in."""
    triple = source.startswith(_TRIPLE, quote)
    at = quote + (3 if triple else 1)
    end, holes = _interpolated_end(source, at, triple)
    inner = source[at : end - (3 if triple else 1)]
    if holes:
        return Token("text", Unknown(source[start:end]), start, end)
    raw = triple or source[start:quote] == "raw"
    return Token("text", (inner if raw else unescaped(inner)).replace("$$", "$"), start, end)


def _interpolated_end(source: str, at: int, triple: bool) -> tuple[int, bool]:
    """Where it ends, and whether values are put in. What stands in `${…}` may hold texts of its own."""
    holes, depth = False, 0
    while at < len(source):
        char = source[at]
        if depth:
            if char == '"':
                at = _text(source, at, scala=True).end
                continue
            depth += (char == "{") - (char == "}")
        elif source.startswith("$$", at):
            at += 1
        elif char == "$":
            holes = True
            depth = int(source.startswith("{", at + 1))
            at += depth
        elif char == '"' and triple and source.startswith(_TRIPLE, at):
            return _triple_end(source, at, scala=True), holes
        elif not triple and (char == '"' or char == "\n"):
            return at + 1, holes
        elif char == "\\" and not triple:
            at += 1
        at += 1
    return len(source), holes


def unescaped(text: str) -> str:
    """What a text says.

    >>> unescaped("a\\\\u0062\\\\n")
    'ab\\n'
    """
    return _ESCAPE.sub(_one, text) if "\\" in text else text


def _one(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return chr(int(match[2], 8)) if match[2] else _ESCAPED.get(match[3], match[3])
