"""Folders of cards on a real disk."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from hubclient.bundled import CARDS
from hubclient.cards import Card, Overlay, parse_card
from hubclient.catalog import CardKey, Catalog, Layer, Resolution
from hubclient.errors import AmbiguousModel, CardError, ResolutionError, SourceError, UnknownLanguage, UnknownModel
from hubclient.names import CardReference, parse_reference
from tests.cards.shared import ROOT, archive, card_text


def resolve(catalog: Catalog, text: str) -> Resolution:
    reference = parse_reference(text)
    assert isinstance(reference, CardReference)
    return catalog.resolve(reference)


def write(folder: Path, file: str, text: str) -> Path:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def test_shipped_cards_resolve() -> None:
    catalog = Catalog.load([CARDS])
    assert catalog.problems == ()
    assert {key.name for key in catalog.cards} == {
        "bert_large_sequence_classifier_imdb",
        "bert_classifier_multi_label_classification_of_pubmed_articles",
        "bert_tiny_sequence_classifier_sst2",
    }
    for key in catalog.cards:
        assert resolve(catalog, f"en/{key.name}").card == catalog.cards[key]


def test_shipped_overlay_belongs_to_its_card_alone() -> None:
    catalog = Catalog.load([CARDS])
    assert resolve(catalog, "en/bert_classifier_multi_label_classification_of_pubmed_articles").overlay.activation == "sigmoid"
    assert resolve(catalog, "en/bert_large_sequence_classifier_imdb").overlay == Overlay()


def test_an_nlu_reference_resolves_in_the_catalog() -> None:
    found = resolve(Catalog.load([CARDS]), "en.classify.bert.pubmed")
    assert found.card.name == "bert_classifier_multi_label_classification_of_pubmed_articles"
    assert "stands for en/" in found.notices[0]


def test_which_names_cards_have() -> None:
    catalog = Catalog.load([CARDS])
    assert catalog.has_name("bert_tiny_sequence_classifier_sst2")
    assert not any(map(catalog.has_name, ("bert_tiny_sequence_classifier", "en.classify.bert.imdb", "", "hf:someone/tiny")))


def test_cards_are_found_in_subfolders_whatever_their_file_is_called(tmp_path: Path) -> None:
    write(tmp_path, "someone/2022-01-01-wrong_fr.md", card_text())
    write(tmp_path, ".git/small_model_en.md", card_text(file=archive(version="9.9.9")))
    write(tmp_path, "README.md", "# Not a card\n")
    write(tmp_path, "NOTICE", "not a card")
    catalog = Catalog.load([tmp_path])
    assert list(catalog.cards) == [CardKey("small_model", "en", (3, 4, 2), 1646352000000)]
    assert catalog.problems == ()
    with pytest.raises(TypeError):
        catalog.cards[CardKey("x", "en", (), 0)] = next(iter(catalog.cards.values()))  # type: ignore[index]


def test_a_later_folder_outranks_an_earlier_one(tmp_path: Path) -> None:
    write(tmp_path, "one/b.md", card_text(description="first"))
    write(tmp_path, "two/a.md", card_text(description="second"))
    for order, expected in (("one", "two"), "second"), (("two", "one"), "first"):
        catalog = Catalog.load([tmp_path / name for name in order])
        assert catalog.whole(resolve(catalog, "en/small_model").card).description == expected
        assert [catalog.whole(card).description for card in catalog.cards.values()] == [expected]


def test_a_newer_version_counts_more_than_a_later_folder(tmp_path: Path) -> None:
    write(tmp_path, "one/a.md", card_text(file=archive(version="3.10.0")))
    write(tmp_path, "two/a.md", card_text(file=archive(version="3.9.0")))
    assert resolve(Catalog.load([tmp_path / "one", tmp_path / "two"]), "en/small_model").card.version == (3, 10, 0)


def test_of_two_cards_of_one_archive_the_one_with_its_name_counts(tmp_path: Path) -> None:
    write(tmp_path, "a.md", card_text())
    write(tmp_path, "b.md", card_text(front={"name": "other"}))
    catalog = Catalog.load([tmp_path])
    assert [card.name for card in catalog.cards.values()] == ["small_model"]
    assert resolve(catalog, "en/small_model").card.name == "small_model"


def test_broken_cards_stop_nobody_and_are_told(tmp_path: Path) -> None:
    write(tmp_path, "good_en.md", card_text())
    write(tmp_path, "2022-01-01-bad_model_en_3_0.md", "---\nname: bad_model\n")
    (tmp_path / "latin.md").write_bytes(b"---\nname: a\ntitle: \xe9\n---\n")
    write(tmp_path, "x.overlay.yaml", "nonsense: 1\n")
    catalog = Catalog.load([tmp_path, tmp_path / "missing"])
    assert resolve(catalog, "en/small_model").notices == ()
    with pytest.raises(UnknownModel, match="bad_model") as caught:
        resolve(catalog, "bad_model")
    assert [cause.where for cause in caught.value.causes] == [f"{tmp_path / '2022-01-01-bad_model_en_3_0.md'}:3"]
    assert sorted(str(problem.where) for problem in catalog.problems) == sorted(
        [
            f"{tmp_path / '2022-01-01-bad_model_en_3_0.md'}:3",
            f"{tmp_path / 'latin.md'}:3",
            f"{tmp_path / 'x.overlay.yaml'}:1",
            str(tmp_path / "missing"),
        ]
    )


def test_a_broken_card_beside_a_good_one_of_its_name_is_told(tmp_path: Path) -> None:
    write(tmp_path, "small_model_en.md", card_text())
    write(tmp_path, "2023-01-01-small_model_en.md", card_text().replace("language: en", "name: twice"))
    (notice,) = resolve(Catalog.load([tmp_path]), "en/small_model").notices
    assert "stands twice" in notice
    assert "2023-01-01-small_model_en.md:9" in notice


@pytest.mark.skipif(os.name != "posix", reason="links to nowhere are made the POSIX way")
def test_unreadable_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "small_model_en.md").symlink_to(tmp_path / "nowhere")
    (problem,) = Catalog.load([tmp_path]).problems
    assert problem.where == str(tmp_path / "small_model_en.md")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"one/card.overlay.yaml": "0.1"}, 0.1),
        ({"one/small_model_en.overlay.yaml": "0.2"}, 0.2),
        ({"one/card.overlay.yaml": "0.1", "one/small_model_en.overlay.yaml": "0.2"}, 0.1),
        ({"one/card.overlay.yaml": "0.1", "two/small_model_en.overlay.yaml": "0.3"}, 0.3),
        ({"two/card.overlay.yaml": "0.4", "one/small_model_fr.overlay.yaml": "0.5"}, None),
    ],
)
def test_overlays(tmp_path: Path, files: dict[str, str], expected: float | None) -> None:
    write(tmp_path, "one/card.md", card_text())
    (tmp_path / "two").mkdir()
    for file, threshold in files.items():
        write(tmp_path, file, f"threshold: {threshold}\n")
    assert resolve(Catalog.load([tmp_path / "one", tmp_path / "two"]), "en/small_model").overlay.threshold == expected


def test_a_broken_overlay_stops_its_card(tmp_path: Path) -> None:
    write(tmp_path, "card.md", card_text())
    write(tmp_path, "card.overlay.yaml", "activatoin: sigmoid\n")
    with pytest.raises(CardError, match="activatoin"):
        resolve(Catalog.load([tmp_path]), "en/small_model")


def test_resolving_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from hubclient.bundled import CARDS\n"
        "from hubclient.catalog import Catalog\n"
        "from hubclient.names import CardReference\n"
        "Catalog.load([CARDS]).resolve(CardReference('bert_tiny_sequence_classifier_sst2'))\n"
        "print(sorted({'numpy', 'boto3', 'urllib3', 'onnx', 'onnxruntime', 'torch', 'huggingface_hub', 'rich'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_pipe_among_the_cards_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    (problem,) = Catalog.load([tmp_path]).problems
    assert "not a file" in problem.what


def live_card(name: str = "small_model", language: str = "de", version: str = "9.0.0") -> Card:
    return parse_card(card_text(file=archive(name, language, version), front={"name": name, "language": language}))


class Asked:
    """A live index of one card, and how often it was asked."""

    def __init__(self, *cards: Card, trouble: SourceError | None = None) -> None:
        self.cards, self.trouble, self.names = cards, trouble, list[str]()

    def __call__(self, name: str) -> list[Card]:
        self.names.append(name)
        if self.trouble:
            raise self.trouble
        return [card for card in self.cards if card.model_name == name]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder with one model in two languages and another one."""
    for language in ("fr", "it"):
        write(tmp_path, f"small_model_{language}.md", card_text(file=archive(language=language), front={"language": language}))
    write(tmp_path, "other_en.md", card_text(file=archive("other"), front={"name": "other"}))
    return tmp_path


