"""A lock as TOML, and back (https://toml.io/en/v1.0.0): a table a model, its keys in a fixed order, what nobody knows left out.

It is written here and not by a library, so that the order, the quotes and the line breaks never change: two locks of the same models are
the same bytes, and a change of one model is a change of its lines.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from hubclient.errors import InvalidReference, LockError
from hubclient.lockfile.lock import Lock
from hubclient.lockfile.pin import Canary, Pin, checked

FORMAT = 1
_HEAD = "# Made by hub lock: which models this project uses, byte for byte. Keep it with the code; hub check and hub sync read it.\n"
_HEADER = re.compile(r"[ \t]*\[\[[ \t]*model[ \t]*\]\]")
_BARE = re.compile(r"[^\x00-\x1f\x7f']*")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f]')
_WIDTH = 120
_TEXTS = ("name", "source", "language", "version", "commit", "etag", "sha256", "tensors")
_DIGESTS = ("sha256", "tensors")
# The least and the most.
_NUMBERS = {"size": (0, 1 << 62), "max_length": (1, 1 << 31)}
_WRITTEN = ("name", "language", "version", "source", "commit", "size", "etag", "sha256", "tensors", "labels", "lowercase", "max_length")
_REQUIRED = ("name", "source")
_KEYS = {*_WRITTEN, "files", "canary"}
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LARGEST = sys.float_info.max


def to_toml(lock: Lock) -> str:
    tables = ["\n".join(_table(pin)) + "\n" for pin in lock.pins]
    return "\n".join([_HEAD + f"format = {FORMAT}\n", *tables])


def from_toml(text: str, path: str | None = None) -> Lock:
    """Raises LockError."""
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Not all that tomllib raises is its own: numbers of thousands of digits are Python's to refuse.
        raise _broken(str(error), path) from error
    if type(content.get("format")) is not int or content["format"] != FORMAT:
        raise _broken(f"its format is {content.get('format')!r}, and this hubclient reads {FORMAT}", path)
    models = content.get("model", [])
    if set(content) - {"format", "model"} or not isinstance(models, list):
        raise _broken(f"it holds {', '.join(sorted(content))}, where tables [[model]] were expected", path)
    lines = _lines(text)
    placed = lines if len(lines) == len(models) else [None] * len(models)
    pins = [_pin(model, line, path) for model, line in zip(models, placed, strict=True)]
    lock = Lock.of(pins, path)
    if len(lock.pins) != len(pins):
        sources = [pin.source for pin in pins]
        raise _broken(f"it pins {next(source for source in sources if sources.count(source) > 1)} twice", path)
    return lock


def _table(pin: Pin) -> Iterator[str]:
    yield "[[model]]"
    for name in _WRITTEN:
        value = getattr(pin, name)
        if value not in (None, ()):
            yield f"{name} = {_value(value)}"
    if pin.files:
        yield ""
        yield "[model.files]"
        yield from (f"{_key(name)} = {_value(sha256)}" for name, sha256 in sorted(pin.files))
    for canary in pin.canaries:
        yield ""
        yield "[[model.canary]]"
        yield f"text = {_text(canary.text)}"
        yield f"answer = {_text(canary.answer)}"
        if canary.logits:
            yield f"logits = {_value(canary.logits)}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        items = [_value(item) for item in value]
        row = f"[{', '.join(items)}]"
        return row if len(row) <= _WIDTH else "[\n" + "".join(f"    {item},\n" for item in items) + "]"
    return _text(value) if isinstance(value, str) else repr(value)


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    """A literal string where that spares escapes, as of an ETag with its quotes."""
    if ('"' in text or "\\" in text) and _BARE.fullmatch(text):
        return f"'{text}'"
    return '"' + _ESCAPED.sub(lambda match: _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04x}", text) + '"'


def _lines(text: str) -> list[int]:
    return [number for number, line in enumerate(text.split("\n"), 1) if _HEADER.match(line)]


def _pin(model: Any, line: int | None, path: str | None) -> Pin:
    where = f"{path}:{line}" if path and line else path
    if not isinstance(model, dict):
        raise _broken("a model is no table", where)
    if unknown := sorted(set(model) - _KEYS):
        raise _broken(f"a model has the key '{unknown[0]}', which is not known", where)
    if missing := [name for name in _REQUIRED if name not in model]:
        raise _broken(f"a model has no {missing[0]}", where)
    said: dict[str, Any] = {name: _typed(name, value, where) for name, value in model.items() if name in _WRITTEN}
    try:
        return checked(Pin(**said, files=_files(model, where), canaries=_canaries(model, where), line=line))
    except InvalidReference as error:
        raise _broken(f"{error.what}: {error.hint}" if error.hint else error.what, where) from error


def _typed(name: str, value: object, where: str | None) -> object:
    if not _fits(name, value):
        raise _broken(f"a model's {name} is {value!r:.100}", where)
    return tuple(value) if isinstance(value, list) else value


def _fits(name: str, value: object) -> bool:
    if name in _DIGESTS:
        return _is_digest(value)
    if name in _TEXTS:
        return isinstance(value, str) and value != ""
    if name in _NUMBERS:
        least, most = _NUMBERS[name]
        return type(value) is int and least <= value <= most
    if name == "labels":
        return isinstance(value, list) and all(isinstance(label, str) for label in value)
    return isinstance(value, bool)


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def _files(model: Mapping[str, Any], where: str | None) -> tuple[tuple[str, str], ...]:
    listed = model.get("files", {})
    if not isinstance(listed, dict) or not all(map(_is_digest, listed.values())):
        raise _broken("a model's files are not names with their SHA-256", where)
    return tuple(sorted(listed.items()))


def _canaries(model: Mapping[str, Any], where: str | None) -> tuple[Canary, ...]:
    known = {item.name for item in fields(Canary)}
    listed = model.get("canary", [])
    if not isinstance(listed, list) or not all(
        isinstance(canary, dict) and {"text", "answer"} <= set(canary) <= known for canary in listed
    ):
        raise _broken("a model's canary is not a text with its answer", where)
    return tuple(Canary(_told(canary["text"], where), _told(canary["answer"], where), _logits(canary, where)) for canary in listed)


def _told(value: object, where: str | None) -> str:
    if not isinstance(value, str):
        raise _broken(f"a canary's text is {value!r:.100}", where)
    return value


def _logits(canary: Mapping[str, Any], where: str | None) -> tuple[float, ...]:
    logits = canary.get("logits", [])
    if not isinstance(logits, list) or not all(type(each) in (int, float) and abs(each) <= _LARGEST for each in logits):
        raise _broken(f"a canary's logits are {logits!r:.100}", where)
    return tuple(float(each) for each in logits)


def _broken(why: str, where: str | None) -> LockError:
    return LockError("the lockfile cannot be used", where=where, why=why, hint="mend it, or make it anew: hub lock")
