"""TensorFlow's tensor bundle: the variables of a model, by name, in place.

Strategy: `variables.index` is a small LevelDB-style table (key -> BundleEntryProto), read whole and checked block by block;
`variables.data-?????-of-?????` holds the tensors one behind the other, little-endian, and is only viewed, never copied, so that it may
be a memory map of any size. Every tensor has its own checksum, verified when it is asked for.

Source: tensorflow/core/util/tensor_bundle/tensor_bundle.{h,cc}, tensorflow/core/lib/io/{format,block,table_format.txt},
tensorflow/core/protobuf/tensor_bundle.proto.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Protocol

from hubclient.archive import dtypes
from hubclient.archive.protobuf import BundleEntry, parse_bundle_entry, parse_bundle_header, parse_object_graph
from hubclient.errors import CorruptArchive, InconsistentModel, UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Buffer

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_TRAILER = 5
_COMPRESSIONS = {1: "snappy"}
_MAX_RANK = 32  # numpy's own bound before version 2


@dataclass(frozen=True)
class Entry:
    """Where a tensor lies: `offset` and `size` in bytes within its shard; `dtype` is TensorFlow's number."""

    key: str
    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int


class TensorBundle:
    """The tensors of a bundle.

    `shards` are the data files in order, as buffers (a memory map, bytes); arrays are read-only views of them, so keep them open.
    """

    def __init__(self, index: bytes, *shards: Buffer, label: str = "variables") -> None:
        self.label = label
        self._shards = tuple(memoryview(shard).cast("B").toreadonly() for shard in shards)
        count, self._entries = read_index(index, label=f"{label}.index")
        if count != len(shards):
            raise CorruptArchive(f"the tensor bundle {label} has {count} data files, and {len(shards)} were found", where=label)

    def keys(self) -> tuple[str, ...]:
        return tuple(self._entries)

    def entry(self, key: str) -> Entry:
        if key not in self._entries:
            raise CorruptArchive(f"the tensor bundle {self.label} has no tensor '{key}'", where=self.label)
        return self._entries[key]

    def array(self, key: str, *, verify: bool = True) -> NDArray[np.generic]:
        """The tensor as a read-only view of its shard, its checksum compared; bfloat16 alone is copied, widened to float32."""
        import numpy as np

        entry = self.entry(key)
        where = self._where(entry)
        stored = dtypes.stored_type(entry.dtype, where)
        if entry.size != prod(entry.shape) * stored.itemsize:
            raise CorruptArchive(f"tensor '{key}' has {entry.size} bytes, which do not make {entry.shape} of {stored}", where=where)
        raw = self._raw(entry)
        if verify and _masked_crc(raw) != entry.checksum:
            raise _damaged(f"tensor '{key}'", where)
        try:
            array = np.frombuffer(raw, stored).reshape(entry.shape)
        except ValueError as error:
            raise CorruptArchive(f"tensor '{key}' has an impossible shape {entry.shape}", where=where, why=str(error)) from error
        return dtypes.widened(array) if entry.dtype == dtypes.BFLOAT16 else array

    def strings(self, key: str) -> list[bytes]:
        """The elements of a string tensor, in row-major order: lengths as varints, a checksum of them, then the bytes."""
        entry = self.entry(key)
        if entry.dtype != dtypes.STRING:
            raise CorruptArchive(f"tensor '{key}' holds no strings", where=self._where(entry))
        raw = bytes(self._raw(entry))
        where = self._where(entry)
        lengths, position = _string_lengths(raw, prod(entry.shape), where)
        widths = b"".join(struct.pack("<I" if length <= 0xFFFFFFFF else "<Q", length) for length in lengths)
        stored, start = raw[position : position + 4], position + 4
        if start + sum(lengths) != len(raw):
            raise CorruptArchive(f"the strings of tensor '{key}' do not fill its {len(raw)} bytes", where=where)
        if stored != struct.pack("<I", _masked_crc(widths)) or _masked_crc(widths + raw[position:]) != entry.checksum:
            raise _damaged(f"tensor '{key}'", where)
        ends = [start := start + length for length in lengths]
        return [raw[end - length : end] for end, length in zip(ends, lengths, strict=True)]

    def variables(self) -> dict[str, str]:
        """Full variable name -> key, by the object graph; without one (older exporters) the keys are the names.

        Variables that the object graph does not name stand under their own key.
        """
        if OBJECT_GRAPH not in self._entries:
            return {key: key for key in self._entries}
        (message,) = self.strings(OBJECT_GRAPH)
        graph = parse_object_graph(message, f"{self.label}:{OBJECT_GRAPH}")
        names: dict[str, str] = {}
        for attribute in (attribute for node in graph.nodes for attribute in node.attributes):
            key = attribute.checkpoint_key
            name = attribute.full_name or key
            if key in self._entries and names.setdefault(name, key) != key:
                raise InconsistentModel(f"two variables are named '{name}'", where=self.label, why=f"'{names[name]}' and '{key}'")
        known = set(names.values()) | {OBJECT_GRAPH}
        names.update((key, key) for key in self._entries if key not in known)
        return names

    def _where(self, entry: Entry) -> str:
        return f"{self.label}.data-{entry.shard:05d}-of-{len(self._shards):05d}, byte {entry.offset}"

    def _raw(self, entry: Entry) -> memoryview:
        shard = self._shards[entry.shard]
        if entry.offset + entry.size > len(shard):
            raise CorruptArchive(
                f"tensor '{entry.key}' ends at byte {entry.offset + entry.size}, and its file has {len(shard)}",
                where=self._where(entry),
                hint="fetch the archive again",
            )
        return shard[entry.offset : entry.offset + entry.size]


