"""Many cards, looked up by reference and by words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from hubclient.cards import Card, Overlay
from hubclient.catalog.folder import OVERLAY_ENDING, CardFolder, card_from, list_folder, read_bytes, read_overlay
from hubclient.catalog.resolve import Selection, cards_by_nlu, cards_named, select, select_by_nlu, unknown_model
from hubclient.catalog.search import search_cards
from hubclient.errors import CardError, ResolutionError
from hubclient.names import CardReference, Version


@dataclass(frozen=True, order=True)
class CardKey:
    name: str
    language: str
    version: Version
    epoch_ms: int


@dataclass(frozen=True)
class Resolution:
    """The card that answers to a reference, its overlay (empty if there is none), and what the user should be told."""

    card: Card
    overlay: Overlay = field(default_factory=Overlay)
    notices: tuple[str, ...] = ()


class Catalog:
    """The cards of several folders. Where two have a card of the same name, language, version and time, the later folder's counts.

    Files are read when they are needed: to resolve a name, only those are parsed that contain it.
    """

    def __init__(self, folders: Sequence[CardFolder]) -> None:
        self._folders = tuple(folders)
        self._read: dict[Path, Card | CardError] = {}

    @classmethod
    def load(cls, folders: Sequence[Path]) -> Catalog:
        return cls([list_folder(folder) for folder in folders])

    @cached_property
    def cards(self) -> Mapping[CardKey, Card]:
        """Every card, in the order of names."""
        found = {_key(card): card for card in self._ranked(None)}
        return MappingProxyType(dict(sorted(found.items())))

    @cached_property
    def problems(self) -> tuple[CardError, ...]:
        """What could not be listed, read or parsed, overlays included."""
        found = [problem for folder in self._folders for problem in folder.problems]
        found += [read for folder in self._folders for path in folder.cards if isinstance(read := self._card(path), CardError)]
        for path in (path for folder in self._folders for path in folder.overlays):
            try:
                read_overlay(path)
            except CardError as error:
                found.append(error)
        return tuple(found)

    def resolve(self, reference: CardReference, *, can_open: Callable[[Card], bool] | None = None) -> Resolution:
        """The newest card that answers to the reference, by the rules of `hubclient.catalog.resolve`.

        `can_open` says whether the model of a card can be opened; versions that cannot are passed over with a notice.
        Raises a ResolutionError, or CardError if the overlay of the card is broken.
        """
        try:
            return self._resolve(reference, can_open)
        except ResolutionError as error:
            error.where = "the cards in " + ", ".join(str(folder.path) for folder in self._folders)
            raise

    def _resolve(self, reference: CardReference, can_open: Callable[[Card], bool] | None) -> Resolution:
        selection = self._select(self._ranked(reference.name), reference, can_open) or self._select(
            self.cards.values(), reference, can_open
        )
        unreadable = self._unreadable(reference.name)
        if selection is None:
            raise unknown_model(reference.name, (key.name for key in self.cards), unreadable)
        notices = [f"{error.what} ({error.where}): it is left out" for error in unreadable]
        return Resolution(selection.card, self._overlay(selection.card), (*selection.notices, *notices))

    def search(self, words: str | Iterable[str], *, limit: int = 20) -> list[Card]:
        """The newest cards in which every word occurs, best first; no words find every card."""
        newest = {(key.name, key.language): card for key, card in self.cards.items()}
        return search_cards(newest.values(), words.split() if isinstance(words, str) else words)[:limit]

    def _select(self, cards: Iterable[Card], reference: CardReference, can_open: Callable[[Card], bool] | None) -> Selection | None:
        cards = {_key(card): card for card in cards}.values()
        if named := cards_named(cards, reference.name):
            return select(named, reference, can_open=can_open)
        if meant := cards_by_nlu(cards, reference.name):
            return select_by_nlu(meant, reference, can_open=can_open)
        return None

    def _ranked(self, containing: str | None) -> Iterable[Card]:
        """The cards; of several with one key the last counts: the last folder's, then the one that is called as its archive is."""
        for folder in self._folders:
            cards = [card for path in folder.cards if isinstance(card := self._card(path, containing), Card)]
            yield from sorted(cards, key=lambda card: card.name == card.model_name and card.language == card.model_language)

    def _card(self, path: Path, containing: str | None = None) -> Card | CardError | None:
        """The parsed file, or why it cannot be; None, and nothing parsed, if it does not contain the text."""
        if path in self._read:
            return self._read[path]
        try:
            data = read_bytes(path)
            if containing is not None and containing.rstrip(".").encode() not in data:
                return None
            self._read[path] = card_from(data, path)
        except CardError as error:
            self._read[path] = error
        return self._read[path]

    def _unreadable(self, name: str) -> list[CardError]:
        """Problems of files that are named as a card of that name is."""
        stem = re.compile(rf"(?:\d{{4}}-\d\d-\d\d-)?{re.escape(name)}(?:_[A-Za-z-]+)?(?:_\d+_\d+)?")
        return [error for path, error in self._read.items() if isinstance(error, CardError) and stem.fullmatch(path.stem)]

    def _overlay(self, card: Card) -> Overlay:
        """The overlay beside the card's file, or one of the card's name and language in any folder; the last folder's counts."""
        names = {f"{card.model_name}_{card.model_language}{OVERLAY_ENDING}", f"{card.name}_{card.language}{OVERLAY_ENDING}"}
        beside = Path(card.path).with_suffix(OVERLAY_ENDING) if card.path else None
        for folder in reversed(self._folders):
            for path in (*(path for path in folder.overlays if path == beside), *(path for path in folder.overlays if path.name in names)):
                return read_overlay(path)
        return Overlay()


def _key(card: Card) -> CardKey:
    return CardKey(card.model_name, card.model_language, card.version, card.epoch_ms)
