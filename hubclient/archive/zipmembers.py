"""The members of a zip file, checked before any of them is used, and verified as they are read.

Strategy: `zipfile` reads the central directory; everything in it is judged at once (names, kinds, sizes, places). Members are inflated in
`inflate`, in chunks.

Limits: 10,000 members, 64 GiB in all; no member more than 200 times as large as what it was compressed to, beyond 1 MiB.

Source: PKWARE APPNOTE.TXT, sections 4.3.7 (local header), 4.3.12 (central directory), 4.4.4 (flags), 4.4.5 (methods), 4.4.15 (attributes).
"""

from __future__ import annotations

import stat
import struct
import zipfile
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, BinaryIO

from hubclient.archive.inflate import DEFLATED, STORED, MemberStream
from hubclient.archive.members import read_all
from hubclient.archive.safenames import check_names
from hubclient.errors import CorruptArchive, NotAnArchive, UnsafeArchive

if TYPE_CHECKING:
    import io

MAX_MEMBERS = 10_000
MAX_TOTAL = 64 << 30
MAX_RATIO = 200
_RATIO_SLACK = 1 << 20
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_UNIX = 3
_LOCAL_HEADER = struct.Struct("<4s2xHH16xHH")
_LOCAL_MAGIC = b"PK\x03\x04"


@dataclass(frozen=True)
class Place:
    """A run of bytes in the zip file, and the CRC-32 that they should have."""

    start: int
    size: int
    crc: int


class ZipMembers:
    """The files of the zip in `file`, which must stay open as long as they are used. Not for several threads at once."""

    def __init__(self, file: BinaryIO, label: str) -> None:
        self.label = label
        self._file = file
        infos, self._end = _directory(file, label)
        _check_infos(infos, self._end, label)
        # A name's raw form: `zipfile` cuts it at NUL and, on Windows, turns backslashes.
        self._infos = {info.orig_filename: info for info in infos if not info.is_dir()}
        starts = sorted(info.header_offset for info in infos)
        self._next = dict(pairwise([*starts, self._end]))

    def names(self) -> tuple[str, ...]:
        return tuple(self._infos)

    def size(self, name: str) -> int:
        return self._info(name).file_size

    def packed_size(self, name: str) -> int:
        return self._info(name).compress_size

    def read(self, name: str, limit: int) -> bytes:
        return read_all(self, name, limit)

    def open(self, name: str) -> io.RawIOBase:
        info = self._info(name)
        return MemberStream(
            self._file,
            start=self._data_start(info),
            stored_size=info.compress_size,
            size=info.file_size,
            crc=info.CRC,
            method=info.compress_type,
            where=self._where(name),
        )

    def place(self, name: str) -> Place | None:
        """Where a stored member lies; None for a compressed one."""
        info = self._info(name)
        return Place(self._data_start(info), info.file_size, info.CRC) if info.compress_type == STORED else None

    def span(self, name: str) -> tuple[int, int]:
        """From where to where in the file the member lies, its header included: what has to be there to read it."""
        start = self._info(name).header_offset
        return start, self._next[start]

    def _info(self, name: str) -> zipfile.ZipInfo:
        if name not in self._infos:
            raise CorruptArchive(f"the archive has no member '{name}'", where=self.label)
        return self._infos[name]

    def _where(self, name: str) -> str:
        return f"{self.label}, member '{name}'"

    def _data_start(self, info: zipfile.ZipInfo) -> int:
        """Where the member's data begin, after a local header that must agree with the central directory."""
        where = f"{self._where(info.orig_filename)}, byte {info.header_offset}"
        self._file.seek(info.header_offset)
        header = self._file.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size:
            raise CorruptArchive("the archive ends within a member", where=where, hint="fetch the archive again")
        magic, flags, method, name_size, extra_size = _LOCAL_HEADER.unpack(header)
        name = self._file.read(name_size).decode("utf-8" if flags & 0x800 else "cp437", "replace")
        if magic != _LOCAL_MAGIC or method != info.compress_type or name != info.orig_filename:
            raise CorruptArchive("a member's header differs from the directory of the archive", where=where, hint="fetch the archive again")
        start = info.header_offset + _LOCAL_HEADER.size + int(name_size) + int(extra_size)
        if start + info.compress_size > self._next[info.header_offset]:
            raise UnsafeArchive("the members of the archive overlap", where=where)
        return start


def _directory(file: BinaryIO, label: str) -> tuple[list[zipfile.ZipInfo], int]:
    """The entries of the central directory, and where it starts."""
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.infolist(), int(archive.start_dir)
    except (zipfile.BadZipFile, NotImplementedError, struct.error, ValueError, EOFError, OverflowError, OSError) as error:
        file.seek(0)
        magic = file.read(4)
        if magic != _LOCAL_MAGIC[: len(magic)] or not magic:
            raise NotAnArchive("this is not a zip file", where=label, why=f"it starts with {magic!r}") from error
        raise CorruptArchive("the zip file is truncated or damaged", where=label, why=str(error), hint="fetch the archive again") from error


def _check_infos(infos: list[zipfile.ZipInfo], end: int, label: str) -> None:
    if len(infos) > MAX_MEMBERS:
        raise _unsafe(f"it has {len(infos):,} members, and {MAX_MEMBERS:,} are allowed", label)
    names = [info.orig_filename for info in infos]
    if len(set(names)) != len(names):
        twice = next(name for index, name in enumerate(names) if name in names[:index])
        raise _unsafe(f"member {twice!r} is there twice", label)
    check_names(names, label)
    for info in infos:
        _check_info(info, f"{label}, member '{info.orig_filename}'")
    if (total := sum(info.file_size for info in infos)) > MAX_TOTAL:
        raise _unsafe(f"its members have {total:,} bytes, and {MAX_TOTAL:,} are allowed", label)
    _check_places(infos, end, label)


def _check_info(info: zipfile.ZipInfo, where: str) -> None:
    mode = info.external_attr >> 16
    if info.create_system == _UNIX and stat.S_IFMT(mode) and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise _unsafe("a member is a link or a device", where)
    if info.flag_bits & _ENCRYPTED:
        raise _unsafe("a member is encrypted", where)
    if info.compress_type not in (STORED, DEFLATED):
        raise _unsafe(f"a member is compressed by method {info.compress_type}, which cannot be read", where)
    if info.compress_type == STORED and info.compress_size != info.file_size:
        raise CorruptArchive("a stored member has two sizes", where=where)
    if info.file_size > MAX_RATIO * info.compress_size + _RATIO_SLACK:
        raise _unsafe(f"a member of {info.compress_size:,} bytes would become {info.file_size:,}", where)


def _check_places(infos: list[zipfile.ZipInfo], end: int, label: str) -> None:
    """No two members may share bytes, nor reach into the directory: such zips expand without end."""
    ordered = sorted(infos, key=lambda info: info.header_offset)
    limits = [info.header_offset for info in ordered[1:]] + [end]
    for info, limit in zip(ordered, limits, strict=False):
        if info.header_offset < 0 or info.header_offset + _LOCAL_HEADER.size + len(info.orig_filename) + info.compress_size > limit:
            raise _unsafe(f"member '{info.orig_filename}' overlaps with what follows", label)


def _unsafe(why: str, where: str) -> UnsafeArchive:
    return UnsafeArchive(f"the archive is not safe to open: {why}", where=where)
