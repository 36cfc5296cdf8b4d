"""Cards found by words: every word must occur, and where it occurs decides the order."""

from __future__ import annotations

from collections.abc import Iterable

from hubclient.cards import Card


def search_cards(cards: Iterable[Card], words: Iterable[str]) -> list[Card]:
    """The cards in which every word occurs, whatever its case: those first where it occurs in what tells most (see `_fields`)."""
    wanted = [word.casefold() for word in words]
    ranked = []
    for card in cards:
        fields = _fields(card)
        scores = [_score(word, fields) for word in wanted]
        if all(scores):
            ranked.append((-sum(scores), card.model_name, card.model_language, card))
    return [card for *_, card in sorted(ranked, key=lambda item: item[:3])]


def _fields(card: Card) -> tuple[str, ...]:
    """From the least to the most telling."""
    said = (
        (card.description or "", card.data_source or "", card.references or ""),
        (*card.labels, *card.nlu_refs, *card.hf_origins, card.annotator or ""),
        (card.title or "", *card.tags, *card.task, card.model_language),
        (card.model_name,),
    )
    return tuple("\n".join(texts).casefold() for texts in said)


def _score(word: str, fields: tuple[str, ...]) -> int:
    return max((rank for rank, text in enumerate(fields, 1) if word in text), default=0)
