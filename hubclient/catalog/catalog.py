"""Many cards, looked up by reference and by words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from hubclient.cards import Card, Overlay
from hubclient.catalog import lookup
from hubclient.catalog.folder import OVERLAY_ENDING, read_card, read_overlay
from hubclient.catalog.gallery import FacetName, Gallery, Glance, Wish
from hubclient.catalog.index import Index, Reader
from hubclient.catalog.layer import CardKey, Known, Layer
from hubclient.catalog.near import near_names, unknown_model
from hubclient.catalog.resolve import CanOpen, Deliberation, deliberate
from hubclient.catalog.row import card_of
from hubclient.catalog.search import Query, every_word, search
from hubclient.errors import AmbiguousModel, CardError, HubError, ResolutionError, SourceError, UsageError
from hubclient.names import CardReference
from hubclient.transfer.progress import Progress, Silent

LiveCards = Callable[[str], list[Card]]
"""The live index's cards of a name. Raises SourceError."""


@dataclass(frozen=True)
class Resolution:
    """The card that answers to a reference, its overlay (empty if there is none), and what the user should be told.

    The card has its facts and no prose: `Catalog.whole` reads that.
    """

    card: Card
    overlay: Overlay = field(default_factory=Overlay)
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class LayerCount:
    """`broken`: files that are no readable cards."""

    layer: Layer
    cards: int
    broken: int


