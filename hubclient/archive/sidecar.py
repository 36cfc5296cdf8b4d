"""Hadoop's `.NAME.crc` beside a file NAME: a CRC-32 of every so many bytes. In an unpacked archive it is the only guard of the small parts.

Source: org.apache.hadoop.fs.ChecksumFileSystem: `crc\\0`, the size of a piece (int32), then one CRC-32 a piece, all big-endian.
"""

from __future__ import annotations

import zlib

from hubclient.errors import CorruptArchive

_MAGIC = b"crc\0"
_HEADER = 8


def sidecar_name(name: str) -> str:
    folder, slash, base = name.rpartition("/")
    return f"{folder}{slash}.{base}.crc"


def verify(data: bytes, sums: bytes, where: str) -> None:
    """Raises CorruptArchive, with the first damaged place, if `data` is not what was written."""
    piece = int.from_bytes(sums[4:_HEADER], "big")
    if sums[:4] != _MAGIC or len(sums) < _HEADER or not piece:
        raise CorruptArchive("a file of checksums is damaged", where=where)
    count = -(-len(data) // piece)
    if len(sums) != _HEADER + 4 * count:
        raise _damaged(f"it has {len(data)} bytes, and {(len(sums) - _HEADER) // 4} checksums, one for every {piece} bytes", where)
    for index in range(count):
        expected = int.from_bytes(sums[_HEADER + 4 * index : _HEADER + 4 * index + 4], "big")
        if zlib.crc32(data[index * piece : (index + 1) * piece]) != expected:
            raise _damaged("its CRC-32 differs", f"{where}, byte {index * piece}")


def _damaged(why: str, where: str) -> CorruptArchive:
    return CorruptArchive("a file of the archive is damaged", where=where, why=why, hint="fetch the archive again")
