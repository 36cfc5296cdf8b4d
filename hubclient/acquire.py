"""Carrying a plan out: fetch, verify, convert, commit. Whatever fails leaves the store as it was."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hubclient import bundled
from hubclient.cards import Overlay
from hubclient.catalog import Catalog
from hubclient.errors import (
    ArchiveError,
    CorruptTransfer,
    Forbidden,
    HubError,
    ModelError,
    NoSourceLeft,
    NotAnArchive,
    NotFound,
    SourceError,
)
from hubclient.native import CONFIG, README, Identity, Origin
from hubclient.plan import Candidate, Fetch, Plan, UseStored
from hubclient.settings import Settings
from hubclient.sources import HubLocation, S3Location, remote_file
from hubclient.sources.clone import clone
from hubclient.sources.disk import disk_errors
from hubclient.sources.local import LocalFile, in_mirror
from hubclient.store import Entry, Name, Store
from hubclient.transfer.line import Line
from hubclient.transfer.progress import Progress
from hubclient.turns import Turns

if TYPE_CHECKING:
    from hubclient.lockfile import Lock
    from hubclient.sources.huggingface import HubSnapshot

_log = logging.getLogger("hubclient")
_ARCHIVE = "archive.zip"
_TRUST = "do not use it before you know why; if it is meant, pin it: hub lock --update NAME"


@dataclass(frozen=True)
class Wanted:
    """What is known of a model before its bytes are: its names, the overlay, the labels on its card (to hold a fallback against), and the
    archive's SHA-256, or those of a repository's files, where somebody knows them; else perhaps its length and ETag."""

    identity: Identity = field(default_factory=Identity)
    overlay: Overlay = field(default_factory=Overlay)
    card_labels: tuple[str, ...] = ()
    sha256: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    etag: str | None = None


@dataclass(frozen=True)
class Workshop:
    """What the work is done with. keep_archive: what is fetched is kept too. afresh: what the store has is damaged. turns: those of one
    model among several. lock: nothing else may be had."""

    catalog: Catalog
    store: Store
    settings: Settings
    progress: Progress
    line: Line = field(default_factory=Line)
    keep_archive: bool = False
    afresh: bool = False
    turns: Turns = field(default_factory=Turns)
    lock: Lock | None = None

    @property
    def mirrors(self) -> tuple[Path, ...]:
        return (bundled.MIRROR, *self.settings.mirrors)

    def find(self, identity: str) -> Entry | None:
        """What the store has by this name, if that is all that is asked for."""
        entry = None if self.afresh else self.store.find(identity)
        return None if entry and self.keep_archive and _lacks_archive(entry) else entry


def acquire(plan: Plan, wanted: Wanted, workshop: Workshop) -> Entry:
    """The model in the store. Raises SourceError, ArchiveError, ModelError, StoreError."""
    if isinstance(plan, UseStored):
        return _used(plan.entry, workshop)
    with workshop.store.lock(plan.identity, lambda: _log.info("waiting for another process that pulls the same model")):
        return _used(workshop.find(plan.identity) or _fetch(plan, wanted, workshop), workshop)


def acquire_file(path: Path, wanted: Wanted, workshop: Workshop, identity: str | None = None) -> Entry:
    """Convert a file or folder of the user's; what it holds is what names it in the store, unless it is known by another identity."""
    check_path(path)
    identity = identity or identity_of(path)
    with workshop.store.lock(identity):
        entry = None if workshop.afresh else workshop.store.find(identity)
        return _used(entry or _convert_path(path, identity, wanted, workshop), workshop)


def acquire_kept(archive: Path, name: Name, wanted: Wanted, workshop: Workshop) -> Entry:
    """Convert the archive that was kept of a name once more."""
    origin = Origin(**name.own["origin"])
    with workshop.store.lock(name.identity):
        return _used(_convert_archive(archive, name.identity, origin, wanted, workshop), workshop)


def _used(entry: Entry, workshop: Workshop) -> Entry:
    if not workshop.store.use(entry):
        raise NotFound("the model was removed while it was looked up", where=entry.identity, hint="try again")
    return entry


def _lacks_archive(entry: Entry) -> bool:
    is_repository = entry.name.own.get("origin", {}).get("commit") is not None
    return entry.archive is None and not is_repository


def identity_of(path: Path) -> str:
    """The name of a user's file or folder: by what it holds."""
    return f"sha256:{_content_digest(path)}"


def check_path(path: Path) -> None:
    """Before everything in it is read: a folder that is no model may be large. Raises SourceError, NotAnArchive."""
    if not os.path.isdir(path):
        LocalFile(path).stat()
        return
    with suppress(OSError):
        if not any((folder / name).exists() for folder in (path, *path.iterdir()) for name in ("metadata", CONFIG)):
            raise NotAnArchive("the folder holds no model", where=str(path), why=f"neither it nor a folder in it has metadata or {CONFIG}")


