from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubclient.archive.bundle import TensorBundle, read_index
from hubclient.errors import CorruptArchive, InconsistentModel, UnsupportedModel
from tests.archive.builders import bundle, bundle_entry, crc, field, shape, string_tensor, table
from tests.archive.damage import flips_read, patient, survives, truncations_read

_ARRAYS: dict[str, np.ndarray[Any, Any]] = {
    "variables/0/.ATTRIBUTES/VARIABLE_VALUE": np.arange(12, dtype=np.float32).reshape(3, 4),
    "variables/1/.ATTRIBUTES/VARIABLE_VALUE": np.array([1, -2], np.int64),
    "variables/10/.ATTRIBUTES/VARIABLE_VALUE": np.array(2.5, np.float32),
    "variables/2/.ATTRIBUTES/VARIABLE_VALUE": np.zeros((0, 7), np.int32),
    "variables/3/.ATTRIBUTES/VARIABLE_VALUE": np.array([[0.5]], np.float16),
}
_NAMES = {key: f"model/layer_{index}/kernel" for index, key in enumerate(_ARRAYS)}


def header(**changes: int) -> tuple[bytes, bytes]:
    return b"", field(1, changes.get("shards", 1)) + field(2, changes.get("endianness", 0))


def read_whole(index: bytes, data: bytes) -> dict[str, np.ndarray[Any, Any]]:
    opened = TensorBundle(index, data)
    return {name: opened.array(key) for name, key in opened.variables().items()}


def one(entry: bytes, data: bytes = b"") -> TensorBundle:
    return TensorBundle(table([header(), (b"a", entry)]), data)


def test_variables_by_their_full_names() -> None:
    index, data = bundle(_ARRAYS, _NAMES)
    found = read_whole(index, data)
    assert found.keys() == set(_NAMES.values())
    for key, name in _NAMES.items():
        np.testing.assert_array_equal(found[name], _ARRAYS[key], strict=True)


def test_without_an_object_graph_keys_are_names() -> None:
    index, data = bundle({"bert/kernel": np.ones(3, np.float32), "global_step": np.array(7, np.int64)})
    assert TensorBundle(index, data).variables() == {"bert/kernel": "bert/kernel", "global_step": "global_step"}


def test_what_the_object_graph_does_not_name_stands_under_its_key() -> None:
    index, data = bundle(_ARRAYS, {key: name for key, name in _NAMES.items() if "10" not in key})
    key = "variables/10/.ATTRIBUTES/VARIABLE_VALUE"
    assert TensorBundle(index, data).variables()[key] == key


def test_two_variables_of_one_name_are_refused() -> None:
    index, data = bundle(_ARRAYS, dict.fromkeys(_ARRAYS, "model/kernel"))
    with pytest.raises(InconsistentModel, match="model/kernel"):
        TensorBundle(index, data).variables()


def test_arrays_are_read_only_views() -> None:
    index, data = bundle(_ARRAYS)
    array = TensorBundle(index, bytearray(data)).array("variables/0/.ATTRIBUTES/VARIABLE_VALUE")
    assert not array.flags.writeable
    assert not array.flags.owndata


def test_entries_say_where_tensors_lie() -> None:
    index, data = bundle(_ARRAYS)
    for key, array in _ARRAYS.items():
        entry = TensorBundle(index, data).entry(key)
        assert data[entry.offset : entry.offset + entry.size] == array.tobytes()
        assert entry.shape == array.shape


def test_bfloat16_is_widened_exactly() -> None:
    values = np.array([1.0, -0.15625, 3.0e38, 0.0], np.float32)
    bits = (values.view(np.uint32) >> 16).astype(np.uint16)
    raw = bits.tobytes()
    widened = one(bundle_entry(14, (4,), 0, raw), raw).array("a")
    np.testing.assert_array_equal(widened, (bits.astype(np.uint32) << 16).view(np.float32), strict=True)


def test_several_data_files() -> None:
    first, second = np.arange(3, dtype=np.int32).tobytes(), np.arange(4, dtype=np.int32).tobytes()
    rows = [header(shards=2), (b"a", bundle_entry(3, (3,), 0, first)), (b"b", bundle_entry(3, (4,), 0, second, shard=1))]
    opened = TensorBundle(table(rows), first, second)
    assert opened.array("b").tolist() == [0, 1, 2, 3]
    with pytest.raises(CorruptArchive, match="2 data files, and 1"):
        TensorBundle(table(rows), first)


@patient
@given(st.lists(st.binary(max_size=300), max_size=8))
def test_string_tensors(strings: list[bytes]) -> None:
    raw, checksum = string_tensor(strings)
    assert one(bundle_entry(7, (len(strings),), 0, raw, checksum=checksum), raw).strings("a") == strings


def test_flipped_bits_in_string_tensors_are_seen() -> None:
    raw, checksum = string_tensor([b"one", b"", b"three" * 40])
    entry = bundle_entry(7, (3,), 0, raw, checksum=checksum)
    assert flips_read(lambda data: one(entry, data).strings("a"), raw) == []
    assert truncations_read(lambda data: one(entry, data).strings("a"), raw) == []


def test_every_truncation_of_the_index_is_seen() -> None:
    index, data = bundle(_ARRAYS, _NAMES)
    assert truncations_read(lambda part: read_whole(part, data), index) == []


def test_every_truncation_of_the_data_is_seen() -> None:
    index, data = bundle(_ARRAYS, _NAMES)
    assert truncations_read(lambda part: read_whole(index, part), data) == []


