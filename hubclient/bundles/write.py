"""Writing a bundle: the same models give the same bytes, whoever writes them and whenever."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from hubclient.bundles import tar
from hubclient.bundles.form import FILE, Bundle, Member
from hubclient.errors import StoreError, UsageError
from hubclient.outfile import written_whole
from hubclient.store import Entry

_CHUNK = 1 << 20

Advance = Callable[[int], None]


class _Sink:
    """Hashes what it writes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        self._stream.write(data)
        self._sha256.update(data)
        self.size += len(data)

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()


def bundle_of(entries: Sequence[Entry]) -> Bundle:
    """Raises UsageError for a model that no bundle can hold."""
    bundle = Bundle.of({entry.digest: entry.files for entry in entries}, list({entry.identity: entry.name for entry in entries}.values()))
    try:
        for member in (member for digest in bundle.contents for member in bundle.members(digest)):
            if "/" in member.name or not member.header:
                raise ValueError(f"'{member.name}' lies in a folder")
    except ValueError as error:
        raise UsageError("a model cannot be put into a bundle", where=member.digest, why=str(error)) from error
    return bundle


def write_bundle(bundle: Bundle, entries: Sequence[Entry], target: Path, advance: Advance) -> tuple[int, str]:
    """Write the file `target`, whole or not at all; gives its size and SHA-256. Raises StoreError for a model that is damaged."""
    with written_whole(target, "the bundle", sum(map(bundle.size_of, bundle.contents))) as file:
        return stream_bundle(bundle, entries, file, advance)


def stream_bundle(bundle: Bundle, entries: Sequence[Entry], stream: BinaryIO, advance: Advance) -> tuple[int, str]:
    """Write a bundle to a pipe. One that breaks off is refused by who reads it."""
    sink = _Sink(stream)
    folders = {entry.digest: entry.path for entry in entries}
    manifest = bundle.to_bytes()
    sink.write(tar.header("", FILE, len(manifest)) + manifest + tar.padding(len(manifest)))
    for digest in bundle.contents:
        for member in bundle.members(digest):
            _copy(member, folders[digest] / member.name, sink, advance)
    sink.write(tar.END)
    return sink.size, sink.sha256


def _copy(member: Member, path: Path, sink: _Sink, advance: Advance) -> None:
    sink.write(member.header)
    sha256, size = hashlib.sha256(), 0
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(min(_CHUNK, member.file.size + 1 - size)):
            sink.write(chunk)
            sha256.update(chunk)
            size += len(chunk)
            advance(len(chunk))
    if (size, sha256.hexdigest()) != (member.file.size, member.file.sha256):
        raise StoreError("a stored model is damaged", where=str(path), hint="hub verify --all --repair fetches it again")
    sink.write(tar.padding(size))