def _fetch(plan: Fetch, wanted: Wanted, workshop: Workshop) -> Entry:
    *mirrors, last = plan.candidates
    others: list[HubError] = []
    for candidate in mirrors:
        try:
            return _install(candidate, wanted, workshop)
        except NotFound:
            continue
        except CorruptTransfer as error:
            _log.warning("%s: another source is asked", error.in_short())
            others.append(error)
    try:
        return _install(last, wanted, workshop)
    except (NotFound, Forbidden) as gone:
        if others:
            raise _no_source([*others, gone]) from gone
        if plan.fallback is None or isinstance(last.location, HubLocation):
            raise
        _log.warning("%s: %s; trying %s", last.location, gone.what, plan.fallback.location)
        return _fall_back(plan.fallback, gone, wanted, workshop)
    except SourceError as error:
        if others:
            raise _no_source([*others, error]) from error
        raise


def _fall_back(candidate: Candidate, gone: SourceError, wanted: Wanted, workshop: Workshop) -> Entry:
    try:
        return _install(candidate, wanted, workshop, must_agree=True)
    except (SourceError, ArchiveError, ModelError) as error:
        raise _no_source([gone, error]) from error


def _no_source(causes: Sequence[HubError]) -> NoSourceLeft:
    return NoSourceLeft("every source of the model failed", causes=causes, hint="hub info shows where the card says it is")


def _install(candidate: Candidate, wanted: Wanted, workshop: Workshop, *, must_agree: bool = False) -> Entry:
    if isinstance(candidate.location, HubLocation):
        return _install_repository(candidate.location, candidate.identity, wanted, workshop, must_agree=must_agree)
    if candidate.mirror and isinstance(candidate.location, S3Location):
        return _install_local(in_mirror(candidate.mirror, candidate.location), candidate, wanted, workshop)
    from hubclient.sources.digests import Digests
    from hubclient.transfer.fetch import fetch
    from hubclient.transfer.parts import forget

    parts = workshop.settings.transfers
    remote = remote_file(candidate.location, workshop.settings)
    with workshop.store.staging(candidate.identity) as work, ExitStack() as arrived:
        archive = work / _ARCHIVE
        expected = Digests(sha256=wanted.sha256) if wanted.sha256 else None
        with workshop.turns.transfer():
            fetched = fetch(remote, archive, expected=expected, parts=parts, stays=True, line=workshop.line, progress=workshop.progress)
        # Until then it stays: whoever is killed while converting has not fetched in vain.
        arrived.callback(forget, parts, remote.url)
        origin = Origin(fetched.url, fetched.size, fetched.sha256, fetched.etag)
        _demand_same(origin, wanted)
        with _told_where(fetched.url, archive):
            entry = _convert_archive(archive, candidate.identity, origin, wanted, workshop)
        return workshop.store.keep_archive(entry, archive, fetched.sha256) if workshop.keep_archive else entry


def _install_local(file: LocalFile, candidate: Candidate, wanted: Wanted, workshop: Workshop) -> Entry:
    size, sha256 = file.stat().size, _file_digest(file.path)
    if wanted.sha256 not in (None, sha256):
        raise _other_bytes(str(file.path), wanted.sha256, sha256)
    origin = Origin(str(candidate.location), size, sha256)
    entry = _convert_archive(file.path, candidate.identity, origin, wanted, workshop)
    if not workshop.keep_archive:
        return entry
    with workshop.store.staging(candidate.identity) as work, disk_errors(work, needed=size):
        clone(file.path, work / _ARCHIVE)
        return workshop.store.keep_archive(entry, work / _ARCHIVE, sha256)


def _convert_archive(path: Path, identity: str, origin: Origin, wanted: Wanted, workshop: Workshop) -> Entry:
    from hubclient.convert.archive import convert_archive
    from hubclient.convert.job import Job

    store = workshop.store
    with workshop.turns.conversion(), _told_where(str(path), path), store.staging(identity) as work, store.staging(identity) as staging:
        hashes = convert_archive(path, Job(staging, work, origin, wanted.identity, wanted.overlay), workshop.progress)
        return store.commit(staging, identity, hashes, afresh=workshop.afresh)


