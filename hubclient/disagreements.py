"""Where a card and the model that it describes say different things."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hubclient.cards import Card
from hubclient.native import Manifest


@dataclass(frozen=True)
class Disagreement:
    """`used` is what counts, by `used_source`; `said` is what `said_source` says instead."""

    fact: str
    used: object
    used_source: str
    said: object
    said_source: str

    def __str__(self) -> str:
        return f"{self.fact}: {self.used} ({self.used_source}), not {self.said} ({self.said_source})"


def disagreements(manifest: Manifest, card: Card | None) -> list[Disagreement]:
    return [*_within(manifest), *(_with_card(manifest, card) if card else ())]


def _within(manifest: Manifest) -> Iterator[Disagreement]:
    for name in ("activation", "threshold", "max_length", "lowercase"):
        fact = getattr(manifest.facts, name)
        for source, said in fact.disagreements:
            yield Disagreement(name, fact.value, fact.source, said, source)


def _with_card(manifest: Manifest, card: Card) -> Iterator[Disagreement]:
    facts = manifest.facts
    if card.labels and set(card.labels) != set(manifest.labels):
        yield Disagreement("labels", ", ".join(manifest.labels), manifest.labels_source, ", ".join(card.labels), "card")
    if card.max_sentence_length is not None and card.max_sentence_length != facts.max_length.value:
        yield Disagreement("max_length", facts.max_length.value, facts.max_length.source, card.max_sentence_length, "card")
    if card.case_sensitive is not None and facts.lowercase.value is not None and card.case_sensitive == facts.lowercase.value:
        yield Disagreement("lowercase", facts.lowercase.value, facts.lowercase.source, not card.case_sensitive, "card")
    if card.annotator and manifest.annotator and card.annotator != manifest.annotator:
        yield Disagreement("annotator", manifest.annotator, "archive metadata", card.annotator, "card")
