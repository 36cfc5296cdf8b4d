"""CRC-32C as TensorFlow stores it.

Source: tensorflow/core/lib/hash/crc32c.h (`Mask`).
"""

from __future__ import annotations

from typing import Protocol

from hubclient.errors import CorruptArchive


def damaged(what: str, where: str) -> CorruptArchive:
    return CorruptArchive(f"{what} is damaged", where=where, why="its CRC-32C differs", hint="fetch the archive again")


class _Checksum(Protocol):
    def __call__(self, data: object) -> int: ...


def masked_crc(data: bytes | memoryview) -> int:
    """CRC-32C as TensorFlow stores it: rotated and shifted, so that a checksum of checksums is no weaker."""
    import google_crc32c
    import numpy as np

    value: _Checksum = google_crc32c.value
    # google_crc32c takes no memoryview, and takes an array without copying it.
    crc = value(np.frombuffer(data, np.uint8) if isinstance(data, memoryview) else data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
