"""What would be done for a reference, and why: decided from values alone, before anything is asked or written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hubclient.cards import Card
from hubclient.errors import UnknownModel, UsageError
from hubclient.names import AddressReference, HubReference
from hubclient.sources.location import HubLocation, Location, S3Location, WebLocation, location_at

if TYPE_CHECKING:
    from hubclient.store import Entry

SourceChoice = Literal["s3", "hf"]


@dataclass(frozen=True)
class Candidate:
    """One place to get the bytes from. `mirror` is the folder, when it is one; `identity` names the store entry that it makes."""

    location: Location
    identity: str
    mirror: Path | None = None

    def __str__(self) -> str:
        return f"{self.location} in the mirror {self.mirror}" if self.mirror else str(self.location)


@dataclass(frozen=True)
class UseStored:
    entry: Entry
    why: str

    @property
    def identity(self) -> str:
        return self.entry.identity


@dataclass(frozen=True)
class Fetch:
    """Candidates in order: a mirror may lack the object. `fallback` is asked only when the last candidate says gone or forbidden."""

    candidates: tuple[Candidate, ...]
    why: str
    fallback: Candidate | None = None

    @property
    def identity(self) -> str:
        return self.candidates[0].identity


Plan = UseStored | Fetch
Find = Callable[[str], "Entry | None"]
"""What the store has by this identity."""


def plan_card(
    card: Card,
    find: Find,
    *,
    mirrors: Sequence[Path] = (),
    source: SourceChoice | None = None,
    revision: str | None = None,
) -> Plan:
    """Store, mirrors, S3, and the card's Hugging Face origin in place of S3; `source` asks for one of the two alone.

    Raises UnknownModel when the card names no such place.
    """
    if source not in (None, "s3", "hf"):
        raise UsageError(f"there is no source '{source}'", hint="use 's3' or 'hf'")
    if source == "s3" and revision is not None:
        raise UsageError(f"source='s3' takes no revision, and revision={revision!r} was given", hint="leave out one of the two")
    if source == "hf" or revision is not None:
        if card.hf_origin is None:
            given = "revision" if source is None else "source='hf'"
            raise UnknownModel(f"the card of '{card.model_name}' names no Hugging Face repository", hint=f"leave out {given}")
        return plan_repository(HubReference(card.hf_origin, revision), find)
    archive = _archive(card)
    if archive is None:
        raise UnknownModel(
            f"the card of '{card.model_name}' names no archive to download",
            where=card.path,
            hint="use source='hf'" if card.hf_origin else None,
        )
    fallback = None
    if card.hf_origin and source is None:
        repository = HubLocation(card.hf_origin)
        fallback = Candidate(repository, f"{archive.identity} from {repository.identity}")
    for candidate in (archive, fallback):
        if candidate and (entry := find(candidate.identity)):
            return UseStored(entry, f"{candidate} is in the store")
    return Fetch(_mirrored(archive, mirrors), "not in the store", fallback)


def plan_repository(reference: HubReference, find: Find) -> Plan:
    """Without a revision the stored one is used, whatever the branch points to by now."""
    location = HubLocation(reference.repo, reference.revision)
    return _plan_one(Candidate(location, location.identity), find)


def plan_address(reference: AddressReference, find: Find, *, mirrors: Sequence[Path] = ()) -> Plan:
    location = location_at(reference.url)
    return _plan_one(Candidate(location, location.identity), find, mirrors)


def _plan_one(candidate: Candidate, find: Find, mirrors: Sequence[Path] = ()) -> Plan:
    if entry := find(candidate.identity):
        return UseStored(entry, f"{candidate} is in the store")
    return Fetch(_mirrored(candidate, mirrors), "not in the store")


def _mirrored(candidate: Candidate, mirrors: Sequence[Path]) -> tuple[Candidate, ...]:
    """The mirrors that may hold an S3 object, then the candidate itself."""
    if not isinstance(candidate.location, S3Location):
        return (candidate,)
    return (*(replace(candidate, mirror=mirror) for mirror in mirrors), candidate)


def _archive(card: Card) -> Candidate | None:
    location: Location
    if card.s3_parsed:
        location = S3Location(card.s3_parsed.bucket, card.s3_parsed.key)
    elif card.download_url:
        location = WebLocation(card.download_url)
    else:
        return None
    return Candidate(location, location.identity)
