"""Carrying a plan out: fetch, verify, convert, commit. Whatever fails leaves the store as it was."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from hubclient import bundled
from hubclient.cards import Overlay
from hubclient.catalog import Catalog
from hubclient.errors import ArchiveError, Forbidden, ModelError, NoSourceLeft, NotAnArchive, NotFound, SourceError
from hubclient.native import CONFIG, Identity, Origin
from hubclient.plan import Candidate, Fetch, Plan, UseStored
from hubclient.settings import Settings
from hubclient.sources import HubLocation, S3Location, remote_file
from hubclient.sources.local import LocalFile, in_mirror
from hubclient.store import Store
from hubclient.transfer.progress import Progress

_log = logging.getLogger("hubclient")


@dataclass(frozen=True)
class Wanted:
    """What is known of a model before its bytes are: its names, the overlay, and the labels on its card (to hold a fallback against)."""

    identity: Identity = field(default_factory=Identity)
    overlay: Overlay = field(default_factory=Overlay)
    card_labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workshop:
    """What the work is done with."""

    catalog: Catalog
    store: Store
    settings: Settings
    progress: Progress

    @property
    def mirrors(self) -> tuple[Path, ...]:
        return (bundled.MIRROR, *self.settings.mirrors)

    def has(self, identity: str) -> bool:
        """Whether the store holds this content, whole."""
        return self.store.find(identity) is not None


def acquire(plan: Plan, wanted: Wanted, workshop: Workshop) -> Path:
    """The model's folder in the store. Raises SourceError, ArchiveError, ModelError, StoreError."""
    if isinstance(plan, UseStored):
        entry = workshop.store.find(plan.identity)
        if entry is None:
            raise NotFound("the model was removed while it was looked up", where=plan.identity, hint="try again")
        return entry.path
    with workshop.store.lock(plan.identity, lambda: _log.info("waiting for another process that pulls the same model")):
        entry = workshop.store.find(plan.identity)
        return entry.path if entry else _fetch(plan, wanted, workshop)


def acquire_file(path: Path, wanted: Wanted, workshop: Workshop) -> Path:
    """Convert a file or folder of the user's; what it holds is what names it in the store."""
    check_path(path)
    identity = f"sha256:{_content_digest(path)}"
    with workshop.store.lock(identity):
        entry = workshop.store.find(identity)
        return entry.path if entry else _convert_path(path, identity, wanted, workshop)


def check_path(path: Path) -> None:
    """Before everything in it is read: a folder that is no model may be large. Raises SourceError, NotAnArchive."""
    if not os.path.isdir(path):
        LocalFile(path).stat()
        return
    with suppress(OSError):
        if not any((folder / name).exists() for folder in (path, *path.iterdir()) for name in ("metadata", CONFIG)):
            raise NotAnArchive("the folder holds no model", where=str(path), why=f"neither it nor a folder in it has metadata or {CONFIG}")


def _fetch(plan: Fetch, wanted: Wanted, workshop: Workshop) -> Path:
    for candidate in plan.candidates[:-1]:
        try:
            return _install(candidate, wanted, workshop)
        except NotFound:
            continue
    last = plan.candidates[-1]
    try:
        return _install(last, wanted, workshop)
    except (NotFound, Forbidden) as gone:
        if plan.fallback is None or isinstance(last.location, HubLocation):
            raise
        _log.warning("%s: %s; trying %s", last.location, gone.what, plan.fallback.location)
        return _fall_back(plan.fallback, gone, wanted, workshop)


def _fall_back(candidate: Candidate, gone: SourceError, wanted: Wanted, workshop: Workshop) -> Path:
    try:
        return _install(candidate, wanted, workshop, must_agree=True)
    except (SourceError, ArchiveError, ModelError) as error:
        raise NoSourceLeft(
            "every source of the model failed", causes=[gone, error], hint="hub info shows where the card says it is"
        ) from error


def _install(candidate: Candidate, wanted: Wanted, workshop: Workshop, *, must_agree: bool = False) -> Path:
    if isinstance(candidate.location, HubLocation):
        return _install_repository(candidate.location, candidate.identity, wanted, workshop, must_agree=must_agree)
    if candidate.mirror and isinstance(candidate.location, S3Location):
        local = in_mirror(candidate.mirror, candidate.location)
        size = local.stat().size
        origin = Origin(str(candidate.location), size, _file_digest(local.path))
        return _convert_archive(local.path, candidate.identity, origin, wanted, workshop)
    from hubclient.transfer.fetch import fetch

    with workshop.store.staging(candidate.identity) as work:
        archive = work / "archive.zip"
        fetched = fetch(remote_file(candidate.location, workshop.settings), archive, progress=workshop.progress)
        origin = Origin(fetched.url, fetched.size, fetched.sha256, fetched.etag)
        with _told_where(fetched.url, archive):
            return _convert_archive(archive, candidate.identity, origin, wanted, workshop)


def _convert_archive(path: Path, identity: str, origin: Origin, wanted: Wanted, workshop: Workshop) -> Path:
    from hubclient.convert.archive import convert_archive
    from hubclient.convert.job import Job

    store = workshop.store
    with _told_where(str(path), path), store.staging(identity) as work, store.staging(identity) as staging:
        hashes = convert_archive(path, Job(staging, work, origin, wanted.identity, wanted.overlay), workshop.progress)
        return store.commit(staging, identity, hashes).path


def _install_repository(location: HubLocation, identity: str, wanted: Wanted, workshop: Workshop, *, must_agree: bool) -> Path:
    from hubclient.convert.job import Job
    from hubclient.convert.repository import check_labels, convert_repository, small_files, weight_files
    from hubclient.sources.huggingface import HubRepository

    repository = HubRepository(location, workshop.settings)
    snapshot = repository.resolve()
    with workshop.store.staging(identity) as staging, _told_where(repository.url, staging):
        settings = small_files(snapshot.files)
        repository.fetch(snapshot, settings, staging)
        weights = weight_files(staging, snapshot.files)
        if must_agree:
            check_labels(staging, wanted.card_labels, repository.url)
        with workshop.progress.task(location.repo, snapshot.size_of(weights)) as advance:
            repository.fetch(snapshot, weights, staging, advance)
        origin = Origin(repository.url, snapshot.size_of([*settings, *weights]), commit=snapshot.commit)
        hashes = convert_repository(Job(staging, staging, origin, wanted.identity, wanted.overlay))
        return workshop.store.commit(staging, identity, hashes).path


def _convert_path(path: Path, identity: str, wanted: Wanted, workshop: Workshop) -> Path:
    from hubclient.convert.job import Job
    from hubclient.convert.repository import convert_repository, is_repository, small_files, weight_files

    origin = Origin(path.absolute().as_uri(), sum(file.stat().st_size for file in _files(path)))
    if not is_repository(path):
        return _convert_archive(path, identity, origin, wanted, workshop)
    import shutil

    with workshop.store.staging(identity) as staging, _told_where(str(path), staging):
        names = [file.relative_to(path).as_posix() for file in _files(path)]
        for name in small_files(names):
            shutil.copyfile(path / name, staging / name)
        for name in weight_files(staging, names):
            shutil.copyfile(path / name, staging / name)
        hashes = convert_repository(Job(staging, staging, origin, wanted.identity, wanted.overlay))
        return workshop.store.commit(staging, identity, hashes).path


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
