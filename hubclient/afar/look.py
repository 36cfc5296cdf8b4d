"""What a reference stands for, looked at from afar: asked in the order in which a pull would ask, and held against its card."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from hubclient.acquire import Workshop
from hubclient.afar.archive import archive_afar
from hubclient.afar.model import RemoteModel
from hubclient.afar.repository import repository_afar
from hubclient.cards import Card, Overlay
from hubclient.convert.annotators import can_open
from hubclient.disagreements import Disagreement, disagreements
from hubclient.errors import Forbidden, NoSourceLeft, NotFound, Offline, SourceError, UsageError
from hubclient.names import AddressReference, CardReference, HubReference, Reference
from hubclient.plan import Candidate, Fetch, Plan, plan_address, plan_card, plan_repository
from hubclient.sources import HubLocation, S3Location, remote_file
from hubclient.sources.local import LocalFile, in_mirror
from hubclient.way import Choice


@dataclass(frozen=True)
class Seen:
    """`card`: the one that answers to the reference, or the repository's own. `model`: its facts have the overlay's on top."""

    model: RemoteModel
    card: Card | None = None
    notices: tuple[str, ...] = ()
    disagreements: tuple[Disagreement, ...] = field(default_factory=tuple)

    def to_dict(self) -> dict[str, Any]:
        return {
            "model": self.model.to_dict(),
            "card": self.card.to_dict() if self.card else None,
            "notices": list(self.notices),
            "disagreements": [asdict(found) for found in self.disagreements],
        }


def look(workshop: Workshop, reference: Reference, choice: Choice) -> Seen:
    """Raises ResolutionError, CardError, SourceError, ArchiveError, ModelError, and UsageError for a folder."""
    match reference:
        case CardReference():
            resolution = workshop.catalog.resolve(reference, can_open=can_open)
            seen = look_at_card(workshop, resolution.card, resolution.overlay, choice)
            return replace(seen, notices=(*resolution.notices, *seen.notices))
        case HubReference():
            return _first(workshop, plan_repository(reference, _not_stored))
        case AddressReference():
            return _first(workshop, plan_address(reference, _not_stored, mirrors=workshop.mirrors))
    path = Path(os.path.expanduser(reference.path))
    if path.is_dir():
        raise UsageError(f"'{reference}' is a folder", hint="hub info shows the model in a folder; hub inspect is for what lies elsewhere")
    return Seen(archive_afar(LocalFile(path)))


def look_at_card(workshop: Workshop, card: Card, overlay: Overlay, choice: Choice) -> Seen:
    """Raises UnknownModel when the card names no place that holds the model."""
    plan = plan_card(card, _not_stored, mirrors=workshop.mirrors, source=choice.source, revision=choice.revision)
    seen = _first(workshop, plan)
    facts = seen.model.facts.under(overlay.to_dict(), None) if seen.model.facts else None
    model = replace(seen.model, facts=facts, unsaid=tuple(name for name in seen.model.unsaid if overlay.to_dict().get(name) is None))
    return replace(seen, model=model, card=card, disagreements=tuple(_differences(model, card)))


def _not_stored(identity: str) -> Any:
    """The origin is asked, whatever this machine has."""
    return None


def _first(workshop: Workshop, plan: Plan) -> Seen:
    """The first of a plan's sources that has the model; a fallback where the last of them says that it is gone or forbidden."""
    assert isinstance(plan, Fetch)
    for candidate in plan.candidates[:-1]:
        try:
            return _seen(workshop, candidate)
        except NotFound:
            continue
    try:
        return _seen(workshop, plan.candidates[-1])
    except (NotFound, Forbidden) as gone:
        if plan.fallback is None:
            raise
        try:
            seen = _seen(workshop, plan.fallback)
        except SourceError as error:
            raise NoSourceLeft("every source of the model failed", causes=[gone, error]) from error
        return replace(seen, notices=(f"{plan.candidates[-1].location}: {gone.what}; this is {plan.fallback.location}",))


def _seen(workshop: Workshop, candidate: Candidate) -> Seen:
    location, settings = candidate.location, workshop.settings
    if candidate.mirror and isinstance(location, S3Location):
        return Seen(archive_afar(in_mirror(candidate.mirror, location)))
    if settings.offline:
        raise Offline("a connection is needed, and offline was asked for", where=str(location), hint="hub info shows what is here")
    if isinstance(location, HubLocation):
        found = repository_afar(location, settings)
        return Seen(found.model, found.card, disagreements=tuple(_differences(found.model, found.card)))
    return Seen(archive_afar(remote_file(location, settings)))


def _differences(model: RemoteModel, card: Card | None) -> list[Disagreement]:
    return [found for found in disagreements(model, card) if found.fact not in model.unsaid]
