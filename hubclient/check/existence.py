"""Whether things are there: thousands of objects in a bucket as well as one file, by the cheapest way that can be believed.

Strategy: a mirror on this machine first, as a pull has it; then the lists of buckets; then headers, over few connections. What that does
not settle is asked once more, alone, by the client that knows redirects, signatures and retries: only its word counts for what is missing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from hubclient.bundled import MIRROR
from hubclient.check.aim import Aim
from hubclient.check.asking import Asking
from hubclient.check.found import Answer, Found, Tell, md5_of
from hubclient.check.lists import told_by_lists
from hubclient.check.verdicts import may_be_missing
from hubclient.checkpoint import MAIN_FILES
from hubclient.errors import Forbidden, HubError, NotFound, ServerFailure, SourceError
from hubclient.native import CONFIG
from hubclient.sources import HubLocation, S3Location, WebLocation, address_of
from hubclient.sources.heads import Head, ask_heads
from hubclient.sources.huggingface import RepositoryFile
from hubclient.sources.listing import is_listed
from hubclient.sources.local import in_mirror

Submit = Callable[[Callable[[], None]], None]
"""Has something done in another thread."""

_ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})


class Existence:
    """`jobs`: connections to one host. `lists`: whether the lists of buckets may be asked. `tell` is called from several threads.
    `stopped`: whether nobody waits any more."""

    def __init__(
        self, asking: Asking, tell: Tell, submit: Submit, *, jobs: int, lists: bool = True, stopped: Callable[[], bool] = bool
    ) -> None:
        self._asking, self._tell, self._submit = asking, tell, submit
        self._jobs, self._lists, self._stopped = jobs, lists, stopped

    def look(self, aims: Iterable[Aim]) -> None:
        """Returns when all was asked that many are asked for at once; what was submitted may still be at work."""
        left = [aim for aim in aims if not self._is_here(aim)]
        if self._asking.settings.offline:
            alone, many = left, list[Aim]()
        else:
            alone = [aim for aim in left if isinstance(aim.location, HubLocation)]
            many = [aim for aim in left if not isinstance(aim.location, HubLocation)]
        for aim in alone:
            self._ask_alone(aim)
        if self._lists:
            many = told_by_lists(many, self._asking, self._tell)
        unsettled: list[Aim] = []
        take = partial(self._take, unsettled)
        ask_heads(self._addresses(many), take, jobs=self._jobs, manners=self._asking.manners, stopped=self._stopped)
        # Not while the others are asked: threads that compute at the same time cost these more than they gain.
        for aim in unsettled:
            self._ask_alone(aim)

    def _is_here(self, aim: Aim) -> bool:
        path = aim.location if isinstance(aim.location, Path) else self._mirrored(aim)
        if path is None:
            return False
        try:
            if path.is_dir():
                self._tell(aim, Found(str(path), 0, local=path))
            else:
                self._tell(aim, Found(str(path), self._asking.stat(path).size, local=path))
        except SourceError as error:
            self._tell(aim, error)
        return True

    def _mirrored(self, aim: Aim) -> Path | None:
        """Where a pull would find it before it asks anybody."""
        if not isinstance(aim.location, S3Location):
            return None
        mirrors = (MIRROR, *self._asking.settings.mirrors)
        paths = (in_mirror(mirror, aim.location).path for mirror in mirrors)
        return next((path for path in paths if os.path.isfile(path)), None)

    def _addresses(self, aims: Iterable[Aim]) -> Iterator[tuple[Aim, str]]:
        for aim in aims:
            assert isinstance(aim.location, (S3Location, WebLocation))
            yield aim, address_of(aim.location, self._asking.settings)

    def _take(self, unsettled: list[Aim], aim: Aim, head: Head | None) -> None:
        answer = _plain(aim, head)
        if answer is None:
            unsettled.append(aim)
        else:
            self._tell(aim, answer)

    def _ask_alone(self, aim: Aim) -> None:
        if not self._stopped():
            self._submit(lambda: self._tell(aim, self._careful(aim)))

    def _careful(self, aim: Aim) -> Answer:
        try:
            if isinstance(aim.location, HubLocation):
                return self._repository(aim.location)
            stat = self._asking.stat(aim.location)
            return Found(aim.where, stat.size, stat.etag)
        except SourceError as error:
            return self._refined(aim, error)
        except HubError as error:
            return error

    def _repository(self, location: HubLocation) -> Found:
        """The Hub tells of a repository that it gives to nobody: one of its files says whether we may have it."""
        snapshot = self._asking.snapshot(location)
        names = [name for name in (*MAIN_FILES, CONFIG) if name in snapshot.files] or sorted(snapshot.files)
        if names:
            file = RepositoryFile(snapshot, names[0], self._asking.settings)
            self._asking.insist(file.url, lambda: self._asking.politely(file.url, lambda: file.read(0, 1).close()))
        url = f"{self._asking.settings.hf_endpoint}/{snapshot.repo}"
        return Found(url, snapshot.size_of(snapshot.files), snapshot=snapshot)

    def _refined(self, aim: Aim, error: SourceError) -> SourceError:
        """S3 refuses what is not there to who may not list the bucket: who may is told which of the two it is."""
        if not isinstance(aim.location, S3Location) or not may_be_missing(error):
            return error
        try:
            is_there = is_listed(aim.location, self._asking.settings)
        except SourceError:
            return error
        error.code = None
        if is_there:
            return error
        return NotFound("there is no such object", where=error.where, why=f"the bucket's list lacks it ({error.why})")


def _plain(aim: Aim, head: Head | None) -> Answer | None:
    """What headers settle by themselves."""
    if head is None or head.status != 200 or head.length is None:
        return None
    etag, stored = head.headers.get("etag"), head.headers.get("x-amz-storage-class")
    if etag is None and head.headers.get("content-type", "").startswith("text/html"):
        return ServerFailure("a page came in place of the archive", where=aim.where)
    if stored in _ARCHIVED and 'ongoing-request="false"' not in head.headers.get("x-amz-restore", ""):
        return Forbidden(f"the object was put away ({stored}), and has to be restored first", where=aim.where)
    return Found(aim.where, head.length, etag, md5_of(etag, head.headers))
