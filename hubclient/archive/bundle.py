"""TensorFlow's tensor bundle: the variables of a model, by name, in place.

Strategy: `variables.index` is a small LevelDB-style table (key -> BundleEntryProto), read whole and checked block by block;
`variables.data-?????-of-?????` holds the tensors one behind the other, little-endian, and is only viewed, never copied, so that it may
be a memory map of any size. Every tensor has its own checksum, verified when it is asked for.

Source: tensorflow/core/util/tensor_bundle/tensor_bundle.{h,cc}, tensorflow/core/protobuf/tensor_bundle.proto.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from hubclient.archive import dtypes
from hubclient.archive.crc32c import damaged, masked_crc
from hubclient.archive.protobuf import BundleEntry, parse_bundle_entry, parse_bundle_header, parse_object_graph
from hubclient.archive.table import rows, varint
from hubclient.errors import CorruptArchive, InconsistentModel, UnsupportedModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Buffer

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
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

    def array(self, key: str) -> NDArray[np.generic]:
        """The tensor as a read-only view of its shard, its checksum compared; bfloat16 alone is copied, widened to float32."""
        import numpy as np

        entry = self.entry(key)
        where = self._where(entry)
        stored = dtypes.stored_type(entry.dtype, where)
        if entry.size != prod(entry.shape) * stored.itemsize:
            raise CorruptArchive(f"tensor '{key}' has {entry.size} bytes, which do not make {entry.shape} of {stored}", where=where)
        raw = self._raw(entry)
        if masked_crc(raw) != entry.checksum:
            raise damaged(f"tensor '{key}'", where)
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
        if stored != struct.pack("<I", masked_crc(widths)) or masked_crc(widths + raw[position:]) != entry.checksum:
            raise damaged(f"tensor '{key}'", where)
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
    table = rows(index, label)
    key, header = next(table, (b"?", b""))
    if key:
        raise CorruptArchive("the tensor bundle has no header", where=label, why="the first key of its index is not the empty one")
    shards = _shard_count(header, label)
    entries: dict[str, Entry] = {}
    for key, value in table:
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


def _string_lengths(raw: bytes, count: int, where: str) -> tuple[list[int], int]:
    if count > len(raw):
        raise CorruptArchive(f"{count} strings cannot lie in {len(raw)} bytes", where=where)
    lengths, position = [], 0
    for _ in range(count):
        length, position = varint(raw, position, where, 0)
        lengths.append(length)
    return lengths, position


def _text(key: bytes, label: str) -> str:
    try:
        return key.decode()
    except UnicodeDecodeError as error:
        raise CorruptArchive(f"a key of the index is not text: {key[:40]!r}", where=label) from error
