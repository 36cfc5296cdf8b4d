"""Java's Object Serialization stream, a small part of it, read as data: nothing is ever instantiated by name.

Strategy: a recursive reader over bytes that knows strings, boxed numbers, `scala.Tuple2` and arrays of these. The classes are a closed
list; a stream that names another one is refused before its fields are looked at. Depth, sizes and counts are bounded by the bytes that
are there. Streams of one file start with the same class descriptions, so a `Reader` keeps those it has read, and compares bytes instead
of parsing them again.

Source: "Java Object Serialization Specification", chapter 6 (grammar and constants).
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from hubclient.archive.modifiedutf8 import decode
from hubclient.errors import ArchiveError, CorruptArchive, UnsafeArchive

Value = None | bool | int | float | str | tuple["Value", ...] | list["Value"]

_HEADER = b"\xac\xed\x00\x05"
_NULL, _REFERENCE, _CLASSDESC, _OBJECT, _STRING, _ARRAY, _END, _LONGSTRING = 0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x78, 0x7C
_REFUSED = {
    0x76: "a class",
    0x77: "block data",
    0x79: "a reset",
    0x7A: "block data",
    0x7B: "an exception",
    0x7D: "a proxy class",
    0x7E: "an enum",
}
_BASE_HANDLE = 0x7E0000
_SERIALIZABLE = 2
_MAX_DEPTH = 32
_MAX_STRING = 1 << 20

_SHORT, _INT, _LONG = Struct(">H"), Struct(">I"), Struct(">Q")
_PRIMITIVES = {code: Struct(">" + kind) for code, kind in zip("BCDFIJSZ", "bHdfiqh?", strict=True)}
# Class name -> its own fields in stream order, and its superclass: all that may stand in a stream, besides arrays.
_CLASSES: dict[str, tuple[tuple[str, ...], str | None]] = {
    "java.lang.Number": ((), None),
    "java.lang.Boolean": (("Z value",), None),
    "java.lang.Byte": (("B value",), "java.lang.Number"),
    "java.lang.Double": (("D value",), "java.lang.Number"),
    "java.lang.Float": (("F value",), "java.lang.Number"),
    "java.lang.Integer": (("I value",), "java.lang.Number"),
    "java.lang.Long": (("J value",), "java.lang.Number"),
    "java.lang.Short": (("S value",), "java.lang.Number"),
    "scala.Tuple2": (("L _1", "L _2"), None),
}
_ELEMENTS = ("java.lang.Object", "java.lang.String", *_CLASSES)
_ARRAYS = frozenset({f"[L{name};" for name in _ELEMENTS} | {f"[{code}" for code in _PRIMITIVES})


class _Class(NamedTuple):
    """A class description. A boxed number has `box`, the layout of its one field; an array of primitives, that of its elements."""

    name: str
    box: Struct | None


class _Unfinished:
    """Stands for an object while its own parts are read: a reference to it would be a loop."""


_UNFINISHED = _Unfinished()
_Handle = Value | _Class | _Unfinished


class Reader:
    """Reads streams of one file. `label` names the file in errors."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._known: dict[int, tuple[bytes, list[_Handle], _Class]] = {}
        self._data = b""
        self._position = 0
        self._base = 0
        self._handles: list[_Handle] = []
        self._lowest = 0  # the first object that was referred to: a description can be known again only if it refers to nothing before it

    def read(self, data: bytes, *, offset: int = 0) -> Value:
        """The one value of a stream: None, bool, int, float, str, tuple (of a Tuple2), list (of an array).

        `offset` is where the stream lies in its file. Raises UnsafeArchive for what is not allowed, CorruptArchive for what is no stream.
        """
        self._data, self._position, self._base, self._handles, self._lowest = data, 0, offset, [], 0
        if self._take(4) != _HEADER:
            raise self._error(CorruptArchive, "it does not start as a Java serialization stream does", at=0)
        value = self._value(0)
        if self._position != len(data):
            raise self._error(CorruptArchive, f"{len(data) - self._position} bytes are left behind its value")
        return value

    def _value(self, depth: int) -> Value:
        tag = self._byte()
        if tag == _STRING:
            return self._string(self._number(_SHORT))
        if tag == _OBJECT:
            return self._object(depth)
        if tag == _REFERENCE:
            return self._referenced()
        if tag == _NULL:
            return None
        if tag == _ARRAY:
            return self._array(depth)
        if tag == _LONGSTRING:
            return self._string(self._number(_LONG))
        raise self._unexpected(tag)

    def _object(self, depth: int) -> Value:
        described = self._class(depth)
        if described is None or described.name[0] == "[" or described.name == "java.lang.Number":
            raise self._error(CorruptArchive, "an object has no class of objects")
        index = len(self._handles)
        self._handles.append(_UNFINISHED)
        value: Value
        if described.box is not None:
            (value,) = described.box.unpack(self._take(described.box.size))
        else:
            self._deeper(depth)
            value = (self._value(depth + 1), self._value(depth + 1))
        self._handles[index] = value
        return value

    def _array(self, depth: int) -> Value:
        described = self._class(depth)
        if described is None or described.name[0] != "[":
            raise self._error(CorruptArchive, "an array has no class of arrays")
        index = len(self._handles)
        self._handles.append(_UNFINISHED)
        count = self._number(_INT)
        width = described.box.size if described.box else 1
        if count * width > len(self._data) - self._position:
            raise self._error(CorruptArchive, f"an array of {count} elements does not fit into the stream")
        self._deeper(depth)
        value: list[Value]
        if described.box:
            value = [item for (item,) in described.box.iter_unpack(self._take(count * width))]
        else:
            value = [self._value(depth + 1) for _ in range(count)]
        self._handles[index] = value
        return value

    def _referenced(self) -> Value:
        target = self._target()
        if isinstance(target, _Unfinished):
            raise self._error(UnsafeArchive, "an object contains itself")
        if isinstance(target, _Class):
            raise self._error(CorruptArchive, "a value refers to a class")
        return target

    def _target(self) -> _Handle:
        index = self._number(_INT) - _BASE_HANDLE
        if not 0 <= index < len(self._handles):
            raise self._error(CorruptArchive, f"a reference leads to object {index} of {len(self._handles)}", at=self._position - 4)
        if index < self._lowest:
            self._lowest = index
        return self._handles[index]

    def _class(self, depth: int) -> _Class | None:
        tag = self._byte()
        if tag == _NULL:
            return None
        if tag == _REFERENCE:
            target = self._target()
            if not isinstance(target, _Class):
                raise self._error(CorruptArchive, "a class is described by something else")
            return target
        if tag != _CLASSDESC:
            raise self._unexpected(tag)
        first, start = len(self._handles), self._position
        raw, made, described = self._known.get(first, (b"", [], None))
        if described is not None and self._data.startswith(raw, start):
            self._position += len(raw)
            self._handles.extend(made)
            return described
        outer, self._lowest = self._lowest, first
        described = self._description(depth)
        if self._lowest >= first:
            self._known[first] = (self._data[start : self._position], self._handles[first:], described)
        self._lowest = min(outer, self._lowest)
        return described

    def _description(self, depth: int) -> _Class:
        start = self._position
        name = self._utf()
        if name not in _CLASSES and name not in _ARRAYS:
            raise self._error(UnsafeArchive, f"class '{name}' is not allowed in a model archive", at=start)
        self._take(8)
        index = len(self._handles)
        self._handles.append(_UNFINISHED)
        flags = self._byte()
        if flags != _SERIALIZABLE:
            raise self._error(UnsafeArchive, f"class '{name}' brings its own way of being read (flags {flags})")
        fields = tuple(self._field() for _ in range(self._number(_SHORT)))
        if self._byte() != _END:
            raise self._error(UnsafeArchive, f"class '{name}' is annotated", at=self._position - 1)
        self._deeper(depth)
        parent = self._class(depth + 1)
        expected, expected_parent = _CLASSES.get(name, ((), None))
        if fields != expected or (parent.name if parent else None) != expected_parent:
            raise self._error(CorruptArchive, f"class '{name}' has other fields than it should: {', '.join(fields) or 'none'}", at=start)
        code = name[1:] if name[0] == "[" else expected[0][0] if expected else ""
        self._handles[index] = described = _Class(name, _PRIMITIVES.get(code))
        return described

    def _field(self) -> str:
        code = chr(self._byte())
        name = self._utf()
        if code in "L[":
            kind = self._value(_MAX_DEPTH)
            if not isinstance(kind, str):
                raise self._error(CorruptArchive, f"the type of field '{name}' is no string")
        elif code not in _PRIMITIVES:
            raise self._error(CorruptArchive, f"field '{name}' is of an unknown type")
        return f"{code} {name}"

    def _utf(self) -> str:
        return self._decoded(self._number(_SHORT))

    def _string(self, size: int) -> str:
        value = self._decoded(size)
        self._handles.append(value)
        return value

    def _decoded(self, size: int) -> str:
        if size > _MAX_STRING:
            raise self._error(UnsafeArchive, f"a string of {size} bytes is longer than allowed ({_MAX_STRING})")
        raw = self._take(size)
        try:
            return raw.decode("ascii") if raw.isascii() else decode(raw)
        except UnicodeError as error:
            raise self._error(CorruptArchive, f"a string is not text: {error}", at=self._position - size) from error

    def _byte(self) -> int:
        if self._position >= len(self._data):
            raise self._error(CorruptArchive, "it ends too early")
        self._position += 1
        return self._data[self._position - 1]

    def _number(self, layout: Struct) -> int:
        number: int = layout.unpack(self._take(layout.size))[0]
        return number

    def _take(self, size: int) -> bytes:
        start = self._position
        raw = self._data[start : start + size]
        if len(raw) != size:
            raise self._error(CorruptArchive, "it ends too early", at=len(self._data))
        self._position = start + size
        return raw

    def _deeper(self, depth: int) -> None:
        if depth >= _MAX_DEPTH:
            raise self._error(UnsafeArchive, f"its objects are nested more than {_MAX_DEPTH} deep")

    def _unexpected(self, tag: int) -> ArchiveError:
        if tag in _REFUSED:
            return self._error(
                UnsafeArchive, f"it contains {_REFUSED[tag]}, which is not allowed in a model archive", at=self._position - 1
            )
        return self._error(CorruptArchive, f"byte 0x{tag:02x} starts no object", at=self._position - 1)

    def _error(self, kind: type[ArchiveError], why: str, *, at: int | None = None) -> ArchiveError:
        position = self._base + (self._position if at is None else at)
        return kind("a Java stream cannot be read", where=f"{self._label}, byte {position}", why=why)
