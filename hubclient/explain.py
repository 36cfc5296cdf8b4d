"""Why a reference means what it means, and what would be done to have the model: the decisions themselves, told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hubclient.acquire import Workshop, check_path
from hubclient.cards import Card
from hubclient.catalog import Candidate, Deliberation
from hubclient.catalog.catalog import LiveCards
from hubclient.convert.annotators import can_open
from hubclient.errors import AmbiguousModel, ArchiveError, HubError, ResolutionError, SourceError
from hubclient.names import CardReference, Reference
from hubclient.native import MANIFEST
from hubclient.plan import Candidate as Place
from hubclient.plan import Fetch, Plan, UseStored
from hubclient.sources import HubLocation, S3Location, remote_file
from hubclient.sources.local import in_mirror
from hubclient.way import Choice, Target, offline_refusal, refusal, stored_target, target_at, target_of_card


@dataclass(frozen=True)
class Source:
    """`role`: store, mirror, S3, web, Hugging Face or file. `state`: what is known of it; only the network would tell of a remote one.
    `action`: what would happen with it."""

    role: str
    location: str
    state: str
    action: str


@dataclass(frozen=True)
class Explanation:
    """`deliberation` is None for a reference that names a place and no card. `error` is what pulling would end in, as far as is known."""

    reference: Reference
    deliberation: Deliberation | None = None
    card: Card | None = None
    sources: tuple[Source, ...] = ()
    outcome: str = ""
    error: HubError | None = None

    def to_dict(self) -> dict[str, Any]:
        found = self.deliberation
        return {
            "reference": str(self.reference),
            "steps": list(found.steps) if found else [],
            "candidates": [_candidate(candidate) for candidate in found.candidates] if found else [],
            "notices": list(found.notices) if found else [],
            "sources": [vars(source) for source in self.sources],
            "outcome": self.outcome,
            "error": str(self.error) if self.error else None,
        }


def explain(
    workshop: Workshop, reference: Reference, choice: Choice, *, live: LiveCards | None = None, online: bool = False
) -> Explanation:
    """Nothing is fetched but what `live` fetches; `online` asks the remote sources whether they have the model.

    Raises CardError for a broken card or overlay.
    """
    if not isinstance(reference, CardReference):
        return _explained(Explanation(reference), target_at(workshop, reference), workshop, online)
    found = workshop.catalog.deliberate(reference, can_open=can_open, live=live)
    if found.chosen is None and not isinstance(found.error, AmbiguousModel) and (stored := stored_target(workshop, reference, choice)):
        return _explained(Explanation(reference, found), stored, workshop, online)
    if found.chosen is None:
        return Explanation(reference, found, outcome="no card is chosen", error=found.error)
    card = found.chosen.card
    chosen = Explanation(reference, found, card)
    try:
        target = target_of_card(workshop, card, workshop.catalog.overlay(card), choice)
    except ResolutionError as error:
        return replace(chosen, outcome="there is nowhere to get the model from", error=error)
    return _explained(chosen, target, workshop, online)


def _explained(explanation: Explanation, target: Target, workshop: Workshop, online: bool) -> Explanation:
    sources = tuple(_sources(target.plan, workshop, online))
    error = refusal(target) or _error(target, sources, workshop)
    return replace(explanation, sources=sources, outcome="it cannot be had" if error else _outcome(target, workshop), error=error)


def _sources(plan: Plan | Path, workshop: Workshop, online: bool) -> Iterator[Source]:
    match plan:
        case UseStored():
            yield Source("store", plan.identity, "there", "use")
        case Fetch():
            yield Source("store", plan.identity, plan.why, "pass")
            mirrored = False
            for place in plan.candidates:
                source = _place(place, workshop, online)
                yield replace(source, action="pass: a mirror has it") if mirrored else source
                mirrored |= _is_mirror_of_it(source)
            if plan.fallback:
                action = "pass: a mirror has it" if mirrored else "fetch and convert, if the former says that it is gone or forbidden"
                yield replace(_place(plan.fallback, workshop, online), action=action)
        case _:
            state = "there" if os.path.exists(plan) else "not there"
            yield Source("file", str(plan), state, "open" if _is_native(plan) else "convert")


def _place(place: Place, workshop: Workshop, online: bool) -> Source:
    if place.mirror and isinstance(place.location, S3Location):
        there = in_mirror(place.mirror, place.location)
        found = os.path.isfile(there.path)
        return Source("mirror", str(there.path), "there" if found else "not there", "convert" if found else "pass")
    role = "Hugging Face" if isinstance(place.location, HubLocation) else "S3" if isinstance(place.location, S3Location) else "web"
    return Source(role, str(place.location), _asked(place, workshop) if online else "not asked", "fetch and convert")


def _asked(place: Place, workshop: Workshop) -> str:
    try:
        if isinstance(place.location, HubLocation):
            from hubclient.sources.huggingface import HubRepository

            return f"there, at commit {HubRepository(place.location, workshop.settings).resolve().commit}"
        found = remote_file(place.location, workshop.settings).stat()
        return f"there, {found.size:,} bytes" + (f", ETag {found.etag}" if found.etag else "")
    except SourceError as error:
        return f"{error.what}" + (f" ({error.why})" if error.why else "")


def _is_mirror_of_it(source: Source) -> bool:
    return source.role == "mirror" and source.state == "there"


def _error(target: Target, sources: tuple[Source, ...], workshop: Workshop) -> HubError | None:
    """What pulling is known to end in: a connection where none may be opened, or a path that is no model."""
    match target.plan:
        case Fetch() if workshop.settings.offline and not any(map(_is_mirror_of_it, sources)):
            return offline_refusal(target, workshop)
        case Path() if not _is_native(target.plan):
            try:
                check_path(target.plan)
            except (SourceError, ArchiveError) as error:
                return error
    return None


def _outcome(target: Target, workshop: Workshop) -> str:
    match target.plan:
        case UseStored():
            return f"open {target.plan.entry.path}"
        case Fetch():
            outcome = "fetch from the first source that has it, verify, convert, keep"
            if target.card is None or can_open(target.card.annotator):
                return outcome
            return f"{outcome}; it cannot be opened: hubclient does not know {target.card.annotator}"
        case path:
            return "open it in place" if _is_native(path) else "convert it, unless that is done already, and keep that by its content"


def _is_native(path: Path) -> bool:
    return os.path.isfile(path / MANIFEST)


def _candidate(candidate: Candidate) -> dict[str, Any]:
    known = candidate.known
    return {
        "model": str(known.key),
        "chosen": candidate.verdict is None,
        "verdict": candidate.verdict,
        "annotator": known.card.annotator,
        "layer": str(known.layer),
        "file": known.file,
        "archive": known.card.s3_uri or known.card.download_url,
    }
