"""How sources are asked one by one: with manners, with patience, and without wasting it on a host that does not answer at all."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from hubclient.errors import Forbidden, NotFound, Offline, SourceError
from hubclient.settings import Settings
from hubclient.sources import HubLocation, Location, remote_file
from hubclient.sources.huggingface import HubRepository, HubSnapshot
from hubclient.sources.local import LocalFile
from hubclient.sources.manners import Manners
from hubclient.sources.remote import Body, RemoteFile, Stat
from hubclient.sources.retry import Patience

T = TypeVar("T")

_LONGEST_REST = 120.0
# After so many questions in a row that stayed without an answer, those that follow are asked once.
_HOPELESS = 5


class Asking:
    """For several threads at once. Everything raises SourceError."""

    def __init__(self, settings: Settings, manners: Manners, *, retries: int = 4, sleep: Callable[[float], None] = time.sleep) -> None:
        self.settings, self.manners = settings, manners
        self._retries, self._sleep = retries, sleep
        self._failures: Counter[str] = Counter()
        self._lock = threading.Lock()

    def file(self, location: Location | Path) -> RemoteFile:
        """A file that is asked with manners. It has no patience of its own."""
        if isinstance(location, Path):
            return LocalFile(location)
        assert not isinstance(location, HubLocation)
        return _MannerlyFile(remote_file(location, self.settings), self)

    def stat(self, location: Location | Path) -> Stat:
        file = self.file(location)
        return self.insist(file.url, file.stat)

    def snapshot(self, location: HubLocation) -> HubSnapshot:
        repository = HubRepository(location, self.settings, retries=0)
        return self.insist(repository.url, lambda: self.politely(repository.url, repository.resolve))

    def insist(self, url: str, action: Callable[[], T]) -> T:
        """Try until it succeeds or there is no hope; `action` asks politely."""
        host = _host(url)
        patience = Patience(0 if self._failures[host] >= _HOPELESS else self._retries, self._sleep)
        try:
            result = patience.insist(action)
        except SourceError as error:
            self._count(host, answered=isinstance(error, (NotFound, Forbidden, Offline)))
            raise
        self._count(host, answered=True)
        return result

    def politely(self, url: str, action: Callable[[], T]) -> T:
        """When it is our turn; a host that asks for rest is left alone by all. Offline nobody is asked, and nobody waits."""
        host = _host(url)
        if not self.settings.offline and (seconds := self.manners.turn(host)) > 0:
            self._sleep(seconds)
        try:
            return action()
        except SourceError as error:
            if error.retry_after:
                self.manners.rest(host, min(error.retry_after, _LONGEST_REST))
            raise

    def _count(self, host: str, *, answered: bool) -> None:
        with self._lock:
            self._failures[host] = 0 if answered else self._failures[host] + 1


class _MannerlyFile:
    def __init__(self, file: RemoteFile, asking: Asking) -> None:
        self._file, self._asking = file, asking
        self.url = file.url

    def stat(self) -> Stat:
        return self._asking.politely(self.url, self._file.stat)

    def read(self, start: int = 0, end: int | None = None, etag: str | None = None) -> Body:
        return self._asking.politely(self.url, lambda: self._file.read(start, end, etag))

    def part_size(self, stat: Stat) -> int | None:
        return self._asking.politely(self.url, lambda: self._file.part_size(stat))


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
