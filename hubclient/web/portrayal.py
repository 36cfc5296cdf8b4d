"""The model page: what its template is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hubclient import snippets
from hubclient.cards import Card
from hubclient.cards.examples import examples
from hubclient.catalog import Known
from hubclient.catalog.layer import dotted
from hubclient.catalog.site import page_address
from hubclient.convert.annotators import Task, find_annotator
from hubclient.explain import Explanation
from hubclient.names import CardReference, Reference
from hubclient.portrait import Portrait
from hubclient.web.look import Address, model_address, opens
from hubclient.wording import date_of, human_size, megabytes

TRIED: Mapping[Task, str] = {
    "text-classification": "It was better than I had dared to hope.",
    "zero-shot-classification": "The night train to Lisbon was booked out.",
    "token-classification": "Marie Curie moved from Warsaw to Paris in 1891.",
}
# How the hub's cards call the languages of their code.
_CODE = {"python": "Python (card)", "scala": "Scala (card)", "java": "Java (card)", "nlu": "NLU (card)"}
_SECTIONS = (("Results", "results"), ("Data source", "data_source"), ("References", "references"))


@dataclass(frozen=True)
class Tab:
    name: str
    title: str
    code: str


@dataclass(frozen=True)
class Label:
    """`mark`: where the card and the weights do not both have it."""

    name: str
    mark: str = ""


@dataclass(frozen=True)
class Version:
    name: str
    address: str
    date: str
    size: str
    opens: str
    here: bool


def usage(reference: Reference, card: Card | None, task: Task | None, text: str) -> list[Tab]:
    return [Tab(f"usage-{number}", title, code) for number, (title, code) in enumerate(_usage(reference, card, task, text))]


def _usage(reference: Reference, card: Card | None, task: Task | None, text: str) -> Iterator[tuple[str, str]]:
    if task:
        yield "Python", snippets.python(reference, task, text)
        yield "Shell", snippets.shell(reference, task, text)
        yield "transformers", snippets.transformers(reference, task, text)
    if card and card.annotator and find_annotator(card.annotator) and isinstance(reference, CardReference):
        kind = find_annotator(card.annotator)
        assert kind is not None
        yield "Spark NLP", snippets.spark(card.annotator, card.model_name, card.model_language, kind.task, text)
    for language, code in card.how_to_use.items() if card else ():
        yield _CODE.get(language, f"{language or 'code'} (card)"), code.strip("\n")


def labels(portrait: Portrait) -> list[Label]:
    """In class order once the weights tell, and then those that only the card has."""
    card = portrait.card.labels if portrait.card else ()
    if portrait.manifest is None:
        return [Label(label) for label in card]
    weights = portrait.labels
    both = set(card) == set(weights) or not card
    found = [Label(label, "" if both or label in card else "not on the card") for label in weights]
    return [*found, *(Label(label, "only on the card") for label in card if label not in weights)]


def versions(known: Sequence[Known], card: Card, address: Address = model_address) -> list[Version]:
    """Every card of the name, newest first; one of each archive, that of the strongest layer."""
    best: dict[object, Known] = {}
    for candidate in known:
        if candidate.key not in best or candidate.rank > best[candidate.key].rank:
            best[candidate.key] = candidate
    here = (card.model_name, card.model_language, card.version, card.epoch_ms)
    ordered = sorted(best.values(), key=lambda one: (one.key.language != card.model_language, one.key.language, *_newest_first(one)))
    return [_version(one.card, here == tuple(vars(one.key).values()), address) for one in ordered if one.card.model_name == card.model_name]


def _newest_first(known: Known) -> tuple[tuple[int, ...], int]:
    return tuple(-part for part in known.key.version), -known.key.epoch_ms


def _version(card: Card, here: bool, address: Address) -> Version:
    version = dotted(card.version)
    date = card.date or (date_of(card.epoch_ms) if card.epoch_ms else "")
    size = megabytes(card.size_mb) if card.size_mb is not None else ""
    place = address(card.model_name, card.model_language, version)
    return Version(f"{card.model_language} {version}".strip(), place, date, size, opens(card), here)


def facts(card: Card) -> list[tuple[str, str]]:
    """The card's table, and what its front matter adds."""
    rows = {key: value for key, value in card.model_info.items() if key != "Model Name"}
    more = {
        "Annotator": card.annotator,
        "Task": ", ".join(card.task),
        "Published": card.date,
        "Author": card.author,
        "Engine": card.engine,
        "NLU": ", ".join(card.nlu_refs),
        "Tags": ", ".join(card.tags),
    }
    return [(key, str(value)) for key, value in {**rows, **more}.items() if value]


def manifest_facts(portrait: Portrait) -> list[tuple[str, str, str]]:
    """Name, value and who says so, of a model that was pulled."""
    manifest = portrait.manifest
    if manifest is None:
        return []
    origin = manifest.origin
    said = [("origin", origin.url + (f" at {origin.commit}" if origin.commit else ""), "")]
    if origin.size is not None:
        said.append(("fetched", human_size(origin.size), ""))
    if origin.sha256:
        said.append(("SHA-256", origin.sha256, ""))
    said.append(("architecture", manifest.architecture, ""))
    said.append(("labels", f"{len(manifest.labels):,}", manifest.labels_source))
    for name in ("activation", "threshold", "max_length", "lowercase"):
        fact = getattr(manifest.facts, name)
        said.append((name.replace("_", " "), str(fact.value), fact.source))
    said.append(("graph", manifest.graph, manifest.graph_note or ""))
    said.append(("folder", str(portrait.folder), ""))
    return said


def portrayed(
    portrait: Portrait, known: Sequence[Known], explanation: Explanation | None, address: Address = model_address
) -> dict[str, Any]:
    """Everything but the parts that only a running server has."""
    card, task = portrait.card, portrait.task
    texts = examples(card) if card else ()
    chosen = next((one for one in known if card and one.card.s3_uri == card.s3_uri and one.file), None)
    return {
        "reference": str(portrait.reference),
        "name": card.model_name if card else str(portrait.reference),
        "card": card,
        "heading": (card.title if card else None) or (card.model_name if card else str(portrait.reference)),
        "task": task,
        "opens": opens(card) if card else "yes",
        "size": megabytes(card.size_mb) if card and card.size_mb is not None else "",
        "version": dotted(card.version) if card else "",
        "labels": labels(portrait),
        "ordered": portrait.manifest is not None,
        "usage": usage(portrait.reference, card, task, (texts or (TRIED.get(task or "text-classification", ""),))[0]),
        "examples": texts or ((TRIED[task],) if task else ()),
        "sections": [(title, text) for title, name in _SECTIONS if card and (text := getattr(card, name))] + _others(card),
        "facts": facts(card) if card else [],
        "versions": versions(known, card, address) if card else [],
        "page": page_address(chosen.file) if chosen and chosen.file and card and not card.path else None,
        "pulled": portrait.manifest is not None,
        "manifest": manifest_facts(portrait),
        "disagreements": [str(one) for one in portrait.disagreements],
        "explanation": explanation,
    }


def _others(card: Card | None) -> list[tuple[str, str]]:
    return [(title or "Notes", text) for title, text in card.other_sections.items() if text.strip()] if card else []
