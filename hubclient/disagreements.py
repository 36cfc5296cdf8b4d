"""Where a card and the model that it describes say different things."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from hubclient.cards import Card
from hubclient.native import Facts


class Model(Protocol):
    """What a manifest says of a model, or its origin itself."""

    @property
    def annotator(self) -> str | None: ...

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def labels_source(self) -> str | None: ...

    @property
    def facts(self) -> Facts | None: ...


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


def disagreements(model: Model, card: Card | None) -> list[Disagreement]:
    facts = model.facts
    return [*(_within(facts) if facts else ()), *(_with_card(model, facts, card) if card else ())]


def _within(facts: Facts) -> Iterator[Disagreement]:
    for name in ("activation", "threshold", "max_length", "lowercase"):
        fact = getattr(facts, name)
        for source, said in fact.disagreements:
            yield Disagreement(name, fact.value, fact.source, said, source)


def _with_card(model: Model, facts: Facts | None, card: Card) -> Iterator[Disagreement]:
    if facts:
        yield from _facts_with_card(model, facts, card)
    if card.annotator and model.annotator and card.annotator != model.annotator:
        yield Disagreement("annotator", model.annotator, "archive metadata", card.annotator, "card")


def _facts_with_card(model: Model, facts: Facts, card: Card) -> Iterator[Disagreement]:
    if card.labels and set(card.labels) != set(model.labels):
        yield Disagreement("labels", ", ".join(model.labels), model.labels_source or "model", ", ".join(card.labels), "card")
    if card.max_sentence_length is not None and card.max_sentence_length != facts.max_length.value:
        yield Disagreement("max_length", facts.max_length.value, facts.max_length.source, card.max_sentence_length, "card")
    if card.case_sensitive is not None and facts.lowercase.value is not None and card.case_sensitive == facts.lowercase.value:
        yield Disagreement("lowercase", facts.lowercase.value, facts.lowercase.source, not card.case_sensitive, "card")
