"""`hub cards new`: what the card says is what the weights say, `hub lint` finds nothing, and `hub pull` takes the model by it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from hubclient import Card, Hub, bundled, from_archive, parse_card, pretrained
from hubclient.authoring.draft import Draft, card_text, overlay_text
from hubclient.cards import parse_overlay, parse_s3_uri
from hubclient.cards.lint import lint_card
from hubclient.convert.annotators import ANNOTATORS
from tests.e2e.material import BUCKET, DEMO_ZIP, PUBMED_ZIP, SHARED, SST2_ONNX_ZIP, TREC6_ZIP, make_mirror
from tests.e2e.shell import Run, hub
from tests.evaluate.stub import write_csv
from tests.servers.hub import FakeHub

COMMITTED = [DEMO_ZIP, TREC6_ZIP, SST2_ONNX_ZIP, PUBMED_ZIP]
ARCHIVES = [*COMMITTED, *(path for path in sorted(SHARED.glob("*.zip")) if path.name not in {archive.name for archive in COMMITTED})]
PLACE = parse_s3_uri("s3://bucket/models/name_en_5.5.3_3.4_1738774771318.zip")
DRAFT = Draft(
    PLACE,
    "text-classification",
    "BertForSequenceClassification",
    "bert",
    "2025-02-05",
    ("a", "b"),
    "softmax",
    128,
    True,
    4.7,
    {"layers": 2},
)


def new(name: str, *arguments: str | Path, code: int = 0) -> Run:
    done = hub("cards", "new", name, *arguments)
    assert done.code == code, done.err
    return done


@pytest.fixture(scope="session")
def authors_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authors")


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.stem)
def test_of_an_archive(archive: Path, tmp_path: Path, authors_cache: Path) -> None:
    done = new("my_model", "--from-archive", archive, "-o", tmp_path, "--cache-dir", authors_cache, "--json")
    told = json.loads(done.out)
    text = Path(told["path"]).read_text("utf-8")
    overlay = parse_overlay(Path(told["overlay"]).read_text("utf-8")) if told["overlay"] else None
    assert lint_card(text, path=told["path"], overlay=overlay) == ()
    assert [finding for finding in hub("lint", tmp_path).lines if finding] == []
    card = parse_card(text)
    model = Hub(cache_dir=authors_cache, progress=False).pretrained(str(archive), task=None)
    assert card.labels == (model.manifest.zero_shot.candidate_labels if model.manifest.zero_shot else model.labels)
    assert card.annotator == model.manifest.annotator
    assert card.max_sentence_length == model.manifest.facts.max_length.value
    assert card.case_sensitive == (not model.manifest.facts.lowercase.value)
    assert card.size_mb == pytest.approx(archive.stat().st_size / 2**20, abs=0.05)
    # All but the name is that of the archive's file.
    assert card.s3_uri == told["archive"] == f"s3://{BUCKET}/public/models/my_model_{'_'.join(archive.name.rsplit('_', 4)[1:])}"
    assert card.date == text.partition("date: ")[2][:10]


def test_the_card_leads_to_the_model(tmp_path: Path) -> None:
    """Put where the card says, the archive is pulled by its name, and answers as it did; its overlay counts."""
    done = new("my_topics", "--from-archive", PUBMED_ZIP, "-o", tmp_path / ".", "--title", "Topics: of articles", "--author", "Me")
    card = parse_card((tmp_path / "my_topics_en.md").read_text("utf-8"))
    assert (card.title, card.author) == ("Topics: of articles", "Me")
    assert f"the card says that the archive is {card.s3_uri}" in done.err
    assert card.s3_parsed
    make_mirror(tmp_path / "mirror", {card.s3_parsed.key: PUBMED_ZIP})
    env = {"HUBCLIENT_CARDS": str(tmp_path), "HUBCLIENT_MIRRORS": str(tmp_path / "mirror"), "HUBCLIENT_OFFLINE": "1"}
    said = hub("predict", "my_topics", "--lang", "en", "--json", "Aspirin lowers the risk of a heart attack.", env=env)
    assert said.code == 0, said.err
    model = from_archive(PUBMED_ZIP, progress=False)
    expected = model("Aspirin lowers the risk of a heart attack.")
    assert json.loads(said.out)["scores"] == pytest.approx(dict(expected.scores), abs=1e-6)


def test_the_benchmark_is_filled_in(tmp_path: Path) -> None:
    new("my_reviews", "--from-archive", DEMO_ZIP, "-o", tmp_path)
    card = tmp_path / "my_reviews_en.md"
    labelled = write_csv(tmp_path / "labelled.csv", [("I really liked that movie!", "pos"), ("Dull.", "neg")])
    done = hub("evaluate", str(DEMO_ZIP), "--input", labelled, "--write-card", card)
    assert done.code == 0, done.err
    (table,) = parse_card(card.read_text("utf-8")).benchmarks
    assert table.accuracy == 1.0
    assert lint_card(card.read_text("utf-8"), path=str(card)) == ()


def test_of_a_repository(fakehub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fakehub.add("someone/reviews", _repository(tmp_path / "repository"))
    monkeypatch.setenv("HF_ENDPOINT", fakehub.endpoint)
    new("reviews_model", "--from-hf", "someone/reviews", "-o", tmp_path, "--date", "2024-05-06")
    card = parse_card((tmp_path / "reviews_model_fr.md").read_text("utf-8"))
    assert (card.language, card.hf_origin, card.date) == ("fr", "someone/reviews", "2024-05-06")
    assert card.model_info["License"] == "apache-2.0"
    assert card.data_source == "- https://huggingface.co/datasets/someone/set"
    assert lint_card((tmp_path / "reviews_model_fr.md").read_text("utf-8"), path="reviews_model_fr.md") == ()
    monkeypatch.setenv("HUBCLIENT_CARDS", str(tmp_path))
    assert card.labels == pretrained("reviews_model", "fr", source="hf").labels


def _repository(folder: Path) -> Path:
    """The demo model as a repository, with a card in the Hub's dialect."""
    exported = hub("export", str(DEMO_ZIP), folder, "--format", "hf")
    assert exported.code == 0, exported.err
    front = "---\nlanguage: fr\nlicense: apache-2.0\ndatasets:\n- someone/set\n- 'not a set'\n---\n# Reviews\n"
    (folder / "README.md").write_text(front, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "name one of the two"),
        (("--from-archive", DEMO_ZIP, "--from-hf", "a/b"), "name one of the two"),
        (("--from-archive", "missing.zip"), "missing.zip"),
        (("--from-archive", DEMO_ZIP, "--lang", "e"), "code of a language"),
        (("--from-archive", DEMO_ZIP, "--lib-version", "five"), "not a version"),
        (("--from-archive", DEMO_ZIP, "--date", "06/09/2022"), "not a date"),
        (("--from-archive", DEMO_ZIP, "--s3", "bucket"), "not the address of an S3 object"),
        (("--from-archive", DEMO_ZIP, "-o", "missing"), "cannot be written"),
    ],
)
def test_what_is_refused(arguments: tuple[str | Path, ...], told: str, tmp_path: Path) -> None:
    done = hub("cards", "new", "my_model", *arguments, cwd=tmp_path)
    assert done.code in (2, 3, 5)
    assert told in done.err
    assert list(tmp_path.iterdir()) == []


