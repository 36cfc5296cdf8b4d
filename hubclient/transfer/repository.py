"""Files of a Hugging Face repository, brought into a folder.

A file that Hugging Face's own cache holds, undamaged, is used. All others come as any file does, and are not put into that cache.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from hubclient.errors import SourceError, StoreError
from hubclient.sources.clone import clone
from hubclient.sources.disk import disk_errors
from hubclient.sources.huggingface import HubFile, HubRepository, HubSnapshot
from hubclient.transfer.fetch import fetch
from hubclient.transfer.line import Line
from hubclient.transfer.pieces import SMALL
from hubclient.transfer.progress import Advance
from hubclient.transfer.together import together

_log = logging.getLogger("hubclient")
_CHUNK = 1 << 20


def fetch_files(
    repository: HubRepository,
    snapshot: HubSnapshot,
    names: Iterable[str],
    target: Path,
    *,
    parts: Path | None = None,
    line: Line | None = None,
    advance: Advance = lambda count: None,
) -> dict[str, str]:
    """Put files of a snapshot below the folder `target`, under their own names, and return the SHA-256 of each.

    They may be hard links into Hugging Face's cache: never write to them in place. `advance` is told of bytes as they arrive, by one thread
    at a time. `parts` and `line`: as in `hubclient.transfer.fetch`.
    Raises SourceError, StoreFull, StoreUnwritable.
    """
    line = line or Line()
    lock = threading.Lock()
    tallies = {name: _Tally(advance, lock) for name in names}
    bring = {name: partial(_bring, repository, snapshot, name, target / name, parts, line, tally) for name, tally in tallies.items()}
    small = [name for name in bring if repository.file(snapshot, name).stat().size <= SMALL]
    done = dict(zip(small, together([bring[name] for name in small], at_once=line.limits.jobs), strict=True))
    # Each of the others has the whole line for itself.
    return {name: done[name] if name in done else bring[name]() for name in bring}


@dataclass
class _Tally:
    """Passes on how far one file has come. A fetch that starts over opens another task: then what was told before counts no more."""

    advance: Advance
    lock: threading.Lock
    told: int = field(default=0)

    @contextmanager
    def task(self, label: str, total: int | None) -> Iterator[Advance]:
        self.add(-self.told)
        yield self.add

    def add(self, count: int) -> None:
        if count:
            with self.lock:
                self.told += count
                self.advance(count)


def _bring(repository: HubRepository, snapshot: HubSnapshot, name: str, target: Path, parts: Path | None, line: Line, tally: _Tally) -> str:
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    file, announced = repository.file(snapshot, name), snapshot.files[name]
    sha256 = _from_cache(repository.cached(snapshot, name), announced, target) or _by_xet(repository, snapshot, name, target, tally)
    if sha256 is None:
        fetched = fetch(file, target, parts=parts, line=line, progress=tally, retries=repository.retries, sleep=repository.sleep)
        return fetched.sha256
    tally.add(announced.size - tally.told)
    return sha256


def _from_cache(cached: Path | None, announced: HubFile, target: Path) -> str | None:
    """Its SHA-256, if what lies there is what was announced. It is not our cache: damage there is passed over."""
    if cached is None:
        return None
    try:
        sha256, git_sha1 = _hashes(cached)
    except OSError:
        return None
    if announced.sha256 not in (None, sha256) or announced.git_sha1 not in (None, git_sha1):
        return None
    _place(cached, target)
    return sha256


def _by_xet(repository: HubRepository, snapshot: HubSnapshot, name: str, target: Path, tally: _Tally) -> str | None:
    """None if it did not work out: there is another way."""
    announced = snapshot.files[name]
    if not repository.settings.xet or announced.sha256 is None:
        return None
    from hubclient.sources.huggingface_client import download

    try:
        return _from_cache(download(snapshot, name, repository.settings, tally.add), announced, target)
    except (SourceError, StoreError) as error:
        _log.info("%s: the file comes without huggingface_hub's help", error.in_short())
        return None


def _hashes(path: Path) -> tuple[str, str]:
    """(SHA-256, SHA-1 of the blob object that git makes of this content)."""
    sha256 = hashlib.sha256()
    with path.open("rb") as file:
        git = hashlib.sha1(b"blob %d\0" % os.fstat(file.fileno()).st_size, usedforsecurity=False)
        while chunk := file.read(_CHUNK):
            sha256.update(chunk)
            git.update(chunk)
    return sha256.hexdigest(), git.hexdigest()


def _place(cached: Path, target: Path) -> None:
    with disk_errors(target, needed=cached.stat().st_size):
        try:
            os.link(cached, target)
        except OSError:
            # Another file system, or one without hard links.
            clone(cached, target)
