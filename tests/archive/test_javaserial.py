from __future__ import annotations

import random
import re
import struct
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubclient.archive.javaserial import Reader
from hubclient.archive.modifiedutf8 import decode
from hubclient.archive.sequencefile import records
from hubclient.errors import CorruptArchive, UnsafeArchive
from tests.archive.builders import DEMO, JavaWriter, modified_utf8, utf
from tests.archive.damage import flips_read, patient, truncations_read

_HEADER = b"\xac\xed\x00\x05"
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_numbers = st.integers(-(1 << 31), (1 << 31) - 1)
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | _texts, lambda inner: st.tuples(inner, inner), max_leaves=20
)


def read(data: bytes) -> Any:
    return Reader("part-00000").read(data)


def described(name: str, flags: int = 2, fields: bytes = b"\0\0", end: bytes = b"xp") -> bytes:
    return b"r" + utf(name) + bytes(8) + bytes([flags]) + fields + end


@patient
@given(st.lists(st.tuples(_values, _values), max_size=12))
def test_what_was_written_is_read(entries: list[tuple[object, object]]) -> None:
    assert read(JavaWriter().write(entries)) == entries


@patient
@given(st.lists(st.lists(st.tuples(_texts, _numbers), max_size=4), max_size=4))
def test_one_reader_reads_many_streams(streams: list[list[tuple[str, int]]]) -> None:
    reader = Reader("part-00000")
    assert [reader.read(JavaWriter().write(list(entries))) for entries in streams] == streams


def test_a_known_description_that_refers_backwards_is_read_anew() -> None:
    integer = described("java.lang.Integer", fields=b"\0\x01I" + utf("value"), end=b"x" + described("java.lang.Number"))
    array = b"u" + described("[Ljava.lang.Object;")
    number = b"s" + integer + b"\0\0\0\x07"
    long = described("java.lang.Long", fields=b"\0\x01J" + utf("value"), end=b"xq\0\x7e\0\x03")
    good = _HEADER + array + b"\0\0\0\x02" + number + b"s" + long + bytes(7) + b"\x08"
    text_there = _HEADER + array + b"\0\0\0\x04" + b"t\0\0" * 3 + b"s" + long + bytes(8)
    reader = Reader("part-00000")
    assert reader.read(good) == [7, 8]
    with pytest.raises(CorruptArchive):
        reader.read(text_there)


def test_shared_numbers_and_strings_come_by_reference() -> None:
    data = JavaWriter().write([("a", 5), ("b", 5), ("a", 6)])
    assert data.count(b"\0\0\0\x05") == 1
    assert read(data) == [("a", 5), ("b", 5), ("a", 6)]


def test_arrays_of_primitives() -> None:
    assert read(_HEADER + b"u" + described("[I") + b"\0\0\0\x02" + struct.pack(">ii", -1, 7)) == [-1, 7]
    assert read(_HEADER + b"u" + described("[D") + b"\0\0\0\x01" + struct.pack(">d", 0.25)) == [0.25]


def test_long_strings_have_eight_bytes_of_length() -> None:
    text = "é" * 40_000
    assert read(JavaWriter().write([(text, text)])) == [(text, text)]


@pytest.mark.parametrize("text", ["", "plain", "\0", "a\0b", "é", "漢字", "😀", "a😀\0𐍈z", "\uffff", "\ud7ff\ue000"])
def test_modified_utf8(text: str) -> None:
    assert decode(modified_utf8(text)) == text


@pytest.mark.parametrize(
    "raw",
    [b"\xf0\x9f\x98\x80", b"\xed\xa0\xbd", b"\xed\xb8\x80\xed\xa0\xbd", b"\xc1\x81", b"\xe2\x82", b"\x80", b"\xff"],
    ids=lambda raw: raw.hex(),
)
def test_what_is_no_modified_utf8_is_corrupt(raw: bytes) -> None:
    with pytest.raises(CorruptArchive, match="not text"):
        read(_HEADER + b"t" + struct.pack(">H", len(raw)) + raw)


def test_every_truncation_is_corrupt() -> None:
    data = JavaWriter().write([("token", 1), ("tok\0en😀", 2), (("a", "b"), 3), ("x", 1 << 40), ("y", True), ("z", 0.5)])
    assert truncations_read(read, data) == []
    assert not [length for length in range(len(data)) if not _is_corrupt(data[:length])]


def _is_corrupt(data: bytes) -> bool:
    with pytest.raises(CorruptArchive, match="byte") as caught:
        read(data)
    return caught.value.where is not None


def test_flipped_bits_raise_nothing_else() -> None:
    flips_read(read, JavaWriter().write([("token", 1), (("a", "b"), 3), ("x", 1 << 40)]))


@patient
@given(st.binary(max_size=200), st.integers(0, 1 << 32))
def test_noise_raises_nothing_else(noise: bytes, seed: int) -> None:
    data = bytearray(JavaWriter().write([("token", 1), (("a", "b"), 3)]))
    start = random.Random(seed).randrange(len(data))
    data[start : start + len(noise)] = noise
    flips_read(read, bytes(data), every=50)


