"""Archives of models, copied to a mirror: those that are there are left, those that were not kept are fetched again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from hubclient.acquire import Workshop
from hubclient.cards import Card
from hubclient.convert.annotators import can_open
from hubclient.errors import AmbiguousModel, HubError, NotLocked, ResolutionError, UsageError
from hubclient.lockfile import Lock
from hubclient.mirror.bucket import MirrorBucket
from hubclient.mirror.folder import MirrorFolder, facts_of
from hubclient.mirror.index import files_in, index_line, with_lines
from hubclient.mirror.place import Facts, LocalArchive, Place
from hubclient.names import AddressReference, CardReference, Reference
from hubclient.pinned import card_of, pin_of
from hubclient.plan import Candidate, Fetch, Plan, plan_address, plan_card
from hubclient.settings import Limits, is_web_address
from hubclient.sources import S3Location, remote_file
from hubclient.sources.digests import Digests
from hubclient.sources.local import in_mirror
from hubclient.store import Entry
from hubclient.way import Choice, stored_target


@dataclass(frozen=True)
class Mirrored:
    """What became of one reference. `copied`: False where the copy was there already. `listed`: whether the index tells of it, which it
    cannot of an archive that is not named as Spark NLP names its own."""

    reference: str
    address: str | None = None
    size: int | None = None
    copied: bool = False
    listed: bool = False
    error: HubError | None = None


@dataclass(frozen=True)
class _Archive:
    """What is to be copied: where it can be had, the content that was converted, what the card says it is, and the lock what it must be."""

    location: S3Location
    candidates: tuple[Candidate, ...]
    entry: Entry | None = None
    card: Card | None = None
    pinned: Facts | None = None

    @property
    def file(self) -> str:
        return self.location.key.rpartition("/")[2]

    @property
    def annotator(self) -> str | None:
        return self.card.annotator if self.card else None


@dataclass
class _Index:
    """An index as it was found, the archives that it tells of, and the lines that it is to have besides."""

    content: bytes
    files: set[str]
    lines: list[bytes] = field(default_factory=list)


def mirror(references: Iterable[Reference], place: Place, workshop: Workshop) -> Iterator[Mirrored]:
    """Copy the archives one after the other, and say what became of each; the indexes are written at the end.

    A failure does not stop the others. Raises StoreError or SourceError when an index cannot be read or written.
    """
    indexes: dict[str, _Index] = {}
    try:
        for reference in references:
            try:
                yield _mirror(reference, place, workshop, indexes)
            except HubError as error:
                yield Mirrored(str(reference), error=error)
    finally:
        for address, index in indexes.items():
            if index.lines:
                place.write_index(address, with_lines(index.content, index.lines))


def place_at(written: str, endpoint: str, limits: Limits) -> Place:
    """What a person wrote: a folder, or `s3://BUCKET[/PREFIX]`. Raises UsageError."""
    if not written.startswith("s3://"):
        return MirrorFolder(Path(os.path.expanduser(written)).absolute())
    bucket, _, prefix = written.removeprefix("s3://").partition("/")
    prefix = prefix.strip("/")
    if not bucket or {"", ".", ".."} & set(prefix.split("/") if prefix else ()):
        raise UsageError(f"'{written}' is no place for a mirror", hint="write s3://BUCKET, s3://BUCKET/PREFIX or a folder")
    if not is_web_address(endpoint):
        raise UsageError(f"'{endpoint}' is no address of a service", hint="write https://HOST or http://HOST:PORT")
    return MirrorBucket(bucket, prefix, endpoint=endpoint, limits=limits)


def _mirror(reference: Reference, place: Place, workshop: Workshop, indexes: dict[str, _Index]) -> Mirrored:
    archive = _find(reference, workshop)
    there = place.facts(archive.location)
    announced = _announced(archive, workshop) if there else None
    copied = False
    if there is None or announced is None or not there.is_same(announced):
        with ExitStack() as stack:
            local = _brought(archive, workshop, stack)
            if there is None or not there.is_same(local.facts):
                with workshop.progress.task(f"mirroring {archive.file}", local.facts.size) as advance:
                    place.put(archive.location, local, advance)
                copied = True
            there = local.facts
    listed = _list(archive, there, place, indexes, anew=copied)
    return Mirrored(str(reference), place.address(archive.location), there.size, copied, listed)


def _find(reference: Reference, workshop: Workshop) -> _Archive:
    """Raises UsageError for a reference that stands for no archive with a key, and what resolving it raises."""
    if workshop.lock is not None:
        return _pinned(reference, workshop, workshop.lock)
    card, plan = _planned(reference, workshop)
    location = plan.candidates[-1].location if isinstance(plan, Fetch) else None
    if isinstance(plan, Fetch) and isinstance(location, S3Location):
        return _Archive(location, plan.candidates, workshop.store.find(location.identity), card)
    raise _no_key(reference)


def _pinned(reference: Reference, workshop: Workshop, lock: Lock) -> _Archive:
    """What a lock allows. Raises NotLocked."""
    pin = pin_of(lock, reference, workshop)
    location = pin.location
    if not isinstance(location, S3Location):
        raise _no_key(reference)
    plan = plan_address(AddressReference(pin.source), _nothing, mirrors=workshop.mirrors)
    assert isinstance(plan, Fetch)
    if pin.size is None or pin.sha256 is None:
        raise NotLocked(f"the lock has no hash of '{pin}'", where=lock.path, hint="hub sync adds it")
    entry, (card, _) = workshop.store.find(location.identity), card_of(pin, workshop)
    return _Archive(location, plan.candidates, entry, card, Facts(pin.size, pin.sha256))


def _no_key(reference: Reference) -> UsageError:
    hint = "hub bundle carries models of any origin"
    return UsageError(f"'{reference}' stands for no archive in S3, and only these have keys to be mirrored under", hint=hint)


def _planned(reference: Reference, workshop: Workshop) -> tuple[Card | None, Plan | None]:
    if isinstance(reference, AddressReference):
        return None, plan_address(reference, _nothing, mirrors=workshop.mirrors)
    if not isinstance(reference, CardReference):
        return None, None
    try:
        card = workshop.catalog.resolve(reference, can_open=can_open).card
    except AmbiguousModel:
        raise
    except ResolutionError:
        stored = stored_target(workshop, reference, Choice())
        if stored is None or isinstance(stored.plan, Path) or not stored.plan.identity.startswith("s3://"):
            raise
        return None, plan_address(AddressReference(stored.plan.identity), _nothing, mirrors=workshop.mirrors)
    return card, plan_card(card, _nothing, mirrors=workshop.mirrors, source="s3")


def _nothing(identity: str) -> None:
    """What the store has does not count here: it has no archives."""


def _announced(archive: _Archive, workshop: Workshop) -> Facts:
    """What the content ought to be: as it was when it was converted, or as its source says."""
    if known := _converted(archive):
        return known
    for candidate in archive.candidates[:-1]:
        assert candidate.mirror is not None
        if (file := in_mirror(candidate.mirror, archive.location)).path.is_file():
            return facts_of(file.path)
    stat = remote_file(archive.location, workshop.settings).stat()
    return Facts(stat.size, stat.digests.sha256, stat.digests.md5)


def _converted(archive: _Archive) -> Facts | None:
    if archive.pinned:
        return archive.pinned
    origin = archive.entry.manifest.get("origin", {}) if archive.entry else {}
    size, sha256 = origin.get("size"), origin.get("sha256")
    return Facts(size, sha256) if size is not None and sha256 is not None else None


def _brought(archive: _Archive, workshop: Workshop, stack: ExitStack) -> LocalArchive:
    """The archive on this machine, as long as the stack is open. Raises SourceError, StoreError."""
    known = _converted(archive)
    for path in _at_hand(archive):
        facts = facts_of(path)
        if known is None or facts.is_same(known):
            return LocalArchive(path, facts)
    from hubclient.transfer.fetch import fetch

    work = stack.enter_context(workshop.store.staging(archive.location.identity))
    path = work / "archive.zip"
    fetch(
        remote_file(archive.location, workshop.settings),
        path,
        expected=Digests(sha256=known.sha256) if known else None,
        parts=workshop.settings.transfers,
        line=workshop.line,
        progress=workshop.progress,
    )
    return LocalArchive(path, facts_of(path))


def _at_hand(archive: _Archive) -> Iterator[Path]:
    if archive.entry and archive.entry.archive:
        yield archive.entry.archive
    for candidate in archive.candidates[:-1]:
        assert candidate.mirror is not None
        path = in_mirror(candidate.mirror, archive.location).path
        if path.is_file():
            yield path


def _list(archive: _Archive, facts: Facts, place: Place, indexes: dict[str, _Index], *, anew: bool) -> bool:
    line = index_line(archive.file, facts.md5 or "", archive.annotator)
    if line is None:
        return False
    address = place.index(archive.location)
    if address not in indexes:
        content = place.read_index(address)
        indexes[address] = _Index(content, files_in(content))
    if anew or archive.file not in indexes[address].files:
        indexes[address].lines.append(line)
    return True
