"""Python's pickle, a small part of it, read as data: nothing is imported, and nothing of the file's choosing is called.

Strategy: an interpreter of those opcodes that plain values and tensors need. A name (GLOBAL, STACK_GLOBAL) stands for what the
caller's table has under it; any other name is refused on sight. REDUCE calls only what stands in that table as a `Maker`, a function of
ours. BUILD on a dictionary (the attributes of an OrderedDict) is passed over, on anything else refused, as are NEWOBJ, INST, OBJ and the
extension registry. Steps, nesting, names, numbers and keys are bounded, so that time and memory stay in proportion to the bytes that are
there; values that contain themselves a million times over are never walked through.

Source: Lib/pickletools.py of Python 3.13 (opcodes, their arguments, what they do to stack and memo).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from struct import Struct

from hubclient.errors import ArchiveError, CorruptArchive, UnsafeArchive

_MAX_STEPS = 1_000_000
_MAX_DEPTH = 100
_MAX_LINE = 200
_MAX_KEY = 1 << 31

_PROTO, _FRAME, _STOP = 0x80, 0x95, ord(".")
_HIGHEST_PROTOCOL = 5
_CONSTANTS = {ord("N"): None, 0x88: True, 0x89: False, ord(")"): ()}
_NUMBERS = {ord("J"): Struct("<i"), ord("K"): Struct("<B"), ord("M"): Struct("<H"), ord("G"): Struct(">d")}
_TEXTS = {ord("X"): Struct("<I"), 0x8C: Struct("<B"), ord("T"): Struct("<I"), ord("U"): Struct("<B")}
_TUPLES = {0x85: 1, 0x86: 2, 0x87: 3}
_PUTS = {ord("q"): Struct("<B"), ord("r"): Struct("<I")}
_GETS = {ord("h"): Struct("<B"), ord("j"): Struct("<I")}
_BYTE, _LONG = Struct("<B"), Struct("<Q")
_WHOLE = re.compile(rb"-?[0-9]{1,40}L?")
# The other opcodes there are, which tensors do not need; the last of these are there to run what the file names.
_OLD = {"POP": b"0", "POP_MARK": b"1", "DUP": b"2", "FLOAT": b"F", "STRING": b"S", "UNICODE": b"V", "DICT": b"d", "LIST": b"l", "PUT": b"p"}
_RARE = {"GET": b"g", "BINBYTES": b"B", "SHORT_BINBYTES": b"C", "LONG4": b"\x8b", "BINUNICODE8": b"\x8d", "BINBYTES8": b"\x8e"}
_SETS = {"EMPTY_SET": b"\x8f", "ADDITEMS": b"\x90", "FROZENSET": b"\x91"}
_BUFFERS = {"BYTEARRAY8": b"\x96", "NEXT_BUFFER": b"\x97", "READONLY_BUFFER": b"\x98"}
_OBJECTS = {
    "INST": b"i",
    "OBJ": b"o",
    "PERSID": b"P",
    "NEWOBJ": b"\x81",
    "EXT1": b"\x82",
    "EXT2": b"\x83",
    "EXT4": b"\x84",
    "NEWOBJ_EX": b"\x92",
}
_REFUSED = {code[0]: name for kind in (_OLD, _RARE, _SETS, _BUFFERS, _OBJECTS) for name, code in kind.items()}


@dataclass(frozen=True)
class Maker:
    """What a pickle may call: a function of ours that gets the arguments, and raises ValueError for those that it cannot take."""

    name: str
    make: Callable[[tuple[object, ...]], object]


def read_pickle(
    data: bytes, *, names: Mapping[str, object], persistent: Callable[[object], object], label: str, start: int = 0
) -> tuple[object, int]:
    """The one value of the pickle that starts at `start`, and where it ends.

    Values are None, bool, int, float, str, and tuple, list, dict of these; what `names` has under a dotted name; and what a `Maker` or
    `persistent` (given a persistent id) makes: both may raise ValueError. Raises UnsafeArchive for what is not allowed, CorruptArchive for
    what is no pickle. `label` names the file in errors.
    """
    machine = _Machine(data, names, persistent, label, start)
    return machine.run(), machine.position


def ordered_dict(arguments: tuple[object, ...]) -> dict[object, object]:
    """`collections.OrderedDict`, empty, or of pairs as Python 2 wrote them."""
    pairs = arguments[0] if arguments else []
    if len(arguments) > 1 or not isinstance(pairs, list):
        raise ValueError("an OrderedDict is made of one list of pairs, or of nothing")
    if any(type(pair) not in (list, tuple) or len(pair) != 2 for pair in pairs):
        raise ValueError("an OrderedDict has something else than pairs")
    return {_key(key): value for key, value in pairs}


class _Machine:
    def __init__(self, data: bytes, names: Mapping[str, object], persistent: Callable[[object], object], label: str, start: int) -> None:
        self.position = start
        self._data = data
        self._names = names
        self._persistent = persistent
        self._label = label
        self._steps = 0
        self._stack: list[object] = []
        self._below: list[list[object]] = []  # the stacks below each mark
        self._memo: dict[int, object] = {}

    def run(self) -> object:
        while (code := self._number(_BYTE)) != _STOP:
            self._charge(1)
            self._step(code)
        if len(self._stack) != 1 or self._below:
            raise self._error(CorruptArchive, f"it ends with {len(self._stack)} values instead of one")
        return self._stack[0]

    def _step(self, code: int) -> None:
        if code in _CONSTANTS:
            self._stack.append(_CONSTANTS[code])
        elif code in _NUMBERS:
            self._stack.append(_NUMBERS[code].unpack(self._take(_NUMBERS[code].size))[0])
        elif code in _TEXTS:
            self._stack.append(self._text(self._take(self._number(_TEXTS[code]))))
        elif code in _TUPLES:
            self._stack.append(tuple(reversed([self._pop() for _ in range(_TUPLES[code])])))
        elif code in _PUTS:
            self._memo[self._number(_PUTS[code])] = self._top()
        elif code in _GETS:
            self._recall(self._number(_GETS[code]))
        elif code in _ACTIONS:
            _ACTIONS[code](self)
        else:
            raise self._refusal(code)

    def _protocol(self) -> None:
        version = self._number(_BYTE)
        if version > _HIGHEST_PROTOCOL:
            raise self._error(CorruptArchive, f"there is no protocol {version}")

    def _frame(self) -> None:
        size = self._number(_LONG)
        if size > len(self._data) - self.position:
            raise self._error(CorruptArchive, f"a frame of {size} bytes does not fit into the file")

    def _mark(self) -> None:
        if len(self._below) >= _MAX_DEPTH:
            raise self._error(UnsafeArchive, f"its values are nested more than {_MAX_DEPTH} deep")
        self._below.append(self._stack)
        self._stack = []

    def _int(self) -> None:
        line = self._line()
        self._stack.append(line == b"01" if line in (b"00", b"01") else self._whole(line))

    def _long(self) -> None:
        self._stack.append(self._whole(self._line()))

    def _long1(self) -> None:
        self._stack.append(int.from_bytes(self._take(self._number(_BYTE)), "little", signed=True))

    def _memoize(self) -> None:
        self._memo[len(self._memo)] = self._top()

    def _recall(self, index: int) -> None:
        if index not in self._memo:
            raise self._error(CorruptArchive, f"the memo has nothing under {index}")
        self._stack.append(self._memo[index])

    def _tuple(self) -> None:
        items = self._marked()
        self._stack.append(tuple(items))

    def _append(self) -> None:
        item = self._pop()
        self._list().append(item)

    def _appends(self) -> None:
        items = self._marked()
        self._list().extend(items)

    def _set_item(self) -> None:
        value, key = self._pop(), self._pop()
        self._set([key, value])

    def _set_items(self) -> None:
        self._set(self._marked())

    def _set(self, items: list[object]) -> None:
        target = self._top()
        if type(target) is not dict or len(items) % 2:
            raise self._error(CorruptArchive, "it sets items of something else than a dictionary, or not in pairs")
        try:
            for index in range(0, len(items), 2):
                target[_key(items[index])] = items[index + 1]
        except ValueError as error:
            raise self._error(UnsafeArchive, str(error)) from error

    def _global(self) -> None:
        start = self.position - 1
        self._name(self._text(self._line()), self._text(self._line()), start)

    def _stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        if not (isinstance(module, str) and isinstance(name, str) and max(len(module), len(name)) <= _MAX_LINE):
            raise self._error(CorruptArchive, "a name is not made of two short texts")
        self._name(module, name, self.position - 1)

    def _name(self, module: str, name: str, start: int) -> None:
        dotted = f"{module}.{name}"
        if dotted not in self._names:
            raise self._error(UnsafeArchive, f"it names '{dotted}', and only what tensors need is allowed", at=start)
        self._stack.append(self._names[dotted])

    def _reduce(self) -> None:
        arguments, maker = self._pop(), self._pop()
        if not isinstance(maker, Maker):
            raise self._error(UnsafeArchive, f"it calls {_kind(maker)}")
        if not isinstance(arguments, tuple):
            raise self._error(CorruptArchive, f"'{maker.name}' is called with {_kind(arguments)}")
        # The same long list can be given time and again.
        self._charge(sum(len(argument) for argument in arguments[:10] if isinstance(argument, list | tuple)))
        self._stack.append(self._made(lambda: maker.make(arguments)))

    def _build(self) -> None:
        state, target = self._pop(), self._top()
        if type(target) is not dict or type(state) is not dict:
            raise self._error(UnsafeArchive, f"it sets the state of {_kind(target)}")

    def _persistent_id(self) -> None:
        reference = self._pop()
        self._stack.append(self._made(lambda: self._persistent(reference)))

    def _made(self, make: Callable[[], object]) -> object:
        try:
            return make()
        except ValueError as error:
            raise self._error(CorruptArchive, str(error)) from error

    def _list(self) -> list[object]:
        target = self._top()
        if not isinstance(target, list):
            raise self._error(CorruptArchive, f"it appends to {_kind(target)}")
        return target

    def _marked(self) -> list[object]:
        if not self._below:
            raise self._error(CorruptArchive, "a mark is missing")
        items, self._stack = self._stack, self._below.pop()
        return items

    def _top(self) -> object:
        if not self._stack:
            raise self._error(CorruptArchive, "its stack is empty")
        return self._stack[-1]

    def _pop(self) -> object:
        self._top()
        return self._stack.pop()

    def _whole(self, line: bytes) -> int:
        if not _WHOLE.fullmatch(line):
            raise self._error(CorruptArchive, f"{line[:20]!r} is no whole number")
        return int(line.rstrip(b"L"))

    def _line(self) -> bytes:
        end = self._data.find(b"\n", self.position, self.position + _MAX_LINE + 1)
        if end < 0:
            raise self._error(CorruptArchive, f"a line does not end within {_MAX_LINE} bytes")
        line = self._data[self.position : end]
        self.position = end + 1
        return line

    def _text(self, raw: bytes) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise self._error(CorruptArchive, f"a text is not UTF-8: {error.reason}") from error

    def _number(self, layout: Struct) -> int:
        number: int = layout.unpack(self._take(layout.size))[0]
        return number

    def _take(self, size: int) -> bytes:
        if size > len(self._data) - self.position:
            raise self._error(CorruptArchive, "it ends too early", at=len(self._data))
        self.position += size
        return self._data[self.position - size : self.position]

    def _charge(self, steps: int) -> None:
        self._steps += steps
        if self._steps > _MAX_STEPS:
            raise self._error(UnsafeArchive, f"it takes more than {_MAX_STEPS:,} steps")

    def _refusal(self, code: int) -> ArchiveError:
        start = self.position - 1
        if code not in _REFUSED:
            return self._error(CorruptArchive, f"byte 0x{code:02x} is no opcode", at=start)
        name = _REFUSED[code]
        of = f" of '{self._text(self._line())}.{self._text(self._line())}'" if name == "INST" else ""
        return self._error(UnsafeArchive, f"it uses the opcode {name}{of}, which tensors do not need", at=start)

    def _error(self, kind: type[ArchiveError], why: str, *, at: int | None = None) -> ArchiveError:
        return kind("a pickle cannot be read", where=f"{self._label}, byte {self.position if at is None else at}", why=why)


_ACTIONS: dict[int, Callable[[_Machine], None]] = {
    _PROTO: _Machine._protocol,
    _FRAME: _Machine._frame,
    ord("("): _Machine._mark,
    ord("I"): _Machine._int,
    ord("L"): _Machine._long,
    0x8A: _Machine._long1,
    0x94: _Machine._memoize,
    ord("]"): lambda machine: machine._stack.append([]),
    ord("}"): lambda machine: machine._stack.append({}),
    ord("t"): _Machine._tuple,
    ord("a"): _Machine._append,
    ord("e"): _Machine._appends,
    ord("s"): _Machine._set_item,
    ord("u"): _Machine._set_items,
    ord("c"): _Machine._global,
    0x93: _Machine._stack_global,
    ord("R"): _Machine._reduce,
    ord("b"): _Machine._build,
    ord("Q"): _Machine._persistent_id,
}


def _key(value: object) -> str | int:
    """Other keys could take any time to be hashed: tuples of tuples, numbers made to collide."""
    if isinstance(value, str) or (isinstance(value, int) and -_MAX_KEY <= value < _MAX_KEY):
        return value
    raise ValueError(f"a dictionary has {_kind(value)} as a key")


def _kind(value: object) -> str:
    return f"'{value.name}'" if isinstance(value, Maker) else f"a value of type {type(value).__name__}"