def read_index(index: bytes, *, label: str) -> tuple[int, dict[str, Entry]]:
    """The number of data files, and all entries in key order."""
    rows = _table(index, label)
    key, header = next(rows, (b"?", b""))
    if key:
        raise CorruptArchive("the tensor bundle has no header", where=label, why="the first key of its index is not the empty one")
    shards = _shard_count(header, label)
    entries: dict[str, Entry] = {}
    for key, value in rows:
        name = _text(key, label)
        if name in entries:
            raise CorruptArchive(f"the index has key '{name}' twice", where=label)
        entries[name] = _entry(name, parse_bundle_entry(value, f"{label}:{name}"), shards, label)
    return shards, entries


def _shard_count(value: bytes, label: str) -> int:
    header = parse_bundle_header(value, f"{label}: header")
    if header.endianness != 0:
        raise UnsupportedModel("big-endian tensor bundles cannot be read", where=label)
    if not 1 <= header.num_shards <= 100_000:
        raise CorruptArchive(f"the tensor bundle claims {header.num_shards} data files", where=label)
    return header.num_shards


def _entry(name: str, entry: BundleEntry, shards: int, label: str) -> Entry:
    shape = tuple(dim.size for dim in entry.shape.dim)
    if entry.slices:
        raise UnsupportedModel(f"tensor '{name}' is stored in slices, which cannot be read", where=label)
    if entry.shape.unknown_rank or len(shape) > _MAX_RANK or min(shape, default=0) < 0:
        raise CorruptArchive(f"tensor '{name}' has no definite shape", where=label)
    if not 0 <= entry.shard_id < shards or entry.offset < 0 or entry.size < 0:
        why = f"file {entry.shard_id}, byte {entry.offset}, {entry.size} bytes"
        raise CorruptArchive(f"tensor '{name}' lies nowhere", where=label, why=why)
    return Entry(name, entry.dtype, shape, entry.shard_id, entry.offset, entry.size, entry.crc32c)


