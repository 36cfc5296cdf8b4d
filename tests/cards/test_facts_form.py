from __future__ import annotations

import dataclasses
import json

import pytest

from hubclient.cards import Card, parse_card
from hubclient.cards.facts_form import from_facts, to_facts
from hubclient.cards.frozen import FrozenMap
from tests.cards.shared import USAGE, card_text

PROSE = {"description", "how_to_use", "results", "data_source", "benchmarking", "references", "other_sections", "front_matter"}
TABLE = "## Benchmarking\n\n|a|precision|recall|\n|---|---|---|\n|neg|0.5|1|\n|accuracy|0.5||\n"


def without_prose(card: Card) -> Card:
    empty = Card(name="", language="")
    return dataclasses.replace(card, **{name: getattr(empty, name) for name in PROSE})


@pytest.mark.parametrize(
    "text",
    [
        card_text(),
        card_text(more=TABLE),
        card_text(labels="` a `, ``, `no`", front={"supported": "false", "deprecated": "true", "tags": None, "class": "X", "title": '""'}),
        card_text(
            usage=USAGE.replace("en.classify.small", ""), file="model.zip", description="https://huggingface.co/a/b, https://hf.co/bert"
        ),
        "---\nname: m\nlanguage: fr\n---\n",
    ],
)
def test_a_card_comes_back_from_json_without_its_prose(text: str) -> None:
    card = parse_card(text, path="some/card.md")
    facts = json.loads(json.dumps(to_facts(card)))
    assert from_facts(facts, path="some/card.md") == without_prose(card)
    assert facts.keys().isdisjoint(PROSE)


def test_what_is_not_said_is_left_out() -> None:
    assert to_facts(parse_card("---\nname: m\nlanguage: fr\n---\nText.")) == {"name": "m", "language": "fr"}
    assert to_facts(Card("m", "fr", model_info=FrozenMap({"Size": "1 MB"}))) == {
        "name": "m",
        "language": "fr",
        "model_info": {"Size": "1 MB"},
    }