def test_flipped_bits_in_the_index_are_seen_where_they_matter() -> None:
    index, data = bundle(_ARRAYS, _NAMES)
    expected = read_whole(index, data)

    def wrong(part: bytes) -> None:
        found = read_whole(part, data)
        assert found.keys() == expected.keys()
        for name, array in found.items():
            np.testing.assert_array_equal(array, expected[name], strict=True)

    unnoticed = flips_read(wrong, index)
    # The unused block of the format, the handle to it, and the padding of the footer.
    assert all(position >= len(index) - 48 or _is_meta_block(index, position) for position in unnoticed)


def _is_meta_block(index: bytes, position: int) -> bool:
    offset = index[-48] & 0x7F | index[-47] << 7
    return offset <= position < offset + 13


def test_flipped_bits_in_the_data_are_seen() -> None:
    index, data = bundle(_ARRAYS, _NAMES)
    assert flips_read(lambda part: read_whole(index, part), data) == []


def test_a_wrong_checksum_is_told() -> None:
    raw = np.arange(3, dtype=np.float32).tobytes()
    with pytest.raises(CorruptArchive, match="CRC-32C"):
        one(bundle_entry(1, (3,), 0, raw, checksum=1), raw).array("a")


@pytest.mark.parametrize(
    ("rows", "error", "match"),
    [
        ([], CorruptArchive, "no header"),
        ([(b"a", b"")], CorruptArchive, "no header"),
        ([header(endianness=1)], UnsupportedModel, "big-endian"),
        ([header(shards=0)], CorruptArchive, "0 data files"),
        ([header(shards=-1)], CorruptArchive, "data files"),
        ([header(), (b"\xff", b"")], CorruptArchive, "not text"),
        ([header(), (b"a", b""), (b"a", b"")], CorruptArchive, "twice"),
        ([header(), (b"a", b"\x0b")], CorruptArchive, "BundleEntryProto"),
        ([header(), (b"a", bundle_entry(1, (), 0, b"") + field(7, b""))], UnsupportedModel, "slices"),
        ([header(), (b"a", bundle_entry(1, (-1,), 0, b""))], CorruptArchive, "shape"),
        ([header(), (b"a", bundle_entry(1, (1,) * 40, 0, b"1234"))], CorruptArchive, "shape"),
        ([header(), (b"a", field(2, field(3, 1)))], CorruptArchive, "shape"),
        ([header(), (b"a", bundle_entry(1, (), 0, b"", shard=1))], CorruptArchive, "nowhere"),
        ([header(), (b"a", bundle_entry(1, (), -4, b""))], CorruptArchive, "nowhere"),
        ([header(), (b"a", bundle_entry(1, (), 0, b"") + field(5, -4))], CorruptArchive, "nowhere"),
    ],
)
def test_broken_indexes_are_named(rows: list[tuple[bytes, bytes]], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        read_index(table(rows), label="variables.index")


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        (bundle_entry(1, (3,), 0, b"1234"), CorruptArchive),
        (bundle_entry(1, (1,), 5, b"1234"), CorruptArchive),
        (bundle_entry(1, (1 << 40, 1 << 40), 0, b"1234"), CorruptArchive),
        (bundle_entry(1, (0, 1 << 62, 1 << 62), 0, b""), CorruptArchive),
        (bundle_entry(7, (1,), 0, b"1234"), UnsupportedModel),
        (bundle_entry(8, (1,), 0, b"12345678"), UnsupportedModel),
    ],
)
def test_broken_tensors_are_named(entry: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        one(entry, b"12345678").array("a")


@pytest.mark.parametrize("count", [0, 2, 1 << 40])
def test_string_tensors_of_another_count_are_corrupt(count: int) -> None:
    raw, checksum = string_tensor([b"text"])
    with pytest.raises(CorruptArchive):
        one(bundle_entry(7, (count,), 0, raw, checksum=checksum), raw).strings("a")


def test_strings_and_numbers_are_not_confused() -> None:
    with pytest.raises(CorruptArchive, match="no strings"):
        one(bundle_entry(1, (1,), 0, b"1234"), b"1234").strings("a")


def test_unknown_keys_are_named() -> None:
    with pytest.raises(CorruptArchive, match="'b'"):
        one(bundle_entry(1, (1,), 0, b"1234"), b"1234").array("b")


@pytest.mark.parametrize(("compression", "name"), [(1, "snappy"), (2, "number 2")])
def test_compressed_indexes_are_refused_by_name(compression: int, name: str) -> None:
    with pytest.raises(UnsupportedModel, match=name):
        read_index(table([header()], compression=compression), label="variables.index")


def test_hostile_blocks_stay_inside() -> None:
    magic = struct.pack("<Q", 0xDB4775248B80FB57)
    for contents in (b"\x05\0\0" + bytes(8), b"\0\x7f\x7f", b"\0\0\xff\xff\xff\x7f" + bytes(8), b"\xff" * 20, struct.pack("<I", 1 << 30)):
        data = contents + b"\0" + struct.pack("<I", crc(contents + b"\0"))
        footer = (b"\0\0\0" + bytes([len(contents)])).ljust(40, b"\0") + magic
        with pytest.raises(CorruptArchive):
            read_index(data + footer, label="variables.index")


@patient
@given(st.binary(min_size=40, max_size=40), st.binary(max_size=100))
def test_noise_raises_nothing_else(footer: bytes, content: bytes) -> None:
    survives(lambda data: read_index(data, label="variables.index"), content + footer + struct.pack("<Q", 0xDB4775248B80FB57))
    survives(lambda data: one(field(1, 1) + field(2, shape(1)) + data), content)
