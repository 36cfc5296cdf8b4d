"""Which pins have newer versions: in the catalogue, or at the head of their repository."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from hubclient.cards import Card
from hubclient.convert.annotators import can_open
from hubclient.errors import CardError, ResolutionError, SourceError, UnknownModel
from hubclient.hub import Hub
from hubclient.lockfile import Lock, Pin
from hubclient.names import CardReference, Constraint
from hubclient.sources import HubLocation
from hubclient.sources.huggingface import HubRepository


@dataclass(frozen=True)
class Newer:
    """`newest`: a library version, or a commit; `source`: where it lies. `why`: None, or why nothing newer can be told of."""

    pin: Pin
    newest: str | None
    source: str | None = None
    why: str | None = None


def outdated(hub: Hub, lock: Lock) -> Iterator[Newer]:
    """Those pins of which there is something newer, and those of which nobody can tell."""
    for pin in lock.pins:
        try:
            found = _at_the_hub(hub, pin) if isinstance(pin.location, HubLocation) else _in_the_catalogue(hub, pin)
        except (ResolutionError, CardError, SourceError) as error:
            found = Newer(pin, None, why=error.what)
        if found is not None:
            yield found


def newest_card(hub: Hub, pin: Pin) -> Card:
    """The card that the pin's name means now. Raises ResolutionError, CardError; UnknownModel, too, where no card tells of what is pinned,
    and the one of that name tells of what lies in another bucket, or at another host."""
    card = hub.catalog.resolve(CardReference(pin.name, pin.language), can_open=can_open).card
    if _bucket(card) != urlsplit(pin.source).netloc and not _has_card(hub, pin):
        raise UnknownModel(f"the card of the name '{pin.name}' tells of another model", where=card.path)
    return card


def _has_card(hub: Hub, pin: Pin) -> bool:
    try:
        card = hub.catalog.resolve(CardReference(pin.name, pin.language, Constraint("==", pin.age[0])), live=False).card
    except (ResolutionError, CardError):
        return False
    return pin.source in (card.s3_uri, card.download_url)


def _bucket(card: Card) -> str:
    return urlsplit(card.s3_uri or card.download_url or "").netloc


def _in_the_catalogue(hub: Hub, pin: Pin) -> Newer | None:
    card = newest_card(hub, pin)
    if (card.version, card.epoch_ms) <= pin.age:
        return None
    version = ".".join(map(str, card.version))
    return Newer(pin, version or None, card.s3_uri or card.download_url)


def _at_the_hub(hub: Hub, pin: Pin) -> Newer | None:
    repo = pin.source.removeprefix("hf:")
    commit = HubRepository(HubLocation(repo), hub.settings).resolve().commit
    return None if commit == pin.commit else Newer(pin, commit, f"{pin.source}@{commit}")
