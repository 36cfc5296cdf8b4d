"""Holding what arrived against what was announced.

SHA-256 is always worked out; if it was announced, nothing else is needed. Otherwise the cheapest of what was: against accidents, which is
what these are for, all serve alike, and a CRC costs next to nothing. (Against a server that lies, none serves but the caller's own.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from hubclient.sources.digests import Composite, Digests

_MIB = 1 << 20
# What upload tools cut objects into, unless they are told otherwise or the object is too large for that.
_USUAL_PARTS = tuple(mib * _MIB for mib in (5, 8, 10, 15, 16, 20, 25, 32, 50, 60, 64, 100, 128, 256, 500, 512, 1024))
_MOST_GUESSES = 2
_CHEAPEST_FIRST = ("crc32c", "crc32", "sha256", "sha1", "git_sha1", "md5")
_NAMES = {"sha256": "SHA-256", "sha1": "SHA-1", "md5": "MD5", "crc32c": "CRC-32C", "crc32": "CRC-32"}


class Running(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


class _Hash(Running, Protocol):
    def digest(self) -> bytes: ...


@dataclass(frozen=True)
class Check:
    """`name` is for people. `wanted` is what `running` gives at the end; if not `binding`, another value says nothing."""

    name: str
    wanted: str
    running: Running
    binding: bool = True


class _Crc:
    """A CRC with the interface of a hash. `extend`: (CRC so far, bytes) -> CRC."""

    def __init__(self, extend: Callable[[int, bytes], int]) -> None:
        self._extend, self._value = extend, 0

    def update(self, data: bytes, /) -> None:
        self._value = self._extend(self._value, data)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")

    def hexdigest(self) -> str:
        return self.digest().hex()


class _InParts:
    """The digest of the digests of parts of `part_size` bytes."""

    def __init__(self, new: Callable[[], _Hash], part_size: int) -> None:
        self._new, self._part_size = new, part_size
        self._total, self._part, self._room = new(), new(), part_size

    def update(self, data: bytes, /) -> None:
        position = 0
        while position < len(data):
            piece = data[position : position + self._room]
            self._part.update(piece)
            position += len(piece)
            self._room -= len(piece)
            if not self._room:
                self._end_part()

    def hexdigest(self) -> str:
        if self._room < self._part_size:
            self._end_part()
        return self._total.hexdigest()

    def _end_part(self) -> None:
        self._total.update(self._part.digest())
        self._part, self._room = self._new(), self._part_size


def crc32(data: bytes, value: int = 0) -> int:
    from isal import isal_zlib

    crc: int = isal_zlib.crc32(data, value)
    return crc


def plan_checks(expected: Digests, announced: Digests, size: int, part_size: Callable[[], int | None]) -> list[Check]:
    """What to work out beside SHA-256: all that the caller expects; if that is nothing, something that the source announced.

    `part_size`: asks for that of the upload, which is only done where it matters.
    """
    checks = [check for algorithm in _CHEAPEST_FIRST for check in _whole(expected, algorithm, size)]
    if checks or expected.sha256 or announced.sha256:
        return checks
    for algorithm in _CHEAPEST_FIRST:
        if found := _whole(announced, algorithm, size):
            return found
    composites = sorted(announced.composites, key=lambda composite: _CHEAPEST_FIRST.index(composite.algorithm))
    return _in_parts(composites[0], size, part_size()) if composites else []


def _whole(digests: Digests, algorithm: str, size: int) -> list[Check]:
    wanted = getattr(digests, algorithm)
    if wanted is None or algorithm == "sha256":
        return []
    if algorithm == "git_sha1":
        return [Check("git hash", wanted, hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False))]
    return [Check(_NAMES[algorithm], wanted, _new(algorithm))]


def _in_parts(composite: Composite, size: int, part_size: int | None) -> list[Check]:
    """Where the part size is not known, those that uploads usually have."""
    name = f"{_NAMES[composite.algorithm]} of {composite.parts} parts"
    new = partial(_new, composite.algorithm)
    if part_size is not None:
        return [Check(name, composite.value, _InParts(new, part_size))]
    usual = [length for length in _USUAL_PARTS if -(-size // length) == composite.parts]
    return [Check(name, composite.value, _InParts(new, length), binding=False) for length in usual[:_MOST_GUESSES]]


def _new(algorithm: str) -> _Hash:
    if algorithm == "crc32":
        return _Crc(lambda value, data: crc32(data, value))
    if algorithm == "crc32c":
        from google_crc32c import extend

        return _Crc(extend)
    return hashlib.new(algorithm, usedforsecurity=False)
