"""One file, brought here whole: hashed as it arrives, resumed when it breaks off, compared with what was announced."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from hubclient.errors import ContentChanged, CorruptTransfer, ServerFailure, Unreachable
from hubclient.sources.digests import Digests
from hubclient.sources.disk import demand_room, disk_errors
from hubclient.sources.remote import RemoteFile, Stat
from hubclient.sources.retry import Patience
from hubclient.transfer.line import Line
from hubclient.transfer.progress import Advance, Progress, Silent

# A connection that brought this much was worth its while: the next failure is counted as the first.
_WORTH_AN_ATTEMPT = 1 << 16


@dataclass(frozen=True)
class Fetched:
    """What arrived; `sha256` was computed here, from the bytes that were written."""

    url: str
    size: int
    sha256: str
    etag: str | None


def fetch(
    file: RemoteFile,
    target: Path,
    *,
    stat: Stat | None = None,
    expected: Digests | None = None,
    parts: Path | None = None,
    line: Line | None = None,
    progress: Progress | None = None,
    retries: int = 4,
    sleep: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Write the whole content of `file` to `target`, a new file in a folder of the caller's.

    `stat`: the file's facts, where they were asked for just now. `expected`: digests that the caller knows, from metadata.json or a lock:
    they outrank those that the source announces.
    `parts`: the folder of unfinished transfers (`settings.transfers`), on the file system of `target`: what is there of this content,
    left by whatever process, is not fetched again, and what is unfinished when this one ends stays there. None: nothing is kept.
    `line`: what this process's transfers share; give every `fetch` the same one. `fetch` may be called in several threads at once.
    Nothing is flushed to the disk: that is for who commits the file.
    Raises SourceError (CorruptTransfer when what arrived is not what was announced), StoreFull, StoreUnwritable;
    `target` is then incomplete, or not there.
    """
    patience = Patience(retries, sleep)
    progress = progress or Silent()
    stat = _with_expected(stat or patience.insist(file.stat), expected)
    try:
        return _fetch_announced(file, stat, target, progress, patience)
    except ContentChanged:
        stat = _with_expected(patience.insist(file.stat), expected)
        return _fetch_announced(file, stat, target, progress, patience)


def _with_expected(stat: Stat, expected: Digests | None) -> Stat:
    """The facts as the caller knows them: who expects a digest has it from somebody more trusted than the source."""
    if expected is None:
        return stat
    return replace(stat, sha256=expected.sha256 or stat.sha256, md5=expected.md5 or stat.md5)


def _fetch_announced(file: RemoteFile, stat: Stat, target: Path, progress: Progress, patience: Patience) -> Fetched:
    demand_room(target.parent, stat.size)
    label = unquote(urlsplit(file.url).path.rpartition("/")[2])
    with disk_errors(target, needed=stat.size), progress.task(label, stat.size) as advance, target.open("wb", buffering=0) as sink:
        arrival = _Arrival(file, stat, sink, advance)
        while arrival.size < stat.size:
            before = arrival.size
            try:
                arrival.take()
            except (ServerFailure, Unreachable) as error:
                patience.wait(error, progressed=arrival.size - before >= _WORTH_AN_ATTEMPT)
    return arrival.checked()


class _Arrival:
    """The bytes so far, and their digests."""

    def __init__(self, file: RemoteFile, stat: Stat, sink: BinaryIO, advance: Advance) -> None:
        self._file, self._stat, self._sink, self._advance = file, stat, sink, advance
        self.size = 0
        self._start_over()

    def take(self) -> None:
        """Receive from here on until the end. Raises Unreachable if that does not come."""
        with closing(self._file.read(self.size, self._stat.etag)) as body:
            if body.start != self.size:
                self._start_over()
            if body.start != self.size:
                raise self._corrupt(f"the server began at byte {body.start}, which was not asked for")
            for chunk in body.chunks:
                self._keep(chunk)
        if self.size < self._stat.size:
            raise Unreachable(
                "the file broke off", where=self._file.url, why=f"{self.size:,} of {self._stat.size:,} bytes arrived", hint="try again"
            )

    def checked(self) -> Fetched:
        sha256 = self._sha256.hexdigest()
        if self._stat.sha256 is not None and sha256 != self._stat.sha256:
            raise self._corrupt(f"its SHA-256 is {sha256}, {self._stat.sha256} was announced")
        if self._md5 is not None and self._md5.hexdigest() != self._stat.md5:
            raise self._corrupt(f"its MD5 is {self._md5.hexdigest()}, {self._stat.md5} was announced")
        return Fetched(self._file.url, self.size, sha256, self._stat.etag)

    def _keep(self, chunk: bytes) -> None:
        if self.size + len(chunk) > self._stat.size:
            raise self._corrupt(f"more than the announced {self._stat.size:,} bytes arrived")
        rest = memoryview(chunk)
        while rest:
            rest = rest[self._sink.write(rest) :]
        self._sha256.update(chunk)
        if self._md5 is not None:
            self._md5.update(chunk)
        self.size += len(chunk)
        self._advance(len(chunk))

    def _start_over(self) -> None:
        if self.size:
            self._sink.seek(0)
            self._sink.truncate()
            self._advance(-self.size)
        self.size = 0
        self._sha256 = hashlib.sha256()
        wanted = self._stat.md5 is not None and self._stat.sha256 is None
        self._md5 = hashlib.md5(usedforsecurity=False) if wanted else None

    def _corrupt(self, why: str) -> CorruptTransfer:
        return CorruptTransfer(
            "what arrived is not what was announced",
            where=self._file.url,
            why=why,
            hint="try again; if it stays so, the source itself is damaged",
        )