def _table(data: bytes, label: str) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a table, in file order: a footer points to the index block, whose values point to the data blocks."""
    if len(data) < _FOOTER:
        raise CorruptArchive(f"the index of the tensor bundle ends after {len(data)} bytes", where=label, hint="fetch the archive again")
    if int.from_bytes(data[-8:], "little") != _MAGIC:
        raise CorruptArchive("the index of the tensor bundle does not end as a table ends", where=f"{label}, byte {len(data) - 8}")
    footer, start = data[-_FOOTER:-8], len(data) - _FOOTER
    position = 0
    for _ in range(2):
        _, position = _varint(footer, position, label, start)
    handle, position = _varint(footer, position, label, start)
    size, position = _varint(footer, position, label, start)
    for _, value in _block(data, handle, size, label):
        offset, position = _varint(value, 0, label, handle)
        length, position = _varint(value, position, label, handle)
        yield from _block(data, offset, length, label)


def _block(data: bytes, offset: int, size: int, label: str) -> Iterator[tuple[bytes, bytes]]:
    """One block's entries; each key shares a prefix with the one before it."""
    block = _checked_block(data, offset, size, label)
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise CorruptArchive("a block of the index is damaged", where=f"{label}, byte {offset}", why=f"it claims {restarts} restarts")
    position, key = 0, b""
    while position < end:
        shared, position = _varint(block, position, label, offset)
        unshared, position = _varint(block, position, label, offset)
        length, position = _varint(block, position, label, offset)
        value = position + unshared
        if shared > len(key) or value + length > end:
            raise CorruptArchive("an entry of the index leaves its block", where=f"{label}, byte {offset + position}")
        key = key[:shared] + block[position:value]
        position = value + length
        yield key, block[value:position]


def _checked_block(data: bytes, offset: int, size: int, label: str) -> bytes:
    where = f"{label}, byte {offset}"
    if size < 4 or offset + size + _TRAILER > len(data):
        raise CorruptArchive(f"a block of {size} bytes does not fit into the index", where=where)
    if _masked_crc(data[offset : offset + size + 1]) != int.from_bytes(data[offset + size + 1 : offset + size + 5], "little"):
        raise _damaged("a block of the index", where)
    compression = data[offset + size]
    if compression:
        name = _COMPRESSIONS.get(compression, f"number {compression}")
        raise UnsupportedModel(f"the index is compressed ({name}), which cannot be read", where=where)
    return data[offset : offset + size]


def _string_lengths(raw: bytes, count: int, where: str) -> tuple[list[int], int]:
    if count > len(raw):
        raise CorruptArchive(f"{count} strings cannot lie in {len(raw)} bytes", where=where)
    lengths, position = [], 0
    for _ in range(count):
        length, position = _varint(raw, position, where, 0)
        lengths.append(length)
    return lengths, position


def _varint(data: bytes, position: int, label: str, base: int) -> tuple[int, int]:
    value = shift = 0
    for index in range(position, min(position + 10, len(data))):
        byte = data[index]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, index + 1
        shift += 7
    raise CorruptArchive("a number does not end", where=f"{label}, byte {base + position}")


def _text(key: bytes, label: str) -> str:
    try:
        return key.decode()
    except UnicodeDecodeError as error:
        raise CorruptArchive(f"a key of the index is not text: {key[:40]!r}", where=label) from error


def _damaged(what: str, where: str) -> CorruptArchive:
    return CorruptArchive(f"{what} is damaged", where=where, why="its CRC-32C differs", hint="fetch the archive again")


class _Checksum(Protocol):
    def __call__(self, data: object) -> int: ...


def _masked_crc(data: bytes | memoryview) -> int:
    """CRC-32C as TensorFlow stores it: rotated and shifted, so that a checksum of checksums is no weaker."""
    import google_crc32c
    import numpy as np

    value: _Checksum = google_crc32c.value
    # google_crc32c takes no memoryview, and takes an array without copying it.
    crc = value(np.frombuffer(data, np.uint8) if isinstance(data, memoryview) else data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
