"""A card as the index keeps it: what it is looked up by, the words it is found by, and its facts."""

from __future__ import annotations

import json
import zlib
from typing import NamedTuple

from hubclient.cards import Card
from hubclient.cards.facts_form import from_facts, to_facts
from hubclient.catalog.layer import dotted
from hubclient.catalog.tasks import tasks_of

# json.dumps makes one anew for each call.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Row(NamedTuple):
    """All are JSON values, to be sent between processes.

    `agrees`: card and archive have one name and language. `tasks` stand between spaces, `refs` are the NLU references without the dots at
    their ends, `facts` are JSON.
    """

    name: str
    language: str
    version: str
    epoch_ms: int
    shown_name: str
    agrees: bool
    annotator: str | None
    tasks: str
    refs: list[str]
    title: str
    labels: str
    tags: str
    facts: str


def row_of(card: Card, facts: str | None = None) -> Row:
    """`facts`, where they are JSON already, spare writing them again."""
    tags = (*card.tags, *card.task, card.model_language, card.annotator or "", *card.hf_origins, *card.nlu_refs)
    return Row(
        card.model_name,
        card.model_language,
        dotted(card.version),
        card.epoch_ms,
        card.name,
        card.name == card.model_name and card.language == card.model_language,
        card.annotator,
        f" {' '.join(tasks_of(card))} ",
        sorted({stem for ref in card.nlu_refs if (stem := ref.rstrip("."))}),
        card.title or "",
        "\n".join(card.labels),
        "\n".join(tags),
        facts or _ENCODER.encode(to_facts(card)),
    )


def card_of(facts: str, path: str | None) -> Card:
    return from_facts(json.loads(facts), path=path)


def checksum(facts: str) -> int:
    """SQLite does not notice when a byte of a row is damaged: facts are held against this."""
    return zlib.crc32(facts.encode())
