"""Hadoop's SequenceFile, version 6, as Spark's `saveAsObjectFile` writes it: records of (NullWritable, BytesWritable), uncompressed.

Strategy: one pass; a header, then records, each with its length, and now and then a sync marker that must equal the header's.

Source: org.apache.hadoop.io.SequenceFile (its class comment draws the layout), WritableUtils.readVInt, BytesWritable, Text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubclient.errors import CorruptArchive, NotAnArchive, UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC = b"SEQ"
_VERSION = 6
_KEY = b"org.apache.hadoop.io.NullWritable"
_VALUE = b"org.apache.hadoop.io.BytesWritable"
_SYNC_SIZE = 16
_SYNC_ESCAPE = 0xFFFFFFFF
_MAX_METADATA = 1_000


def records(data: bytes, *, label: str) -> Iterator[tuple[int, memoryview]]:
    """The value of every record, in order: where it starts, and a view of it. `label` names the file in errors."""
    position, sync = _header(data, label)
    view = memoryview(data)
    while position < len(data):
        length, position = _int(data, position, label)
        if length == _SYNC_ESCAPE:
            marker = data[position : position + _SYNC_SIZE]
            if marker != sync:
                raise _corrupt("a sync marker is damaged", label, position)
            position += _SYNC_SIZE
            continue
        end = position + 4 + length
        key, position = _int(data, position, label)
        size, position = _int(data, position, label)
        if key != 0 or size + 4 != length or end > len(data):
            raise _corrupt(f"a record of {length} bytes (key {key}, value {size}) does not fit", label, position)
        yield position, view[position:end]
        position = end


def _header(data: bytes, label: str) -> tuple[int, bytes]:
    if data[:3] != _MAGIC[: len(data)] or not data:
        raise NotAnArchive("this is no Hadoop SequenceFile", where=label, why=f"it starts with {bytes(data[:4])!r}")
    version = data[3:4]
    if version and version[0] != _VERSION:
        raise UnsupportedModel(f"SequenceFile version {version[0]} cannot be read", where=label, hint=f"version {_VERSION} is")
    position = 4
    for expected in (_KEY, _VALUE):
        name, position = _text(data, position, label)
        if name != expected:
            raise UnsupportedModel(
                f"a SequenceFile of {name.decode(errors='replace')} cannot be read", where=label, why=f"expected {expected.decode()}"
            )
    flags, position = _take(data, position, 2, label)
    if flags != b"\0\0":
        raise UnsupportedModel("a compressed SequenceFile cannot be read", where=label, why=_compression(data, flags, position, label))
    count, position = _int(data, position, label)
    if count > _MAX_METADATA:
        raise _corrupt(f"the header claims {count} metadata entries", label, position)
    for _ in range(2 * count):
        _, position = _text(data, position, label)
    sync, position = _take(data, position, _SYNC_SIZE, label)
    return position, sync


def _compression(data: bytes, flags: bytes, position: int, label: str) -> str:
    codec, _ = _text(data, position, label)
    return f"its {'blocks' if flags[1] else 'records'} are compressed with {codec.decode(errors='replace')}"


def _text(data: bytes, position: int, label: str) -> tuple[bytes, int]:
    length, position = _vint(data, position, label)
    return _take(data, position, length, label)


def _vint(data: bytes, position: int, label: str) -> tuple[int, int]:
    """Hadoop's variable-length integer: one byte, or a byte that says how many big-endian bytes follow. Lengths are never negative."""
    head, position = _take(data, position, 1, label)
    first = head[0] - 256 if head[0] > 127 else head[0]
    if first >= 0:
        return first, position
    if not -120 <= first < -112:
        raise _corrupt("a length is negative", label, position - 1)
    raw, position = _take(data, position, -112 - first, label)
    return int.from_bytes(raw, "big"), position


def _int(data: bytes, position: int, label: str) -> tuple[int, int]:
    raw, position = _take(data, position, 4, label)
    return int.from_bytes(raw, "big"), position


def _take(data: bytes, position: int, size: int, label: str) -> tuple[bytes, int]:
    end = position + size
    if end > len(data):
        raise _corrupt("the file ends too early", label, len(data))
    return data[position:end], end


def _corrupt(what: str, label: str, position: int) -> CorruptArchive:
    return CorruptArchive(f"a SequenceFile cannot be read: {what}", where=f"{label}, byte {position}", hint="fetch the archive again")
