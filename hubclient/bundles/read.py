"""A bundle, read from its first byte to its last: what is not exactly what the manifest says is refused where it begins."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from hubclient.bundles import tar
from hubclient.bundles.form import FILE, LARGEST, Bundle, Member, parse_bundle, unexpected
from hubclient.errors import CorruptArchive, NotAnArchive
from hubclient.sources.disk import disk_errors

_CHUNK = 1 << 20

Advance = Callable[[int], None]


class BundleReader:
    """`stream` may be a pipe. Contents are taken in their order, each once: extracted, or passed over.

    Raises NotAnArchive for what is no bundle, CorruptArchive, UnsafeArchive; so do all methods.
    """

    def __init__(self, stream: BinaryIO, where: str) -> None:
        self._stream, self.where = stream, where
        block = self._stream.read(tar.BLOCK)
        size = _manifest_size(block)
        if size is None:
            raise NotAnArchive("this is not a bundle", where=where, why=f"it does not begin with {FILE}", hint="hub bundle writes one")
        if size > LARGEST:
            unexpected(f"its manifest has {size:,} bytes, and {LARGEST:,} are allowed", where)
        data = self._exactly(size)
        self._padding(size)
        self.bundle: Bundle = parse_bundle(data, where)

    def check(self) -> None:
        """Look at all that follows but the contents' bytes, where the stream can go back: before anything is taken from it."""
        if not self._stream.seekable():
            return
        start = self._stream.tell()
        for member in (member for digest in self.bundle.contents for member in self.bundle.members(digest)):
            self._expect(member)
            self._pass(member.file.size)
        self.finish()
        self._stream.seek(start)

    def extract(self, digest: str, folder: Path, advance: Advance) -> list[str]:
        """Write a content's files into an empty folder; gives the names of those whose bytes are not what the manifest says.

        Whatever differs, the next content can be taken. Raises StoreUnwritable, StoreFull.
        """
        return [member.name for member in self.bundle.members(digest) if not self._extract(member, folder / member.name, advance)]

    def skip(self, digest: str) -> None:
        for member in self.bundle.members(digest):
            self._expect(member)
            self._pass(member.file.size)

    def finish(self) -> None:
        """After the last content: nothing may follow but the end of the archive."""
        if self._exactly(len(tar.END)) != tar.END or self._stream.read(1):
            unexpected("it does not end where it should", self.where)

    def _extract(self, member: Member, path: Path, advance: Advance) -> bool:
        self._expect(member)
        sha256 = hashlib.sha256()
        with disk_errors(path, needed=member.file.size), path.open("xb") as file:
            for chunk in self._chunks(member.file.size):
                file.write(chunk)
                sha256.update(chunk)
                advance(len(chunk))
        self._padding(member.file.size)
        return sha256.hexdigest() == member.file.sha256

    def _expect(self, member: Member) -> None:
        block = self._exactly(tar.BLOCK)
        if block != member.header:
            unexpected(f"'{member.folder}/{member.name}' was to follow, and there is {tar.described(block)}", self.where)

    def _pass(self, size: int) -> None:
        if self._stream.seekable():
            self._stream.seek(size, os.SEEK_CUR)
        else:
            for _ in self._chunks(size):
                pass
        self._padding(size)

    def _padding(self, size: int) -> None:
        wanted = tar.padding(size)
        if self._exactly(len(wanted)) != wanted:
            unexpected("there is something between two files", self.where)

    def _chunks(self, size: int) -> Iterator[bytes]:
        for start in range(0, size, _CHUNK):
            yield self._exactly(min(size - start, _CHUNK))

    def _exactly(self, size: int) -> bytes:
        data = self._stream.read(size)
        if len(data) != size:
            raise CorruptArchive("the bundle is cut off", where=self.where, hint="have it sent again")
        return data


def _manifest_size(block: bytes) -> int | None:
    """None for what is no bundle's first header."""
    written = block[124:135]
    if len(block) != tar.BLOCK or not written.isdigit():
        return None
    try:
        size = int(written, 8)
    except ValueError:
        return None
    return size if block == tar.header("", FILE, size) else None