class Catalog:
    """The cards of several layers, the weakest first; what none of them has is looked up in the live index.

    `folder`: where the index is kept; None keeps it in memory. Folders are looked through when the catalog is first asked, and again
    after `refresh`. Every method that asks may raise StoreError, or CardError if the bundled index is damaged.
    """

    def __init__(
        self, layers: Sequence[Layer], *, folder: Path | None = None, live: LiveCards | None = None, progress: Progress | None = None
    ) -> None:
        self._index = Index(layers, folder, progress or Silent())
        self._live = live
        self._gallery: tuple[tuple[object, ...], Gallery] | None = None
        self._refreshed = 0

    @classmethod
    def load(cls, folders: Sequence[Path]) -> Catalog:
        """The cards of these folders, the weakest first, indexed in memory."""
        return cls([Layer("folder", folder, own=True) for folder in folders])

    @property
    def layers(self) -> tuple[Layer, ...]:
        return self._index.layers

    @cached_property
    def cards(self) -> Mapping[CardKey, Card]:
        """Every card's facts, in the order of names, as they are when this is first asked."""
        return CardsByKey(self._index.ask(lookup.facts_by_key))

    @cached_property
    def problems(self) -> tuple[CardError, ...]:
        """What could not be listed, read or parsed, overlays included."""
        broken = self._broken_files.values()
        listed = [problem for folder in self._index.folders.values() for problem in folder.problems]
        return (*listed, *broken, *self._broken_overlays())

    def counts(self) -> list[LayerCount]:
        """What each layer holds, the weakest first."""
        return [LayerCount(layer, *numbers) for layer, numbers in self._index.ask(lookup.counts).items()]

    def has_name(self, name: str) -> bool:
        """Whether a card has this name: told much faster than why none has."""
        return self._index.ask(lambda reader: lookup.has_name(reader, name))

    def near(self, name: str) -> list[str]:
        """The names of cards that are like this one, the nearest first."""
        return near_names(name, self._index.ask(lookup.names))

    def refresh(self) -> None:
        """Look through the folders again when next asked."""
        self._index.refresh()
        self._refreshed += 1
        for name in ("cards", "problems", "_overlays", "_broken_files"):
            self.__dict__.pop(name, None)

    def resolve(self, reference: CardReference, *, can_open: CanOpen | None = None, live: bool = True) -> Resolution:
        """The newest card that answers to the reference, by the rules of `hubclient.catalog.resolve`.

        `can_open` says whether the model of a card can be opened; versions that cannot are passed over with a notice. `live`: ask the
        live index for what the cards do not have, which may fetch it.
        Raises a ResolutionError, or CardError if the overlay of the card is broken.
        """
        found = self.deliberate(reference, can_open=can_open, live=self._live if live else None)
        if found.chosen is None:
            assert found.error is not None
            raise found.error
        return Resolution(found.chosen.card, self.overlay(found.chosen.card), found.notices)

    def deliberate(self, reference: CardReference, *, can_open: CanOpen | None = None, live: LiveCards | None = None) -> Deliberation:
        """How the reference is resolved, by the cards and this live index; the error, if it is not, is there and not raised."""
        known = self._index.ask(lambda reader: lookup.cards_meant(reader, reference.name))
        found, trouble = deliberate(known, reference, can_open=can_open), None
        if live and found.chosen is None and not isinstance(found.error, AmbiguousModel):
            more, trouble = _live_cards(live, reference.name)
            found = deliberate((*known, *more), reference, can_open=can_open)
        if found.chosen is None:
            return replace(found, error=self._told(found.error or self._unknown(reference.name), trouble))
        left_out = [f"{error.in_short()}: it is left out" for error in self._unreadable(reference.name)]
        return replace(found, notices=(*found.notices, *_from_live(found.chosen), *left_out))

    def search(self, query: Query, *, limit: int | None = 20, can_open: CanOpen | None = None, every_version: bool = False) -> list[Card]:
        """The cards' facts, best first, one version of each name and language: the one that `resolve` takes. Raises UsageError."""
        if limit is not None and limit < 0:
            raise UsageError(f"the limit is {limit}, and must be 0 or more", hint="None is for all cards")

        def found(reader: Reader) -> list[Card]:
            among = lookup.counting_numbers(reader) if every_version else lookup.current_numbers(reader, can_open)
            return [known.card for known in lookup.cards_numbered(reader, search(reader, query, among)[:limit])]

        return self._index.ask(found)

    def glance(self, wish: Wish, *, can_open: CanOpen) -> Glance:
        """The cards that match, all of them by number, and what each facet would find. Raises UsageError."""

        return self._index.ask(lambda reader: self._current_gallery(reader, can_open).glance(reader, wish))

    def holders(self, *, can_open: CanOpen) -> dict[FacetName, dict[str, list[int]]]:
        """By facet and value, the numbers of the cards that have it."""
        return self._index.ask(lambda reader: self._current_gallery(reader, can_open).holders())

    def words(self) -> list[tuple[str, str, int]]:
        """Every word that search knows, with the column and the number of the card where it is."""
        return self._index.ask(every_word)

    def _current_gallery(self, reader: Reader, can_open: CanOpen) -> Gallery:
        states = lookup.states(reader)
        state: tuple[object, ...] = (states, can_open)
        if None in dict(states).values():
            state = (*state, self._refreshed)
        if self._gallery is None or self._gallery[0] != state:
            self._gallery = state, Gallery(reader, can_open)
        return self._gallery[1]

    def numbered(self, numbers: Iterable[int]) -> list[Known]:
        """The cards of these numbers, which `glance` gave."""
        return self._index.ask(lambda reader: lookup.cards_numbered(reader, numbers))

    def meant(self, name: str) -> list[Known]:
        """Every card that a name, or an NLU reference, may mean: of all languages and versions."""
        return self._index.ask(lambda reader: lookup.cards_meant(reader, name))

    def whole(self, card: Card) -> Card:
        """The card with its prose, read from its file; as it is if it has none. Raises CardError."""
        return read_card(Path(card.path)) if card.path else card

    def overlay(self, card: Card) -> Overlay:
        """The overlay beside the card's file, or one of the card's name and language in any folder; the last folder's counts.

        Raises CardError if it is broken.
        """
        names = {f"{card.model_name}_{card.model_language}{OVERLAY_ENDING}", f"{card.name}_{card.language}{OVERLAY_ENDING}"}
        beside = Path(card.path).with_suffix(OVERLAY_ENDING) if card.path else None
        for overlays in self._overlays:
            for path in (*(path for path in overlays if path == beside), *(path for path in overlays if path.name in names)):
                return read_overlay(path)
        return Overlay()

    @cached_property
    def _overlays(self) -> list[tuple[Path, ...]]:
        """Of each folder, the one that counts most first."""
        self._index.ask(lambda reader: None)
        return [folder.overlays for folder in reversed(self._index.folders.values())]

    def _broken_overlays(self) -> Iterator[CardError]:
        for path in (path for overlays in self._overlays for path in overlays):
            try:
                read_overlay(path)
            except CardError as error:
                yield error

    def _unknown(self, name: str) -> ResolutionError:
        return unknown_model(name, self._index.ask(lookup.names), self._unreadable(name))

    def _told(self, error: ResolutionError, trouble: HubError | None) -> ResolutionError:
        error.where = "; ".join(map(str, self.layers))
        if trouble is not None:
            error.causes = (*error.causes, trouble)
        return error

    def _unreadable(self, name: str) -> list[CardError]:
        """Problems of files that are named as a card of that name is."""
        broken = self._broken_files
        stem = re.compile(rf"(?:\d{{4}}-\d\d-\d\d-)?{re.escape(name)}(?:_[A-Za-z-]+)?(?:_\d+_\d+)?") if broken else None
        return [error for path, error in broken.items() if stem and stem.fullmatch(path.stem)]

    @cached_property
    def _broken_files(self) -> Mapping[Path, CardError]:
        return self._index.ask(lookup.broken_files)


def _live_cards(live: LiveCards, name: str) -> tuple[list[Known], HubError | None]:
    """The live index's cards of the name, or why it could not be asked."""
    layer = Layer("live", Path())
    try:
        return [Known(card, layer, rank=-1) for card in live(name)], None
    except SourceError as error:
        return [], error


def _from_live(known: Known) -> Iterator[str]:
    if known.layer.kind == "live":
        yield f"{known.key} is known from the live index alone: there is no card of it"


class CardsByKey(Mapping[CardKey, Card]):
    """Immutable; of each card the facts are kept as JSON until it is asked for."""

    def __init__(self, facts: Mapping[CardKey, tuple[str, str | None]]) -> None:
        self._facts = facts

    def __getitem__(self, key: CardKey) -> Card:
        return card_of(*self._facts[key])

    def __iter__(self) -> Iterator[CardKey]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def __contains__(self, key: object) -> bool:
        return key in self._facts
