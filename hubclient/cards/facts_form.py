"""A card's facts as a JSON object, and back: what the index and the bundled catalogue keep of a card. Prose is left out.

Fields that say nothing are left out, and so is what another field tells: where an archive lies is read off its address again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from hubclient.cards.benchmark import Benchmark
from hubclient.cards.card import Card
from hubclient.cards.frozen import FrozenMap
from hubclient.cards.location import parse_s3_uri, parse_s3_url

_PROSE = {"description", "how_to_use", "results", "data_source", "benchmarking", "references", "other_sections", "front_matter"}
_DERIVED = {"s3_parsed", "download_parsed", "nlu_ref", "path"}
_EMPTY = Card(name="", language="")
_SILENT = {item.name: getattr(_EMPTY, item.name) for item in fields(Card) if item.name not in _PROSE | _DERIVED}


def to_facts(card: Card) -> dict[str, Any]:
    """What the card says, as JSON values."""
    said = vars(card)
    facts = {name: value for name, silent in _SILENT.items() if (value := said[name]) != silent}
    if card.labels_verbatim == card.labels:
        facts.pop("labels_verbatim", None)
    if card.benchmarks:
        facts["benchmarks"] = [benchmark.to_dict() for benchmark in card.benchmarks]
    if card.model_info:
        facts["model_info"] = dict(card.model_info)
    return facts


def from_facts(facts: Mapping[str, Any], *, path: str | None = None) -> Card:
    """The card without its prose. `facts` are what `to_facts` gave, by way of JSON or not."""
    said: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()}
    said["model_info"] = FrozenMap(said.get("model_info", ()))
    said["benchmarks"] = tuple(Benchmark.from_dict(benchmark) for benchmark in said.get("benchmarks", ()))
    said.setdefault("labels_verbatim", said.get("labels", ()))
    refs = said.get("nlu_refs")
    uri, url = said.get("s3_uri"), said.get("download_url")
    return Card(
        **said,
        nlu_ref=refs[0] if refs else None,
        s3_parsed=parse_s3_uri(uri) if uri else None,
        download_parsed=parse_s3_url(url) if url else None,
        path=path,
    )
