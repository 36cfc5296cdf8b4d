"""Where a catalogue's cards come from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from hubclient.cards import Card
from hubclient.names import Version

LayerKind = Literal["folder", "bundle", "live"]


@dataclass(frozen=True)
class Layer:
    """One origin of cards. `own`: the user chose it, so that its cards outrank those that come with hubclient."""

    kind: LayerKind
    path: Path
    own: bool = False

    def __str__(self) -> str:
        match self.kind:
            case "folder":
                return f"the cards in {self.path}"
            case "bundle":
                return "the bundled index"
            case "live":
                return "the live index"


@dataclass(frozen=True, order=True)
class CardKey:
    name: str
    language: str
    version: Version
    epoch_ms: int

    @classmethod
    def of(cls, card: Card) -> CardKey:
        return cls(card.model_name, card.model_language, card.version, card.epoch_ms)

    def __str__(self) -> str:
        version = f"@{dotted(self.version)}" if self.version else ""
        return f"{self.language}/{self.name}{version}"


@dataclass(frozen=True)
class Known:
    """A card and where it comes from. `rank`: of two cards with one key, the higher one counts. `file`: the card's file; of a card in the
    bundled index the path it had in its documentation."""

    card: Card
    layer: Layer
    rank: int = 0
    file: str | None = None

    @cached_property
    def key(self) -> CardKey:
        return CardKey.of(self.card)


def dotted(version: Version) -> str:
    return ".".join(map(str, version))