def test_names_that_cannot_be(tmp_path: Path) -> None:
    assert "nobody could ask" in new("my model", "--from-archive", DEMO_ZIP, "-o", tmp_path, code=2).err


def test_a_language_must_be_known(tmp_path: Path) -> None:
    shutil.copyfile(DEMO_ZIP, tmp_path / "model.zip")
    assert "--lang" in new("my_model", "--from-archive", tmp_path / "model.zip", "-o", tmp_path, code=2).err
    done = new("my_model", "--from-archive", tmp_path / "model.zip", "-o", tmp_path, "--lang", "en")
    card = parse_card(Path(done.out.strip()).read_text("utf-8"))
    # The metadata tell when it was made, and with which Spark.
    assert card.s3_parsed
    assert card.s3_parsed.spark_version == "3.1"
    assert card.s3_parsed.epoch_ms
    assert lint_card(Path(done.out.strip()).read_text("utf-8"), path=done.out.strip()) == ()


def test_a_card_is_replaced_when_that_is_meant(tmp_path: Path) -> None:
    new("my_model", "--from-archive", DEMO_ZIP, "-o", tmp_path)
    assert "there is a file already" in new("my_model", "--from-archive", DEMO_ZIP, "-o", tmp_path, code=2).err
    new("my_model", "--from-archive", DEMO_ZIP, "-o", tmp_path, "--force")


@pytest.mark.parametrize("annotator", ANNOTATORS)
def test_every_class_gives_a_clean_card(annotator: str) -> None:
    draft = replace(
        DRAFT, annotator=annotator, task=ANNOTATORS[annotator].task, architecture=ANNOTATORS[annotator].model_type, origin="a/b"
    )
    assert lint_card(card_text(draft), path="name_en.md") == ()


@pytest.mark.parametrize(
    "draft",
    [
        replace(DRAFT, labels=("no", "true", "1.10", "a, b", "[c]", "d'e", 'f"g', "ünï")),
        replace(DRAFT, labels=("one",), activation="sigmoid"),
        replace(DRAFT, labels=("one",), activation="none"),
        replace(DRAFT, labels=("a", "b"), activation="sigmoid"),
        replace(DRAFT, title="no", author="- x: {}"),
        replace(DRAFT, title='"quoted": [x] # not', author="'"),
        replace(DRAFT, place=parse_s3_uri("s3://bucket/models/name_no_5.10.0_3.10_1738774771318.zip")),
        replace(DRAFT, license="a|b", data=("https://huggingface.co/datasets/x",), shape={}),
    ],
    ids=range(8),
)
def test_what_is_odd_stays_clean(draft: Draft) -> None:
    text = card_text(draft)
    stated = overlay_text(draft)
    assert lint_card(text, path=f"name_{draft.language}.md", overlay=parse_overlay(stated) if stated else None) == ()
    card = parse_card(text)
    assert card.labels == draft.labels
    assert card.title == (draft.title or "Text Classification with bert (name)")
    assert card.author == draft.author
    assert (card.language, card.version, card.spark_version) == (draft.language, card.s3_parsed and card.version, draft.place.spark_version)


def test_a_label_with_backticks_is_read_back() -> None:
    card: Card = parse_card(card_text(replace(DRAFT, labels=("a`b", "c"))))
    assert card.labels == ("a`b", "c")


def test_the_place_is_that_of_the_shipped_cards() -> None:
    card = parse_card((bundled.CARDS / "bert_tiny_sequence_classifier_sst2_en.md").read_text("utf-8"))
    assert card.s3_parsed
    assert card.s3_parsed.bucket == BUCKET
