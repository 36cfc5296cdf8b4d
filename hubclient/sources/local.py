"""A file on this machine: given by its path, or found in a mirror laid out as `<bucket>/<key>`."""

from __future__ import annotations

import os
import stat
from functools import partial
from pathlib import Path
from typing import BinaryIO

from hubclient.errors import ContentChanged, Forbidden, NotFound, SourceError
from hubclient.sources.location import S3Location
from hubclient.sources.remote import Body, Stat

_CHUNK = 1 << 20


class LocalFile:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = path.absolute().as_uri()

    def stat(self) -> Stat:
        try:
            facts = self.path.stat()
        except ValueError as error:
            raise NotFound("there is no such file", where=str(self.path), why=str(error), hint="check the path") from error
        except OSError as error:
            raise self._failure(error) from error
        if not stat.S_ISREG(facts.st_mode):
            raise NotFound("this is not a file", where=str(self.path), hint="name the archive's file")
        return _facts(facts)

    def part_size(self, stat: Stat) -> int | None:
        return None

    def read(self, start: int = 0, end: int | None = None, etag: str | None = None) -> Body:
        try:
            source = self.path.open("rb")
        except OSError as error:
            raise self._failure(error) from error
        if etag is not None and _facts(os.fstat(source.fileno())).etag != etag:
            source.close()
            raise ContentChanged("the file was changed while it was read", where=str(self.path), hint="try again")
        size = os.fstat(source.fileno()).st_size
        source.seek(start)
        return Body(start, end, size, partial(self._read, source), source.close, lambda: None)

    def _read(self, source: BinaryIO, size: int) -> bytes:
        try:
            return source.read(size)
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> SourceError:
        why = error.strerror or str(error)
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            return NotFound("there is no such file", where=str(self.path), why=why, hint="check the path")
        if isinstance(error, PermissionError):
            return Forbidden("the file may not be read", where=str(self.path), why=why, hint="check its permissions")
        return SourceError("the file cannot be read", where=str(self.path), why=why, hint="check the disk")


def in_mirror(mirror: Path, location: S3Location) -> LocalFile:
    """Where a mirror would hold this object; `stat` says whether it does."""
    return LocalFile(mirror.joinpath(location.bucket, *location.key.split("/")))


def _facts(facts: os.stat_result) -> Stat:
    return Stat(facts.st_size, etag=f"{facts.st_mtime_ns:x}-{facts.st_size:x}")
