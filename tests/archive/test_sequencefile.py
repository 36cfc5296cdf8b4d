from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubclient.archive.sequencefile import records
from hubclient.errors import CorruptArchive, NotAnArchive, UnsupportedModel
from tests.archive.builders import SYNC, sequence_file, sequence_header
from tests.archive.damage import flips_read, patient, truncations_read


def read(data: bytes) -> list[bytes]:
    return [bytes(view) for _, view in records(data, label="part-00000")]


@patient
@given(st.lists(st.binary(max_size=40), max_size=12), st.integers(0, 4))
def test_what_was_written_is_read(values: list[bytes], sync_every: int) -> None:
    assert read(sequence_file(values, sync_every=sync_every)) == values


def test_records_say_where_they_start() -> None:
    data = sequence_file([b"one", b"two"])
    assert [data[offset : offset + 3] for offset, _ in records(data, label="part")] == [b"one", b"two"]


def test_header_metadata_is_passed_over() -> None:
    long_text = b"\x8f\xc8" + b"v" * 200
    header = sequence_header(metadata=b"\0\0\0\x01" + b"\x01k" + long_text)
    assert read(header + struct.pack(">III", 5, 0, 1) + b"x") == [b"x"]


def test_truncations_are_seen_unless_they_fall_between_records() -> None:
    values = [b"value one", b"", b"value three"]
    data = sequence_file(values, sync_every=2)
    header = len(sequence_header())
    first = header + 20
    whole = [first, first + 12 + 9, first + 12 + 9 + 12, first + 12 + 9 + 12 + 20]
    assert truncations_read(read, data) == [header, *whole]


def test_flipped_bits_raise_nothing_else() -> None:
    flips_read(read, sequence_file([b"value one", b"value two"], sync_every=1))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"SEX\x06", b"\0\0\0\0"])
def test_other_files_are_no_archives(data: bytes) -> None:
    with pytest.raises(NotAnArchive):
        read(data)


@pytest.mark.parametrize("version", [0, 4, 5, 7])
def test_other_versions_are_named(version: int) -> None:
    with pytest.raises(UnsupportedModel, match=f"version {version}"):
        read(b"SEQ" + bytes([version]) + sequence_header()[4:])


@pytest.mark.parametrize(("key", "value"), [("Text", "BytesWritable"), ("NullWritable", "IntWritable")])
def test_other_classes_are_named(key: str, value: str) -> None:
    with pytest.raises(UnsupportedModel, match=r"hadoop\.io\.(Text|IntWritable)"):
        read(sequence_header(key, value))


@pytest.mark.parametrize(("flags", "kind"), [(b"\x01\0", "records"), (b"\x01\x01", "blocks")])
def test_compression_is_refused_by_name(flags: bytes, kind: str) -> None:
    codec = b"\x2aorg.apache.hadoop.io.compress.DefaultCodec"
    with pytest.raises(UnsupportedModel, match=f"{kind} are compressed with org.apache.hadoop.io.compress.DefaultCodec"):
        read(sequence_header(flags=flags, metadata=codec))


@pytest.mark.parametrize(
    "record",
    [
        b"\xff\xff\xff\xff" + b"\0" * 16,
        b"\xff\xff\xff\xff" + SYNC[:15],
        struct.pack(">III", 5, 1, 1) + b"x",
        struct.pack(">III", 6, 0, 1) + b"xy",
        struct.pack(">III", 0x7FFFFFFF, 0, 0x7FFFFFFB),
        struct.pack(">I", 0),
    ],
)
def test_broken_records_are_corrupt(record: bytes) -> None:
    with pytest.raises(CorruptArchive, match="byte"):
        read(sequence_header() + record)


@pytest.mark.parametrize(
    "metadata", [b"\xff\xff\xff\xff", b"\0\0\0\x01\x88\x7f\xff\xff\xff\xff\xff\xff\xff", b"\0\0\0\x01\x90", b"\0\0\0\x01\x80\x01"]
)
def test_broken_headers_are_corrupt(metadata: bytes) -> None:
    with pytest.raises(CorruptArchive):
        read(sequence_header(metadata=metadata))
