"""A mirror in a folder, laid out as `<bucket>/<key>`, as HUBCLIENT_MIRRORS wants it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hubclient.archive.safenames import check_names
from hubclient.mirror import index
from hubclient.mirror.place import Facts, LocalArchive
from hubclient.outfile import written_whole
from hubclient.sources.local import LocalFile, in_mirror
from hubclient.sources.location import S3Location
from hubclient.transfer.progress import Advance


class MirrorFolder:
    def __init__(self, root: Path) -> None:
        self._root = root

    def address(self, location: S3Location) -> str:
        return str(self._path(location))

    def facts(self, location: S3Location) -> Facts | None:
        path = self._path(location)
        if not path.is_file():
            return None
        return facts_of(path)

    def put(self, location: S3Location, archive: LocalArchive, advance: Advance) -> None:
        with written_whole(self._path(location), "the mirror", archive.facts.size) as file:
            for chunk in LocalFile(archive.path).read().chunks:
                file.write(chunk)
                advance(len(chunk))

    def index(self, location: S3Location) -> str:
        return str(self._path(location).with_name(index.NAME))

    def read_index(self, address: str) -> bytes:
        path = Path(address)
        return b"".join(LocalFile(path).read().chunks) if path.exists() else b""

    def write_index(self, address: str, content: bytes) -> None:
        with written_whole(Path(address), "the mirror", len(content)) as file:
            file.write(content)

    def _path(self, location: S3Location) -> Path:
        """Raises UnsafeArchive for a key that is no file's name on every system."""
        check_names([f"{location.bucket}/{location.key}"], str(location))
        return in_mirror(self._root, location).path


def facts_of(path: Path) -> Facts:
    """Every byte of a file on this machine is read. Raises SourceError."""
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    for chunk in LocalFile(path).read().chunks:
        sha256.update(chunk)
        md5.update(chunk)
        size += len(chunk)
    return Facts(size, sha256.hexdigest(), md5.hexdigest())