def _install_repository(location: HubLocation, identity: str, wanted: Wanted, workshop: Workshop, *, must_agree: bool) -> Entry:
    from hubclient.convert.job import Job
    from hubclient.convert.repository import check_labels, convert_repository, small_files, weight_files
    from hubclient.sources.huggingface import HubRepository
    from hubclient.transfer.repository import fetch_files

    repository = HubRepository(location, workshop.settings)
    snapshot = _only_wanted(repository.resolve(), wanted, repository.url)
    fetch = partial(fetch_files, repository, snapshot, parts=workshop.settings.transfers, line=workshop.line)
    with workshop.store.staging(identity) as staging, _told_where(repository.url, staging):
        settings = small_files(snapshot.files)
        with workshop.turns.transfer():
            digests = fetch(settings, staging)
            weights = weight_files(staging, snapshot.files)
            if must_agree:
                check_labels(staging, wanted.card_labels, repository.url)
            with workshop.progress.task(location.repo, snapshot.size_of(weights)) as advance:
                digests |= fetch(weights, staging, advance=advance)
        for name, sha256 in digests.items():
            if wanted.files.get(name, sha256) != sha256:
                raise _other_bytes(f"{repository.url} ({name})", wanted.files[name], sha256)
        origin = Origin(repository.url, snapshot.size_of([*settings, *weights]), commit=snapshot.commit, files=_without(digests, README))
        with workshop.turns.conversion():
            hashes = convert_repository(Job(staging, staging, origin, wanted.identity, wanted.overlay))
        return workshop.store.commit(staging, identity, hashes, afresh=workshop.afresh)


def _without(digests: Mapping[str, str], name: str) -> dict[str, str]:
    return {other: digests[other] for other in sorted(digests) if other != name}


def _only_wanted(snapshot: HubSnapshot, wanted: Wanted, url: str) -> HubSnapshot:
    """Where the files are pinned, the model is made of these and no others, whatever the Hub says that there is at the commit."""
    if not wanted.files:
        return snapshot
    if missing := sorted(wanted.files.keys() - snapshot.files.keys()):
        why = f"it lacks {', '.join(missing[:5])}"
        raise CorruptTransfer("the repository is another one than is wanted", where=url, why=why, hint=_TRUST)
    kept = {name: file for name, file in snapshot.files.items() if name in wanted.files or name == README}
    return replace(snapshot, files=kept)


def _convert_path(path: Path, identity: str, wanted: Wanted, workshop: Workshop) -> Entry:
    from hubclient.convert.job import Job
    from hubclient.convert.repository import convert_repository, is_repository, small_files, weight_files

    origin = Origin(path.absolute().as_uri(), sum(file.stat().st_size for file in _files(path)), wanted.sha256)
    if not is_repository(path):
        return _convert_archive(path, identity, origin, wanted, workshop)
    with workshop.store.staging(identity) as staging, _told_where(str(path), staging), disk_errors(staging):
        names = [file.relative_to(path).as_posix() for file in _files(path)]
        # Never a hard link: what the user writes into a file of his own is not the model's.
        for name in small_files(names):
            clone(path / name, staging / name)
        for name in weight_files(staging, names):
            clone(path / name, staging / name)
        hashes = convert_repository(Job(staging, staging, origin, wanted.identity, wanted.overlay))
        return workshop.store.commit(staging, identity, hashes, afresh=workshop.afresh)


def _demand_same(origin: Origin, wanted: Wanted) -> None:
    """Where there is no hash to compare, length and ETag."""
    told = (("bytes", wanted.size, origin.size), ("ETag", wanted.etag, origin.etag))
    for what, expected, found in told if wanted.sha256 is None else ():
        if None not in (expected, found) and expected != found:
            why = f"{what}: {found}, and {expected} is wanted"
            raise CorruptTransfer("the file is another one than is wanted", where=origin.url, why=why, hint=_TRUST)


def _other_bytes(where: str, expected: str | None, found: str) -> CorruptTransfer:
    why = f"its SHA-256 is {found}, and {expected} is wanted"
    return CorruptTransfer("the file is another one than is wanted", where=where, why=why, hint=_TRUST)


@contextmanager
def _told_where(origin: str, path: Path) -> Iterator[None]:
    """Errors name what the user knows, not where it lay (at `path`) while it was read."""
    try:
        yield
    except (ArchiveError, ModelError) as error:
        error.where = (error.where or str(path)).replace(str(path), origin)
        raise


def _content_digest(path: Path) -> str:
    files = _files(path)
    if path.is_file():
        return _file_digest(path)
    total = hashlib.sha256()
    for file in files:
        total.update(f"{file.relative_to(path).as_posix()}\0{_file_digest(file)}\n".encode())
    return total.hexdigest()


def _files(path: Path) -> Sequence[Path]:
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())


def _file_digest(path: Path) -> str:
    total = hashlib.sha256()
    for chunk in LocalFile(path).read().chunks:
        total.update(chunk)
    return total.hexdigest()
