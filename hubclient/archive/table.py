"""LevelDB's table, as TensorFlow keeps the index of its tensor bundles: sorted keys and their values, in checked blocks.

Source: tensorflow/core/lib/io/{format,block}.cc and table_format.txt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubclient.archive.crc32c import damaged, masked_crc
from hubclient.errors import CorruptArchive, UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_TRAILER = 5
_COMPRESSIONS = {1: "snappy"}


def rows(data: bytes, label: str) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a table, in file order: a footer points to the index block, whose values point to the data blocks."""
    if len(data) < _FOOTER:
        raise CorruptArchive(f"the index of the tensor bundle ends after {len(data)} bytes", where=label, hint="fetch the archive again")
    if int.from_bytes(data[-8:], "little") != _MAGIC:
        raise CorruptArchive("the index of the tensor bundle does not end as a table ends", where=f"{label}, byte {len(data) - 8}")
    footer, start = data[-_FOOTER:-8], len(data) - _FOOTER
    position = 0
    for _ in range(2):
        _, position = varint(footer, position, label, start)
    handle, position = varint(footer, position, label, start)
    size, position = varint(footer, position, label, start)
    for _, value in _block(data, handle, size, label):
        offset, position = varint(value, 0, label, handle)
        length, position = varint(value, position, label, handle)
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
        shared, position = varint(block, position, label, offset)
        unshared, position = varint(block, position, label, offset)
        length, position = varint(block, position, label, offset)
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
    if masked_crc(data[offset : offset + size + 1]) != int.from_bytes(data[offset + size + 1 : offset + size + 5], "little"):
        raise damaged("a block of the index", where)
    compression = data[offset + size]
    if compression:
        name = _COMPRESSIONS.get(compression, f"number {compression}")
        raise UnsupportedModel(f"the index is compressed ({name}), which cannot be read", where=where)
    return data[offset : offset + size]


def varint(data: bytes, position: int, label: str, base: int) -> tuple[int, int]:
    value = shift = 0
    for index in range(position, min(position + 10, len(data))):
        byte = data[index]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, index + 1
        shift += 7
    raise CorruptArchive("a number does not end", where=f"{label}, byte {base + position}")
