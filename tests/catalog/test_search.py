"""Searching: the order, the filters, and words that mean something to a full-text engine."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hubclient.catalog import Catalog, Layer, Query
from hubclient.errors import UsageError
from hubclient.names import CardReference
from tests.cards.shared import archive, card_text

CARDS: dict[str, dict[str, str]] = {
    "toxic": {"title": "Comments"},
    "toxic_bert": {"title": "Comments", "task": "Named Entity Recognition"},
    "bert_toxic_comments": {"title": "Moderation", "annotator": "RoBertaForZeroShotClassification"},
    "moderation": {"title": "Finds toxic comments", "annotator": "NerDLModel", "task": "Named Entity Recognition"},
    "plain": {"title": "Nothing", "tags": "[en, toxic, open_source]"},
    "other": {"title": "Nothing", "task": "[Sentiment Analysis, Text Classification]"},
}
LABELS = {"other": "`Toxic`, `No`", "plain": "`good`, `bad, very bad`", "moderation": "`Плохо`"}
EPOCHS = {name: 1_600_000_000_000 + number for number, name in enumerate(CARDS)}
SIZES = {"toxic": "10.5 MB", "plain": "1.2 GB", "other": "400 MB"}
ORIGINS = {"plain": "Somebody/toxic-BERT", "other": "someone/else"}


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    folder = tmp_path_factory.mktemp("cards")
    for name, front in CARDS.items():
        text = card_text(
            file=archive(name, epoch=EPOCHS[name]),
            front={"name": name, **front},
            labels=LABELS.get(name, "`x`"),
            info=f"|---|---|\n|Size:|{SIZES[name]}|" if name in SIZES else "|---|---|",
            more=f"## References\n\nhttps://huggingface.co/{ORIGINS[name]}\n" if name in ORIGINS else "",
        )
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    text = card_text(file=archive("toxic", "fr"), front={"name": "toxic", "language": "fr", "title": "Frangé ÉTÉ"})
    (folder / "toxic_fr.md").write_text(text, encoding="utf-8")
    return Catalog.load([folder])


def found(catalog: Catalog, *words: str, limit: int | None = None, **facts: object) -> list[str]:
    cards = catalog.search(Query(words, **facts), limit=limit)  # type: ignore[arg-type]
    return [card.name if card.language == "en" else f"{card.language}/{card.name}" for card in cards]


def test_the_order(catalog: Catalog) -> None:
    """The very name (the newest first), names that begin with it, the word in the name, in the title, in tags and labels."""
    assert found(catalog, "toxic") == ["fr/toxic", "toxic", "toxic_bert", "bert_toxic_comments", "moderation", "other", "plain"]
    assert found(catalog, "toxic", limit=2) == ["fr/toxic", "toxic"]
    assert found(catalog, "comments") == ["bert_toxic_comments", "moderation", "toxic_bert", "toxic"]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("TOXIC", "bert", "comm"), ["bert_toxic_comments", "toxic_bert", "toxic"]),
        (("toxic_ber",), ["toxic_bert", "bert_toxic_comments", "fr/toxic", "other", "plain", "toxic"]),
        (("tox", "com"), ["bert_toxic_comments", "moderation", "toxic_bert", "toxic"]),
        (("ete",), ["fr/toxic"]),
        (("very", "bad"), ["plain"]),
        (("somebody/toxic-bert",), ["plain"]),
        (("oxic",), []),
        (('"',), []),
        (("AND",), []),
        (("NEAR(", "*"), []),
        (("toxic)", "OR"), []),
        (("name:", "^toxic*"), ["moderation", "toxic_bert"]),
    ],
)
def test_words(catalog: Catalog, words: tuple[str, ...], names: list[str]) -> None:
    assert found(catalog, *words) == names


@pytest.mark.parametrize(
    ("facts", "names"),
    [
        ({"language": "fr"}, {"fr/toxic"}),
        ({"annotator": "nerdlmodel"}, {"moderation"}),
        ({"label": "no"}, {"other"}),
        ({"label": "bad, very bad"}, {"plain"}),
        ({"label": "bad"}, set()),
        ({"label": "плохо"}, {"moderation"}),
        ({"max_size_mb": 400}, {"toxic", "other"}),
        ({"max_size_mb": 10}, set()),
        ({"origin": "somebody"}, {"plain"}),
        ({"origin": "Someone/Else"}, {"other"}),
        ({"origin": "some"}, set()),
        ({"task": "sentiment-analysis"}, {"other"}),
        ({"task": "Token Classification"}, {"moderation"}),
        ({"task": "zero-shot-classification"}, {"bert_toxic_comments"}),
        ({"task": "named_entity_recognition"}, {"moderation", "toxic_bert"}),
        ({"task": "classification"}, set()),
        ({"task": "text-classification", "language": "en", "max_size_mb": 20}, {"toxic"}),
    ],
)
def test_facts(catalog: Catalog, facts: dict[str, object], names: set[str]) -> None:
    assert set(found(catalog, limit=None, **facts)) == names


def test_a_wrong_task_on_the_card_does_not_hide_a_classifier(catalog: Catalog) -> None:
    assert "toxic_bert" in found(catalog, task="text-classification")


def test_no_words_find_every_card_the_newest_first(catalog: Catalog) -> None:
    assert found(catalog) == ["fr/toxic", *reversed(CARDS)]


def test_one_version_of_each_name_and_language(tmp_path: Path) -> None:
    versions = {"3.9.0": "BertForSequenceClassification", "3.10.0": "BertForSequenceClassification", "5.0.0": "Unheard"}
    for version, annotator in versions.items():
        text = card_text(file=archive(version=version), front={"annotator": annotator})
        (tmp_path / f"{version}.md").write_text(text, encoding="utf-8")
    catalog = Catalog.load([tmp_path])
    (newest,) = catalog.search(Query(("small",)))
    assert newest.version == (5, 0, 0)
    (openable,) = catalog.search(Query(("small",)), can_open=lambda annotator: annotator != "Unheard")
    assert openable.version == (3, 10, 0)


@pytest.mark.parametrize("name", ["task", "language", "annotator", "label", "origin", "words"])
def test_what_is_no_text_finds_nothing_and_does_no_harm(tmp_path: Path, name: str) -> None:
    """Python has half surrogates for bytes on the command line that are no text; SQLite has nothing for them."""
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "a.md").write_text(card_text(), encoding="utf-8")
    catalog = Catalog([Layer("folder", tmp_path / "cards")], folder=tmp_path / "cache")
    assert len(catalog.search(Query())) == 1
    (index,) = (tmp_path / "cache").iterdir()
    before = index.stat().st_ino
    odd = Query(**{name: ("x\udcffy",) if name == "words" else "x\udcffy"})  # type: ignore[arg-type]
    assert catalog.search(odd) == []
    assert index.stat().st_ino == before


@pytest.mark.parametrize("facts", [{"words": ("a", 3)}, {"language": 3}, {"label": ["a"]}, {"origin": b"a"}])
def test_what_is_no_text_at_all_is_told(facts: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="searched for by texts"):
        Query(**facts)  # type: ignore[arg-type]


def test_many_and_long_words(catalog: Catalog) -> None:
    assert found(catalog, *["toxic"] * 5_000, limit=1) == ["fr/toxic"]
    assert found(catalog, *map(str, range(5_000))) == []
    assert found(catalog, "toxic" * 50_000) == []


def test_limits(catalog: Catalog) -> None:
    assert found(catalog, limit=0) == []
    with pytest.raises(UsageError, match="the limit is -1"):
        found(catalog, limit=-1)


@pytest.mark.parametrize("seed", range(6))
def test_search_finds_the_version_that_resolving_takes(tmp_path: Path, seed: int) -> None:
    """Layers that tell of the same archives in other words, versions that cannot be opened, cards of other names than their archives."""
    drawn = random.Random(seed)
    layers = [Layer("folder", tmp_path / str(number), own=number > 2) for number in range(5)]
    for number in range(90):
        name, language, version = drawn.choice("abcd"), drawn.choice(["en", "fr"]), drawn.choice(["3.9.0", "3.10.0", "4.0.0"])
        front = {"name": drawn.choice([name, "shown"]), "title": str(number), "annotator": drawn.choice(["Known", "Unheard", None])}
        text = card_text(file=archive(name, language, version, drawn.choice([10**12, 10**12 + 1])), front={**front, "language": language})
        folder = drawn.choice(layers).path
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.md").write_text(text, encoding="utf-8")

    def can_open(annotator: str | None) -> bool:
        return annotator in (None, "Known")

    catalog = Catalog(layers)
    cards = catalog.search(Query(), limit=None, can_open=can_open)
    assert cards
    for card in cards:
        reference = CardReference(card.model_name, card.model_language)
        assert card == catalog.resolve(reference, can_open=can_open).card