def with_live(folder: Path, live: Asked) -> Catalog:
    return Catalog([Layer("folder", folder, own=True)], live=live)


@pytest.mark.parametrize(
    ("text", "chosen"),
    [("de/small_model", "de/small_model@9.0.0"), ("other@>=9", "en/other@9.5.0"), ("unheard", "xx/unheard@1.0.0")],
    ids=["language", "version", "name"],
)
def test_what_the_cards_lack_is_looked_up_in_the_live_index(small: Path, text: str, chosen: str) -> None:
    asked = Asked(live_card(), live_card("other", "en", "9.5.0"), live_card("unheard", "xx", "1.0.0"))
    found = resolve(with_live(small, asked), text)
    assert str(CardKey.of(found.card)) == chosen
    assert found.notices[-1] == f"{chosen} is known from the live index alone: there is no card of it"
    assert len(asked.names) == 1


@pytest.mark.parametrize("text", ["fr/small_model", "other", "other@3.4.2", "small_model", "en.classify.small"])
def test_what_the_cards_tell_needs_no_live_index(small: Path, text: str) -> None:
    asked = Asked(live_card())
    catalog = with_live(small, asked)
    with suppress(AmbiguousModel):
        resolve(catalog, text)
    assert asked.names == []


def test_what_nobody_has_names_what_both_have(small: Path) -> None:
    with pytest.raises(UnknownLanguage) as caught:
        resolve(with_live(small, Asked(live_card())), "es/small_model")
    assert caught.value.why == "the languages there are: de, fr, it"


def test_a_live_index_in_trouble_is_told_beside_what_the_cards_say(small: Path) -> None:
    trouble = SourceError("no answer")
    for text in ("es/small_model", "unheard", "fr/small_model@9"):
        with pytest.raises(ResolutionError) as caught:
            resolve(with_live(small, Asked(trouble=trouble)), text)
        assert caught.value.causes == (trouble,)


def test_a_broken_card_is_told_where_its_name_is_explained(tmp_path: Path) -> None:
    write(tmp_path, "small_model_en.md", card_text())
    write(tmp_path, "2023-01-01-small_model_en.md", "---\nname: small_model\n")
    (notice,) = Catalog.load([tmp_path]).deliberate(CardReference("small_model", "en")).notices
    assert notice.startswith("the front matter has no end")
    assert notice.endswith(": no second line of '---' follows the first: it is left out")