@pytest.mark.parametrize(
    "name",
    [
        "java.util.HashMap",
        "java.lang.Runtime",
        "org.apache.commons.collections.functors.InvokerTransformer",
        "[Ljava.util.HashMap;",
        "[[I",
        "",
        "[",
    ],
)
def test_classes_that_are_not_listed_are_named(name: str) -> None:
    tag = b"u" if name.startswith("[") else b"s"
    with pytest.raises(UnsafeArchive, match="not allowed") as caught:
        read(_HEADER + tag + described(name) + bytes(16))
    assert f"'{name}'" in str(caught.value)


@pytest.mark.parametrize("tag", [0x76, 0x77, 0x79, 0x7A, 0x7B, 0x7D, 0x7E])
def test_other_content_is_unsafe(tag: int) -> None:
    with pytest.raises(UnsafeArchive, match="not allowed"):
        read(_HEADER + bytes([tag]) + bytes(16))


@pytest.mark.parametrize("flags", [0, 1, 3, 4, 8, 12, 0x12])
def test_classes_with_code_of_their_own_are_unsafe(flags: int) -> None:
    with pytest.raises(UnsafeArchive, match="its own way"):
        read(_HEADER + b"s" + described("java.lang.Integer", flags=flags))


def test_annotated_classes_are_unsafe() -> None:
    with pytest.raises(UnsafeArchive, match="annotated"):
        read(_HEADER + b"s" + described("scala.Tuple2", end=b"w\x01\0xp"))


@pytest.mark.parametrize(
    "description",
    [
        described("scala.Tuple2"),
        described("java.lang.Integer", fields=b"\0\x01J" + utf("value")),
        described("java.lang.Integer", fields=b"\0\x01I" + utf("value")),
        described("java.lang.Boolean", fields=b"\0\x01Z" + utf("value"), end=b"x" + described("java.lang.Number")),
        described("java.lang.Boolean", fields=b"\0\x01?" + utf("value")),
        described("java.lang.Number"),
        b"p",
        b"q\0\x7e\0\0",
        b"t\0\0",
    ],
)
def test_classes_of_another_make_are_corrupt(description: bytes) -> None:
    with pytest.raises(CorruptArchive):
        read(_HEADER + b"s" + description + bytes(32))


def test_an_object_that_contains_itself_is_unsafe() -> None:
    data = JavaWriter().write([("a", "b")])
    index = data.index(b"t\0\x01a")
    for handle in (1, 4):
        with pytest.raises(UnsafeArchive, match="contains itself"):
            read(data[:index] + struct.pack(">BI", 0x71, 0x7E0000 + handle) + data[index + 4 :])


@pytest.mark.parametrize("handle", [0x7E0100, 0, 0xFFFFFFFF, 0x7DFFFF])
def test_references_that_lead_nowhere_are_corrupt(handle: int) -> None:
    with pytest.raises(CorruptArchive, match="reference"):
        read(_HEADER + b"q" + struct.pack(">I", handle))


def test_giant_arrays_and_strings_are_refused_before_they_are_made() -> None:
    for code in ("[D", "[Lscala.Tuple2;"):
        with pytest.raises(CorruptArchive, match="does not fit"):
            read(_HEADER + b"u" + described(code) + b"\xff\xff\xff\xff" + bytes(100))
    with pytest.raises(UnsafeArchive, match="longer than allowed"):
        read(_HEADER + b"|" + b"\x7f" + b"\xff" * 7)
    with pytest.raises(CorruptArchive, match="too early"):
        read(_HEADER + b"t\xff\xffabc")


def test_deep_nesting_is_unsafe() -> None:
    fields = b"\0\x02L" + utf("_1") + b"t\0\0" + b"L" + utf("_2") + b"t\0\0"
    with pytest.raises(UnsafeArchive, match="nested"):
        read(_HEADER + b"s" + described("scala.Tuple2", fields=fields) + b"sq\0\x7e\0\0" * 100_000)


def test_deep_superclasses_are_refused() -> None:
    with pytest.raises((UnsafeArchive, CorruptArchive)):
        read(_HEADER + b"s" + (b"r" + utf("java.lang.Number") + bytes(8) + b"\x02\0\0x") * 100_000)


def test_bytes_behind_the_value_are_corrupt() -> None:
    with pytest.raises(CorruptArchive, match="left behind"):
        read(JavaWriter().write([("a", 1)]) + b"p")


def test_the_embedded_model_reads_as_another_reader_reads_it() -> None:
    oracle = pytest.importorskip("javaobj")
    with zipfile.ZipFile(DEMO) as archive:
        parts = [archive.read(name) for name in archive.namelist() if re.fullmatch(r"fields/\w+/part-\d+", name)]
    streams = [bytes(view) for part in parts for _, view in list(records(part, label="part"))[:10]]
    reader = Reader("part")
    assert len(streams) == 24
    for stream in streams:
        assert reader.read(stream) == [(_plain(pair._1), _plain(pair._2)) for pair in oracle.loads(stream)]


def _plain(value: Any) -> str | int:
    return int(value.value) if hasattr(value, "value") else str(value)


def test_errors_count_bytes_from_the_start_of_the_file() -> None:
    with pytest.raises(CorruptArchive, match="labels/part-00000, byte 1004"):
        Reader("labels/part-00000").read(_HEADER + b"\x01", offset=1000)
