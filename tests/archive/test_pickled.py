"""Pickles as data: what plain values need is read as Python reads it, and nothing that a file names is ever imported or called."""

from __future__ import annotations

import io
import math
import os
import pickle
import pickletools
import struct
import subprocess
import sys
import time
import tracemalloc
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hubclient.archive.pickled import Maker, ordered_dict, read_pickle
from hubclient.archive.torchfile import read_torch_file
from hubclient.archive.torchobjects import NAMES, Storages
from hubclient.errors import ArchiveError, CorruptArchive, HubError, UnsafeArchive
from tests.archive.damage import flips_read, patient, truncations_read

_NAMES: dict[str, object] = {"collections.OrderedDict": Maker("collections.OrderedDict", ordered_dict), "torch.float32": "a type"}
_HIGH = 5


def _refuse(reference: object) -> object:
    raise ValueError("no persistent ids here")


def read(data: bytes) -> Any:
    value, end = read_pickle(data, names=_NAMES, persistent=_refuse, label="data.pkl")
    assert end <= len(data)
    return value


_keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.integers(-1000, 1000)
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 100), 1 << 100) | st.floats(allow_nan=False) | _keys,
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner) | st.tuples(inner, inner, inner, inner) | st.dictionaries(_keys, inner),
    max_leaves=30,
)


@patient
@given(_values, st.integers(1, _HIGH))
def test_plain_values_are_what_python_reads(value: object, protocol: int) -> None:
    data = pickle.dumps(value, protocol)
    assert repr(read(data)) == repr(value)


@patient
@given(st.dictionaries(_keys, _values), st.integers(1, _HIGH))
def test_ordered_dictionaries_and_their_attributes(value: dict[Any, object], protocol: int) -> None:
    ordered = OrderedDict(value)
    ordered._metadata = {"version": 1}  # type: ignore[attr-defined]
    assert list(read(pickle.dumps([ordered, ordered], protocol))[0].items()) == list(value.items())


def test_an_object_that_is_there_twice_is_one() -> None:
    shared: list[object] = [1, "a"]
    first, second = read(pickle.dumps((shared, shared)))
    assert first is second


def test_a_list_in_itself_is_read_and_harmless() -> None:
    value: list[object] = []
    value.append(value)
    read(pickle.dumps(value))


def test_numbers_that_are_none() -> None:
    assert math.isnan(read(pickle.dumps(math.nan)))


def test_a_pickle_within_a_file() -> None:
    data = b"xx" + pickle.dumps(1, 2) + pickle.dumps("two", 4)
    value, end = read_pickle(data, names={}, persistent=_refuse, label="f", start=2)
    assert (value, read_pickle(data, names={}, persistent=_refuse, label="f", start=end)) == (1, ("two", len(data)))


