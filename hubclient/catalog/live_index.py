"""The live index as it is on this machine: a copy of the bucket's list, at most an hour old while the bucket can be asked."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from hubclient.cards import Card
from hubclient.catalog.live import BrokenLine, LiveCount, count_live, entries_named, read_live
from hubclient.catalog.live_line import ArchiveFolder, LiveEntry
from hubclient.errors import CorruptTransfer, SourceError, UsageError
from hubclient.names import Version
from hubclient.settings import Settings
from hubclient.sources import remote_file
from hubclient.sources.local import LocalFile
from hubclient.sources.location import location_at
from hubclient.transfer.kept import Copy, KeptFile, now
from hubclient.transfer.progress import Progress

_log = logging.getLogger("hubclient")
_MAX_AGE = timedelta(hours=1)


@dataclass(frozen=True)
class LiveState:
    """The copy after it was refreshed. `changed`: it is another one than before. `fetched_at` is when this content arrived."""

    url: str
    count: LiveCount
    etag: str | None
    changed: bool
    fetched_at: datetime


class LiveIndex:
    """Names that no card has, looked up in the bucket's own list (`Settings.live_index`)."""

    def __init__(self, settings: Settings, progress: Progress | None = None, *, clock: Callable[[], datetime] = now) -> None:
        self._settings, self._progress, self._clock = settings, progress, clock

    def cards_named(self, name: str, *, ask: bool = True) -> list[Card]:
        """The cards of a name, newest first, one for each language, version and time; none where no live index is set.

        The list is fetched if it is not there, and revalidated once an hour, unless nobody is to be asked. Raises SourceError when it is
        not there and cannot be had.
        """
        if self._source is None:
            return []
        kept, folder = self._source
        copy = kept.current(_MAX_AGE) if ask else kept.copy()
        if copy is None:
            raise SourceError("the live index was not asked", where=self._settings.live_index, hint="hub refresh fetches it")
        with _chunks(copy.path) as chunks:
            found = entries_named(chunks, name, folder)
        cards: dict[tuple[str, Version, int], Card] = {}
        # Of two lines for one archive the later one counts: sorting keeps their order.
        for entry in sorted(found, key=lambda entry: (entry.lib_version, entry.epoch_ms, entry.spark_version)):
            card = entry.card()
            cards[card.model_language, card.version, card.epoch_ms] = card
        return list(reversed(cards.values()))

    def checksum(self, name: str, file: str) -> str | None:
        """The MD5 of an archive with this file name, as far as the list is here and tells it: nobody is asked."""
        copy = self._source[0].copy() if self._source else None
        if self._source is None or copy is None:
            return None
        with _chunks(copy.path) as chunks:
            told = [entry.checksum for entry in entries_named(chunks, name, self._source[1]) if entry.file == file]
        return told[-1] if told else None

    def refresh(self) -> LiveState:
        """Revalidate now. Raises SourceError when the source cannot be asked: the copy stays as it is. UsageError without a live index."""
        if self._source is None:
            raise UsageError("no live index is set", hint="set HUBCLIENT_LIVE_INDEX to its address, or unset it for the public one")
        kept, folder = self._source
        before = kept.copy()
        copy = kept.revalidated()
        changed = before is None or before.sha256 != copy.sha256
        return LiveState(copy.url, _counted(copy, folder), copy.etag, changed, copy.fetched_at)

    def checksums(self) -> dict[str, str]:
        """The MD5 of each archive of which the list tells it, by address; none where the list cannot be had."""
        if self._source is None:
            return {}
        kept, folder = self._source
        try:
            copy = kept.current(_MAX_AGE)
        except SourceError as error:
            _log.warning("%s: its checksums are not known", error.in_short())
            return {}
        with _chunks(copy.path) as chunks:
            entries = (line for line in read_live(chunks, folder) if isinstance(line, LiveEntry))
            return {entry.uri: entry.checksum for entry in entries if entry.checksum is not None}

    @cached_property
    def _source(self) -> tuple[KeptFile, ArchiveFolder] | None:
        address = self._settings.live_index
        if address is None:
            return None
        archives = ArchiveFolder.of(address)
        remote = remote_file(location_at(address), self._settings)
        folder = self._settings.cache_dir / "live" / hashlib.sha256(remote.url.encode()).hexdigest()[:16]
        review = partial(_review, folder=archives, url=remote.url)
        return KeptFile(remote, folder, review, progress=self._progress, clock=self._clock), archives


def _review(path: Path, *, folder: ArchiveFolder, url: str) -> Mapping[str, Any]:
    """A page that a server sends in place of the list must not replace it."""
    count = _count(path, folder)
    broken = count.first_broken[0] if count.first_broken else None
    if broken and not count.entries + count.not_ready + count.not_zipped:
        why = f"line {broken.number}: {broken.why}"
        raise CorruptTransfer("what arrived is no live index", where=url, why=why, hint="try again later")
    if broken:
        _log.warning("%s: lines that cannot be read: %d, the first is line %d (%s)", url, count.broken, broken.number, broken.why)
    return asdict(count)


def _counted(copy: Copy, folder: ArchiveFolder) -> LiveCount:
    """As it was when it arrived; counted again if another version of hubclient left no such remarks."""
    try:
        first = tuple(BrokenLine(**line) for line in copy.remarks["first_broken"])
        return LiveCount(**{**copy.remarks, "first_broken": first})
    except (KeyError, TypeError):
        return _count(copy.path, folder)


def _count(path: Path, folder: ArchiveFolder) -> LiveCount:
    with _chunks(path) as chunks:
        return count_live(read_live(chunks, folder))


@contextmanager
def _chunks(path: Path) -> Iterator[Iterator[bytes]]:
    with closing(LocalFile(path).read()) as body:
        yield body.chunks
