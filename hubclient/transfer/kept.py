"""One remote file kept in a folder: fetched once, revalidated by its ETag, replaced when it has changed.

`about.json` says which file beside it is the copy, and whose. It is written last and at once, and each content has a file of its own:
processes that write at the same time mix nothing up, and what a killed one leaves is no copy. A folder that cannot be written is
no failure: the copy is then kept for as long as this process needs it.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hubclient.errors import Offline, SourceError, StoreError
from hubclient.sources.disk import disk_errors
from hubclient.sources.remote import Stat
from hubclient.sources.retry import Patience
from hubclient.sources.web import WebFile
from hubclient.transfer.fetch import fetch
from hubclient.transfer.progress import Progress

_log = logging.getLogger("hubclient")

ABOUT = "about.json"
_CONTENT = re.compile(r"content-[0-9a-f]{64}")
_RETRIES = 4
_STALE_SECONDS = 24 * 3600

Review = Callable[[Path], Mapping[str, Any]]
"""Looks at content that has just arrived: gives what is to be remembered of it (JSON values), or raises if it may not be kept."""


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Copy:
    """A copy on disk. `etag` is the source's, `sha256` is the content's, `remarks` are what the review gave."""

    path: Path
    url: str
    size: int
    sha256: str
    etag: str | None
    fetched_at: datetime
    revalidated_at: datetime
    remarks: Mapping[str, Any] = field(default_factory=dict)


class KeptFile:
    def __init__(
        self,
        remote: WebFile,
        folder: Path,
        review: Review,
        *,
        progress: Progress | None = None,
        clock: Callable[[], datetime] = now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._remote, self._folder, self._review = remote, folder, review
        self._progress, self._clock, self._sleep = progress, clock, sleep
        # A copy elsewhere, when the folder cannot be written; and when the source was last asked, in vain or not.
        self._unwritten: Copy | None = None
        self._asked: datetime | None = None

    def copy(self) -> Copy | None:
        """The copy that is there, whatever its age. One that is not what `about.json` says is none."""
        elsewhere = self._unwritten if self._unwritten and os.path.exists(self._unwritten.path) else None
        return elsewhere or _read(self._folder, self._remote.url)

    def current(self, max_age: timedelta) -> Copy:
        """The copy, fetched if there is none, revalidated if that was last done longer ago than `max_age`.

        Where revalidation fails, or the connection may not be used, it is the copy as it is. Raises SourceError without one.
        """
        copy = self.copy()
        if copy is None:
            return self.revalidated()
        if any(self._is_within(max_age, asked) for asked in (copy.revalidated_at, self._asked)):
            return copy
        try:
            return self._revalidate(copy, retries=0)
        except Offline:
            return copy
        except SourceError as error:
            _log.warning("%s (%s): what was fetched on %s is used", error.what, self._remote.url, f"{copy.fetched_at:%Y-%m-%d %H:%M} UTC")
            return copy

    def revalidated(self) -> Copy:
        """The copy as the source has it now. Raises SourceError, StoreError."""
        return self._revalidate(self.copy(), retries=_RETRIES)

    def _is_within(self, age: timedelta, asked: datetime | None) -> bool:
        """A time to come is none: the clock was set back."""
        return asked is not None and timedelta(0) <= self._clock() - asked < age

    def _revalidate(self, copy: Copy | None, *, retries: int) -> Copy:
        self._asked = self._clock()
        etag = copy.etag if copy else None
        stat = Patience(retries, self._sleep).insist(lambda: self._remote.changed(etag))
        if copy is None or stat is not None:
            return self._bring(stat, copy)
        confirmed = replace(copy, revalidated_at=self._asked)
        with suppress(StoreError):
            _write(confirmed)
        return confirmed

    def _bring(self, stat: Stat | None, before: Copy | None) -> Copy:
        try:
            copy = self._bring_into(self._folder, stat)
        except StoreError as error:
            _log.info("%s: %s is not kept", error.what, self._remote.url)
            copy = self._unwritten = self._bring_into(self._scratch(), stat)
            return copy
        self._unwritten = None
        _sweep(self._folder, {copy.path, before.path} if before else {copy.path})
        return copy

    def _bring_into(self, folder: Path, stat: Stat | None) -> Copy:
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{os.urandom(8).hex()}.part"
        try:
            fetched = fetch(self._remote, part, stat=stat, progress=self._progress, sleep=self._sleep)
            remarks = self._review(part)
            path = folder / f"content-{fetched.sha256}"
            with disk_errors(folder):
                os.replace(part, path)
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        asked = self._clock()
        copy = Copy(path, self._remote.url, fetched.size, fetched.sha256, fetched.etag, asked, asked, remarks)
        _write(copy)
        return copy

    def _scratch(self) -> Path:
        import shutil
        import tempfile

        with disk_errors(Path(tempfile.gettempdir())):
            folder = tempfile.mkdtemp(prefix="hubclient-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)


def _read(folder: Path, url: str) -> Copy | None:
    try:
        said = json.loads((folder / ABOUT).read_bytes())
        times = {name: datetime.fromisoformat(said[name]) for name in ("fetched_at", "revalidated_at")}
        copy = Copy(**{**said, **times, "path": folder / said["path"]})
        size = copy.path.stat().st_size
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    named = copy.url == url and _CONTENT.fullmatch(said["path"])
    typed = isinstance(copy.etag, str | None) and isinstance(copy.remarks, dict) and all(time.tzinfo for time in times.values())
    return copy if size == copy.size and named and typed else None


def _write(copy: Copy) -> None:
    """Raises StoreError."""
    folder = copy.path.parent
    times = {"fetched_at": copy.fetched_at.isoformat(), "revalidated_at": copy.revalidated_at.isoformat()}
    part = folder / f"{os.urandom(8).hex()}.part"
    with disk_errors(folder):
        try:
            part.write_text(json.dumps({**asdict(copy), **times, "path": copy.path.name}, indent=1), encoding="utf-8")
            os.replace(part, folder / ABOUT)
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)


def _sweep(folder: Path, wanted: set[Path]) -> None:
    """Remove what is older than a day. What was current until now is wanted too: another process may be about to read it."""
    with suppress(OSError):
        for path in folder.iterdir():
            if path.name != ABOUT and path not in wanted and time.time() - path.stat().st_mtime > _STALE_SECONDS:
                path.unlink(missing_ok=True)