class Evil:
    """Pickled as a call."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


class EvilState:
    """Pickled as an object with a state that is a call."""

    def __init__(self, inner: object) -> None:
        self.inner = inner


def short(word: str) -> bytes:
    return b"\x8c" + bytes([len(word)]) + word.encode()


def attacks(marker: Path) -> dict[str, bytes]:
    """Pickles that write the file `marker` when Python reads them."""
    shell, code = f"touch '{marker}'", f"open({str(marker)!r}, 'w').close()"
    text = b"X" + struct.pack("<I", len(shell)) + shell.encode()
    call = b"(" + text + b"tR"
    system = short(os.system.__module__) + short("system")
    made = {
        f"{name} {protocol}": pickle.dumps(value, protocol)
        for protocol in range(_HIGH + 1)
        for name, value in {
            "system": Evil(os.system, shell),
            "eval": Evil(eval, code),
            "exec": Evil(exec, code),
            "open": Evil(open, str(marker), "w"),
            "subprocess": Evil(subprocess.check_call, ["touch", str(marker)]),
            "in a dict": {"weight": 1, "bias": Evil(exec, code)},
            "in a list": [Evil(exec, code)],
            "in a tuple": ((Evil(exec, code),),),
            "in a state": EvilState(Evil(exec, code)),
            "attribute of an OrderedDict": _with_attribute(Evil(exec, code)),
        }.items()
    }
    return made | {
        "global": b"cos\nsystem\n" + call + b".",
        "posix": b"cposix\nsystem\n" + call + b".",
        "builtin of Python 2": b"c__builtin__\nexec\n(" + b"X" + struct.pack("<I", len(code)) + code.encode() + b"tR.",
        "inst": b"(S" + repr(shell).encode() + b"\nios\nsystem\n.",
        "inst of text": b"(" + text + b"ios\nsystem\n.",
        "obj": b"(cos\nsystem\n" + text + b"o.",
        "stack global": b"\x80\x04" + system + b"\x93" + call + b".",
        "stack global from the memo": b"\x80\x04]"
        + short("posix")
        + b"\x94a"
        + short("system")
        + b"\x94"
        + b"0h\x00h\x01\x93"
        + call
        + b".",
        "stack global from the memo, no pop": b"\x80\x04"
        + short("posix")
        + b"q\x05"
        + short("system")
        + b"q\x06"
        + b"h\x05h\x06\x93"
        + call
        + b"00.",
        "dotted": b"\x80\x04" + short("collections") + short("abc.sys.modules") + b"\x93.",
        "through an allowed module": b"\x80\x04" + short("torch") + short("serialization.os.system") + b"\x93" + call + b".",
        "newobj": b"\x80\x02csubprocess\nPopen\n(]" + b"".join(short(word) + b"a" for word in ("touch", str(marker))) + b"t\x81.",
        "newobj_ex": b"\x80\x04csubprocess\nPopen\n(]" + b"".join(short(word) + b"a" for word in ("touch", str(marker))) + b"t}\x92.",
        "copyreg": b"ccopyreg\n_reconstructor\n(csubprocess\nPopen\nc__builtin__\nobject\nNtR.",
        "getattr": b"cbuiltins\ngetattr\n(cos\n__name__\n" + short("x") + b"tR.",
        "extension": b"\x80\x02\x82\x01" + call + b".",
        "in front of the value": b"cos\nsystem\n" + call + b"0}.",
        "as a key": b"}cos\nsystem\n" + call + b"Ns.",
        "codecs": b"c_codecs\nencode\n(" + text + b"tR.",
        "setstate": b"ccollections\nOrderedDict\n)R}" + short("__setstate__") + b"cos\nsystem\nsb" + text + b"b.",
        "torch itself": b"ctorch.hub\n_get_torch_home\n)R.",
        "load": b"ctorch.serialization\nload\n(" + text + b"tR.",
        "numpy": b"cnumpy.core.multiarray\n_reconstruct\n)R.",
    }


def _with_attribute(value: object) -> OrderedDict[str, int]:
    made = OrderedDict(a=1)
    made._metadata = value  # type: ignore[attr-defined]
    return made


ATTACKS = tuple(attacks(Path("marker")))


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_by_name_and_nothing_runs(name: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    data = attacks(marker)[name]
    with pytest.raises(UnsafeArchive, match="byte") as caught:
        read(data)
    assert not marker.exists()
    assert any(word in str(caught.value) for word in ("it names '", "the opcode "))


@pytest.mark.parametrize(
    "name", [name for name in ATTACKS if name.startswith(("system", "open", "in a", "attribute", "stack global from the memo,"))]
)
def test_python_would_have_run_it(name: str, tmp_path: Path) -> None:
    """The attacks above do harm where they can: the test that nothing ran is not an idle one."""
    marker = tmp_path / "marker"
    data = attacks(marker)[name]
    program = f"import pickle, sys; sys.path.insert(0, '.')\ntry:\n pickle.loads({data!r})\nexcept Exception:\n pass"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])
    assert marker.exists()


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("container", ["zip", "legacy", "keys", "sys_info", "magic"])
def test_an_attack_in_a_file_of_weights_is_refused(name: str, container: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    attack = attacks(marker)[name]
    file = io.BytesIO()
    if container == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("archive/data.pkl", attack)
    else:
        values: tuple[object, ...] = (0x1950A86A20F9469CFC6C, 1001, {}, {}, [])
        parts = [pickle.dumps(value, 2) for value in values]
        parts[("magic", "", "sys_info", "legacy", "keys").index(container)] = attack if attack[:1] == b"\x80" else b"\x80\x02" + attack
        file.write(b"".join(parts))
    data = file.getvalue()
    with pytest.raises(UnsafeArchive):
        read_torch_file(io.BytesIO(data), memoryview(data), "pytorch_model.bin")
    assert not marker.exists()


def test_nothing_is_imported_by_reading() -> None:
    """Not even what may be named: torch is not loaded, nor Python's unpickler."""
    program = (
        "import sys; from hubclient.archive import pickled, torchobjects\n"
        "before = set(sys.modules)\n"
        "data = b'\\x80\\x02}(X\\x01\\x00\\x00\\x00actorch\\nSize\\n((K\\x01K\\x02ttRu.'\n"
        "value, _ = pickled.read_pickle(data, names=torchobjects.NAMES, persistent=torchobjects.Storages(), label='f')\n"
        "assert value == {'a': (1, 2)}, value\n"
        "assert set(sys.modules) == before, set(sys.modules) - before\n"
        "assert not {'torch', 'pickle', '_pickle'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])


def test_every_opcode_is_read_or_refused_by_name() -> None:
    for opcode in pickletools.opcodes:
        with pytest.raises(ArchiveError) as caught:
            read(b"\x80\x04" + opcode.code.encode("latin-1"))
        assert "is no opcode" not in str(caught.value), opcode.name
    known = {opcode.code.encode("latin-1") for opcode in pickletools.opcodes}
    for byte in {bytes([code]) for code in range(256)} - known:
        with pytest.raises(CorruptArchive, match="is no opcode"):
            read(byte)


@pytest.mark.parametrize(
    ("data", "error", "why"),
    [
        (b"", CorruptArchive, "too early"),
        (b".", CorruptArchive, "0 values"),
        (b"NN.", CorruptArchive, "2 values"),
        (b"N(.", CorruptArchive, "values"),
        (b"\x80\x06N.", CorruptArchive, "protocol 6"),
        (b"\x80\x04\x95" + struct.pack("<Q", 1 << 60) + b"N.", CorruptArchive, "frame"),
        (b"X\xff\xff\xff\xffa.", CorruptArchive, "too early"),
        (b"T\xff\xff\xff\xffa.", CorruptArchive, "too early"),
        (b"X\x01\0\0\0\xff.", CorruptArchive, "UTF-8"),
        (b"U\x01\xff.", CorruptArchive, "UTF-8"),
        (b"K\x01\x85e.", CorruptArchive, "mark"),
        (b"u.", CorruptArchive, "mark"),
        (b"t.", CorruptArchive, "mark"),
        (b"\x86.", CorruptArchive, "empty"),
        (b"N(\x85.", CorruptArchive, "empty"),
        (b"q\0.", CorruptArchive, "empty"),
        (b"\x94.", CorruptArchive, "empty"),
        (b"h\x07.", CorruptArchive, "memo"),
        (b"j\xff\xff\xff\xff.", CorruptArchive, "memo"),
        (b")Na.", CorruptArchive, "appends"),
        (b"}Na.", CorruptArchive, "appends"),
        (b"](Ns.", CorruptArchive, "empty"),
        (b"]NNs.", CorruptArchive, "dictionary"),
        (b"}(Nu.", CorruptArchive, "pairs"),
        (b"})Ns.", UnsafeArchive, "as a key"),
        (b"}]Ns.", UnsafeArchive, "as a key"),
        (b"}G\0\0\0\0\0\0\0\0Ns.", UnsafeArchive, "as a key"),
        (b"}J\xff\xff\xff\x7f\x8a\x06\0\0\0\0\0\x01s\x8a\x06\0\0\0\0\0\x01Ns.", UnsafeArchive, "as a key"),
        (b"]}b.", UnsafeArchive, "state"),
        (b"}Nb.", UnsafeArchive, "state"),
        (b"N)R.", UnsafeArchive, "calls"),
        (b"}}R.", UnsafeArchive, "calls"),
        (b"ctorch\nfloat32\n)R.", UnsafeArchive, "calls"),
        (b"ccollections\nOrderedDict\nNR.", CorruptArchive, "called with"),
        (b"ccollections\nOrderedDict\n(NtR.", CorruptArchive, "list of pairs"),
        (b"ccollections\nOrderedDict\n(]]tR.", CorruptArchive, "list of pairs"),
        (b"ccollections\nOrderedDict\n(]NatR.", CorruptArchive, "pairs"),
        (b"ccollections\nOrderedDict\n(]()NtatR.", CorruptArchive, "as a key"),
        (b"ccollections\nOrderedDict\n)\x81.", UnsafeArchive, "NEWOBJ"),
        (b"NQ.", CorruptArchive, "persistent"),
        (b"P0\n.", UnsafeArchive, "PERSID"),
        (b"I1_0\n.", CorruptArchive, "whole number"),
        (b"L" + b"9" * 100 + b"L\n.", CorruptArchive, "whole number"),
        (b"I" + b"1" * 300 + b"\n.", CorruptArchive, "does not end"),
        (b"c" + b"m" * 300 + b"\nn\n.", CorruptArchive, "does not end"),
        (b"\x80\x04X" + struct.pack("<I", 300) + b"m" * 300 + b"\x8c\x01n\x93.", CorruptArchive, "short texts"),
        (b"\x80\x04N\x8c\x01n\x93.", CorruptArchive, "short texts"),
        (b"(" * 200 + b".", UnsafeArchive, "nested"),
    ],
)
def test_what_is_no_pickle_of_ours(data: bytes, error: type[HubError], why: str) -> None:
    with pytest.raises(error) as caught:
        read(data)
    assert why in str(caught.value)
    assert "data.pkl, byte" in str(caught.value)


def test_a_name_is_refused_before_what_follows_is_read() -> None:
    with pytest.raises(UnsafeArchive, match=r"byte 2\n.*it names 'os\.system'"):
        read(b"\x80\x02cos\nsystem\n\xff\xff\xff")


def refused_or_read(data: bytes) -> None:
    with suppress(HubError):
        read_pickle(data, names=NAMES, persistent=_refuse, label="data.pkl")


BOMBS = {
    "lists": b"]" * 5_000_000,
    "dictionaries": b"}" * 5_000_000,
    "marks": b"(" * 5_000_000,
    "nested": b"N" + b"\x85" * 999_000 + b".",
    "doubled": b"]" + b"q\0h\0h\0\x86" * 240_000 + b".",
    "appended": b"]q\0" + b"(h\0h\0h\0h\0e" * 160_000 + b".",
    "memo": b"]" + b"".join(b"r" + struct.pack("<I", index * 4099 % (1 << 32)) for index in range(900_000)) + b".",
    "keys": b"}(" + b"".join(b"J" + struct.pack("<i", index << 12) + b"N" for index in range(300_000)) + b"u.",
    "one list for many": b"](" + b"(K\x01Nt" * 100_000 + b"e\x85q\0" + b"ccollections\nOrderedDict\nq\x01" + b"h\x01h\0R" * 100_000 + b".",
    "one text for many": b"X" + struct.pack("<I", 4_000_000) + b"a" * 4_000_000 + b"q\0" + b"h\0h\0\x93" * 10 + b".",
    "lines": b"L" * 10_000_000,
    "names": b"c" * 10_000_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_take_little_time(name: str) -> None:
    start = time.process_time()
    refused_or_read(BOMBS[name])
    assert time.process_time() - start < 20


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_take_little_memory(name: str) -> None:
    tracemalloc.start()
    try:
        refused_or_read(BOMBS[name])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 200 << 20


_opcode = st.sampled_from([opcode.code.encode("latin-1") for opcode in pickletools.opcodes])
_piece = st.one_of(
    st.sampled_from(
        [b"(", b")", b"]", b"}", b"N", b"\x88", b"t", b"\x85", b"\x86", b"a", b"s", b"u", b"e", b"R", b"b", b"Q", b"q\0", b"h\0", b"\x94"]
    ),
    st.sampled_from(sorted(NAMES)).map(lambda name: b"c" + "\n".join(name.rsplit(".", 1)).encode() + b"\n"),
    st.integers(0, 255).map(lambda value: b"K" + bytes([value])),
    st.text("abc", max_size=3).map(lambda word: b"X" + struct.pack("<I", len(word)) + word.encode()),
    st.just(b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x04NtQ"),
    _opcode,
    st.binary(max_size=4),
)


@settings(patient, max_examples=500)
@given(st.lists(_piece, max_size=40))
@example([b"]", b"q\0", b"h\0", b"a"])
def test_random_opcodes_raise_nothing_else(pieces: list[bytes]) -> None:
    with suppress(HubError):
        read_pickle(b"".join(pieces) + b".", names=NAMES, persistent=Storages(), label="data.pkl")


@patient
@given(st.binary(max_size=100))
def test_noise_raises_nothing_else(noise: bytes) -> None:
    with suppress(HubError):
        read(noise)


def test_truncations_and_flips_raise_nothing_else() -> None:
    data = pickle.dumps({"a": [1, 2.5, (True, None)], "b": OrderedDict(c=1 << 40), "d": "text"}, 2)
    assert truncations_read(read, data) == []
    flips_read(read, data)
