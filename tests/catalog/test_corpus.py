"""Every name of the real cards, resolved, against a resolution written out plainly; on the shared corpus and on the bundled index."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from zipfile import ZipFile

import pytest

from hubclient.bundled import INDEX
from hubclient.cards import Card
from hubclient.catalog import Catalog, Layer
from hubclient.catalog.near import near_names
from hubclient.errors import AmbiguousModel
from hubclient.names import CardReference
from tests.cards.shared import CORPUS, corpus

KEY = re.compile(r"(.+)_([A-Za-z-]+)_([\d.]+)_([\d.]+)_(\d+)\.zip")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog([Layer("bundle", INDEX)])


@pytest.fixture(scope="module")
def models(catalog: Catalog) -> dict[tuple[str, str], list[Card]]:
    """By what the key of each archive says, which is read here in another way."""
    found = defaultdict(list)
    for card in catalog.cards.values():
        match = KEY.fullmatch((card.s3_uri or "").rpartition("/")[2])
        assert match, card.s3_uri
        found[match[1], match[2]].append(card)
    return found


def age(card: Card) -> tuple[list[int], int]:
    match = KEY.fullmatch((card.s3_uri or "").rpartition("/")[2])
    assert match
    return [int(part) for part in match[3].split(".")], int(match[5])


def test_every_name_and_language(catalog: Catalog, models: dict[tuple[str, str], list[Card]]) -> None:
    assert len(models) > 9_000
    wrong = [
        (name, language)
        for (name, language), cards in models.items()
        if catalog.resolve(CardReference(name, language)).card.s3_uri != max(cards, key=age).s3_uri
    ]
    assert wrong == []


def test_every_name_without_a_language(catalog: Catalog, models: dict[tuple[str, str], list[Card]]) -> None:
    languages = defaultdict(set)
    for name, language in models:
        languages[name].add(language)
    wrong = []
    for name, known in languages.items():
        try:
            found = catalog.resolve(CardReference(name)).card.model_language
        except AmbiguousModel:
            found = "ambiguous"
        expected = next(iter(known)) if len(known) == 1 else "en" if "en" in known else "ambiguous"
        if found != expected:
            wrong.append((name, found, expected))
    assert wrong == []


def test_every_nlu_reference(catalog: Catalog, models: dict[tuple[str, str], list[Card]]) -> None:
    meant: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for model, cards in models.items():
        for ref in (ref.rstrip(".") for card in cards for ref in card.nlu_refs):
            meant[ref].add(model)
    names = {name for name, _ in models} | {card.name for cards in models.values() for card in cards}
    wrong = []
    for ref, wanted in meant.items():
        if not ref or ref in names:
            continue
        found = catalog.deliberate(CardReference(ref))
        if found.chosen:
            right = {(found.chosen.card.model_name, found.chosen.card.model_language)} == wanted
        else:
            right = isinstance(found.error, AmbiguousModel) and f"stands for {len(wanted)} models" in found.error.what
        if not right:
            wrong.append((ref, wanted))
    assert wrong == []


def test_names_that_differ_in_case_only_are_kept_apart(catalog: Catalog, models: dict[tuple[str, str], list[Card]]) -> None:
    spelled = defaultdict(set)
    for name, _ in models:
        spelled[name.casefold()].add(name)
    twins = [names for names in spelled.values() if len(names) > 1]
    assert len(twins) > 10
    for names in twins:
        assert near_names(next(iter(names)).swapcase(), [name for name, _ in models])[: len(names)] == sorted(names)


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("bert_large_sequence_classifer_imdb", "bert_large_sequence_classifier_imdb"),
        ("classifierdl_use_emotoin", "classifierdl_use_emotion"),
        ("ner_dl_brt", "ner_dl_bert"),
        ("bert_pubmed_classifier_multi", "bert_classifier_multi_label_classification_of_pubmed_articles"),
    ],
)
def test_near_names(models: dict[tuple[str, str], list[Card]], written: str, near: str) -> None:
    assert near in near_names(written, {name for name, _ in models})


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared corpus is not here")
def test_the_corpus_as_a_folder_is_the_bundled_index(catalog: Catalog, tmp_path: Path) -> None:
    with ZipFile(CORPUS / "cards.zip") as cards:
        cards.extractall(tmp_path / "cards")
    folder = Catalog([Layer("folder", tmp_path / "cards")], folder=tmp_path / "cache")
    assert folder.problems == ()
    assert _uris(folder.cards.values()) == _uris(catalog.cards.values()) == sorted(known["s3_uri"] for _, known in corpus())
    assert list(folder.cards) == list(catalog.cards)


def _uris(cards: Iterable[Card]) -> list[str | None]:
    return sorted((card.s3_uri for card in cards), key=str)
