"""Zero-shot classification: scores are those of transformers' pipeline, on repositories and on archives."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hubclient import Prediction, ZeroShotClassifier, from_archive, from_folder
from hubclient.errors import HubError, InconsistentModel, InvalidText, UnsupportedModel, UsageError
from hubclient.native import read_manifest
from tests.archive.builders import map_feature
from tests.e2e import damaged
from tests.e2e.material import DEMO_ZIP
from tests.tasks.made import MAX_LENGTH, NLI, change_config, reference, save_model

ARCHIVES = Path(__file__).parents[3] / "shared" / "archives"
GOLDENS = sorted(ARCHIVES.glob("*zero_shot*.golden.jsonl"))
TEXTS = ["a good film", "", "the phone is bad, and so on", "good " * 100]
LABELS = ["film", "phone, broken", "a", "bad"]
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def pipe(nli_repository: Path) -> Any:
    return reference("zero-shot-classification", nli_repository, "SequenceClassification")


@pytest.mark.parametrize("multi_label", [False, True], ids=["one", "several"])
@pytest.mark.parametrize("labels", [LABELS, ["phone"], "film, bad ,, phone"], ids=["four", "single", "with commas"])
@pytest.mark.parametrize("template", ["This example is {}.", "{0} is {0}", "is this {}"])
def test_scores_are_the_pipelines(zero_shot: ZeroShotClassifier, pipe: Any, labels: Any, template: str, multi_label: bool) -> None:
    found = zero_shot(TEXTS, labels, multi_label=multi_label, hypothesis_template=template)
    for text, prediction in zip(TEXTS, found, strict=True):
        if text:  # the pipeline takes no empty text
            wanted = pipe(text, candidate_labels=labels, multi_label=multi_label, hypothesis_template=template)
            assert list(prediction.scores) == wanted["labels"]
            # Of logits that agree within 1e-4.
            assert list(prediction.scores.values()) == pytest.approx(wanted["scores"], abs=2.5e-5)
        assert (prediction.label, prediction.score) == next(iter(prediction.scores.items()))


@pytest.mark.parametrize("words", [MAX_LENGTH - 9, MAX_LENGTH - 8, MAX_LENGTH - 7, MAX_LENGTH + 5])
def test_a_label_that_leaves_no_room(zero_shot: ZeroShotClassifier, pipe: Any, words: int) -> None:
    """As in transformers: a text is not shortened to nothing, then nothing is cut."""
    label = " ".join(["bad"] * words)
    text = "good film good"
    wanted = pipe(text, candidate_labels=[label, "film"])
    assert zero_shot(text, [label, "film"]).scores == pytest.approx(dict(zip(wanted["labels"], wanted["scores"], strict=True)), abs=1e-5)


def test_a_label_longer_than_the_model_takes(zero_shot: ZeroShotClassifier) -> None:
    with pytest.raises(InvalidText, match="leaves no room"):
        zero_shot("good", ["bad " * 70])


@pytest.mark.parametrize(
    "labels",
    [
        ("contradiction", "neutral", "entailment"),
        ("contradiction", "ENTAILED"),
        ("neutral", "entailment", "contradiction"),
        ("not_entailment", "entailment"),
        ("LABEL_0", "LABEL_1", "LABEL_2"),
    ],
    ids="-".join,
)
def test_classes_are_found_as_the_pipeline_finds_them(labels: tuple[str, ...], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = save_model(tmp_path / "model", "SequenceClassification", labels)
    with caplog.at_level(logging.WARNING, "hubclient"):
        classifier = from_folder(folder, task="zero-shot-classification", cache_dir=tmp_path / "cache")
    pipe = reference("zero-shot-classification", folder, "SequenceClassification")
    for several in (False, True):
        wanted = pipe("a good film", candidate_labels=LABELS, multi_label=several)
        found = classifier("a good film", LABELS, multi_label=several)
        assert list(found.scores) == wanted["labels"]
        assert list(found.scores.values()) == pytest.approx(wanted["scores"], abs=1e-5)
    told = "neutral" if labels[0] == "neutral" else "the last one" if labels[0] == "LABEL_0" else ""
    assert [record.message for record in caplog.records if told and told in record.message] != [] or not told
    assert (not told) == (not caplog.records)


def test_both_maps_of_config_json_must_agree(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "model", "SequenceClassification", NLI)
    change_config(folder, label2id={"entailment": 2, "neutral": 1, "contradiction": 0})
    with pytest.raises(InconsistentModel, match="label2id"):
        from_folder(folder, task="zero-shot-classification", cache_dir=tmp_path / "cache")


@pytest.mark.parametrize("labels", [("neg", "pos"), ("entailment",)])
def test_a_model_that_is_none_of_inference(labels: tuple[str, ...], tmp_path: Path) -> None:
    folder = save_model(tmp_path / "model", "SequenceClassification", labels)
    with pytest.raises(UsageError, match="zero-shot") as caught:
        from_folder(folder, task="zero-shot-classification", cache_dir=tmp_path / "cache")
    assert "text-classification" in str(caught.value.hint)


def test_what_comes_back(zero_shot: ZeroShotClassifier) -> None:
    one = zero_shot("a film", LABELS)
    assert isinstance(one, Prediction)
    assert sum(one.scores.values()) == pytest.approx(1)
    assert one.selected == (one.label,)
    several = zero_shot("a film", LABELS, multi_label=True, threshold=0.0)
    assert several.selected == tuple(several.scores)
    middle = sorted(several.scores.values())[1]
    assert zero_shot("a film", LABELS, multi_label=True, threshold=middle).selected == tuple(several.scores)[:2]
    assert list(zero_shot("a film", LABELS, top_k=2).scores) == list(one.scores)[:2]
    assert zero_shot([], LABELS) == []
    assert zero_shot(["a film"] * 3, LABELS) == [one] * 3
    assert next(zero_shot.stream(iter(["a film"]), LABELS)) == one


def test_batches_change_nothing(zero_shot: ZeroShotClassifier) -> None:
    texts = [f"film {'good ' * (number % 20)}" for number in range(50)]
    logits = zero_shot.logits(texts, LABELS)
    assert logits.shape == (50, 4, 3)
    assert np.abs(logits - zero_shot.logits(texts, LABELS, batch_size=1)).max() < 1e-5
    assert zero_shot.logits([], LABELS).shape == (0, 4, 3)


def test_progress_counts_texts(zero_shot: ZeroShotClassifier) -> None:
    told: list[int] = []
    zero_shot(["a film"] * 7, LABELS, progress=told.append, batch_size=3)
    assert sum(told) == 7


def test_long_texts_in_windows(zero_shot: ZeroShotClassifier) -> None:
    text = "good film phone " * 30
    pieces = zero_shot.logits([text], ["bad"], long_texts="window", stride=0, pooling="max")
    assert not np.allclose(pieces, zero_shot.logits([text], ["bad"]))
    assert np.array_equal(zero_shot.logits(["film"], ["bad"], long_texts="window"), zero_shot.logits(["film"], ["bad"]))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"candidate_labels": None}, "candidate labels"),
        ({"candidate_labels": []}, "candidate labels"),
        ({"candidate_labels": " , "}, "candidate labels"),
        ({"candidate_labels": ["a", "a"]}, "twice"),
        ({"candidate_labels": ["a", None]}, "missing"),
        ({"candidate_labels": ["a"], "hypothesis_template": "no place"}, "no place"),
        ({"candidate_labels": ["a"], "hypothesis_template": "{"}, "filled in"),
        ({"candidate_labels": ["a"], "hypothesis_template": "{1}"}, "filled in"),
        ({"candidate_labels": ["a"], "hypothesis_template": "{label}"}, "filled in"),
        ({"candidate_labels": ["a"], "hypothesis_template": "{.x}"}, "filled in"),
        ({"candidate_labels": ["a"], "top_k": 0}, "top_k"),
        ({"candidate_labels": ["a"], "threshold": float("nan")}, "threshold"),
    ],
)
def test_what_cannot_be_asked(zero_shot: ZeroShotClassifier, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        zero_shot("a text", **options)


@pytest.mark.parametrize("text", [("a", "b"), [("a", "b")], 3, [None]])
def test_only_single_texts(zero_shot: ZeroShotClassifier, text: Any) -> None:
    with pytest.raises(InvalidText):
        zero_shot(text, LABELS)


# Archives. That of the embedded model is made one of inference.


def nli_archive(target: Path, labels: tuple[str, ...] = ("entailment", "contradiction"), **params: Any) -> Path:
    """The embedded model's archive under another annotator, with other labels for its two classes."""
    metadata = json.loads(damaged.read_members(DEMO_ZIP)[damaged.METADATA])
    name = "com.johnsnowlabs.nlp.annotators.classifier.dl.BertForZeroShotClassification"
    changed = {**metadata, "class": name, "paramMap": {**metadata["paramMap"], **params}}
    changed["defaultParamMap"] |= {"entailmentIdParam": 2, "contradictionIdParam": 0, "candidateLabels": ["urgent", "not_urgent"]}
    part = map_feature([(label, number) for number, label in enumerate(labels)])
    return damaged.rewritten(
        target, {damaged.METADATA: json.dumps(changed).encode(), f"{damaged.LABELS}/part-00000": part, f"{damaged.LABELS}/part-00001": None}
    )


def open_archive(path: Path, tmp_path: Path) -> ZeroShotClassifier:
    return from_archive(path, task="zero-shot-classification", cache_dir=tmp_path / "cache", progress=False)


def test_an_archive_keeps_its_own_candidates(tmp_path: Path) -> None:
    params: dict[str, Any] = {
        "entailmentIdParam": 0,
        "contradictionIdParam": 1,
        "candidateLabels": ["fine", "awful, dull", "fine"],
        "threshold": 0.1,
    }
    classifier = open_archive(nli_archive(tmp_path / "a.zip", **params), tmp_path)
    assert classifier.candidate_labels == ("fine", "awful, dull")
    assert set(classifier("a fine film").scores) == {"fine", "awful, dull"}
    assert set(classifier("a fine film", ["x"]).scores) == {"x"}
    stated = read_manifest(classifier.path).zero_shot
    assert stated is not None
    assert (stated.entailment, stated.contradiction) == (0, 1)
    assert classifier.threshold == 0.1


@pytest.mark.parametrize("stated", [None, ["entailment", "contradiction"], ["contradiction", "entailment"]])
def test_classes_are_no_candidates(stated: list[str] | None, tmp_path: Path) -> None:
    """Spark NLP puts the classes there until somebody sets candidates, and its default says nothing."""
    params: dict[str, Any] = {} if stated is None else {"candidateLabels": stated}
    classifier = open_archive(nli_archive(tmp_path / "a.zip", **params), tmp_path)
    assert classifier.candidate_labels == ()
    with pytest.raises(UsageError, match="candidate labels"):
        classifier("a film")


def test_an_archive_whose_classes_have_no_names(tmp_path: Path) -> None:
    params = {"entailmentIdParam": 1, "contradictionIdParam": 0}
    named = open_archive(nli_archive(tmp_path / "a.zip", ("contradiction", "entailment"), **params), tmp_path)
    unnamed = open_archive(nli_archive(tmp_path / "b.zip", ("x", "y"), **params), tmp_path)
    assert unnamed("a fine film", LABELS) == named("a fine film", LABELS)
    wanted = unnamed.to_pipeline()("a fine film", candidate_labels=LABELS)
    assert list(unnamed("a fine film", LABELS).scores.values()) == pytest.approx(wanted["scores"], abs=1e-5)


@pytest.mark.parametrize(
    ("labels", "params", "error"),
    [
        (("entailment", "contradiction"), {"entailmentIdParam": 1}, InconsistentModel),
        (("entailment", "contradiction"), {"contradictionIdParam": 0}, InconsistentModel),
        (("entailment", "other"), {"contradictionIdParam": 0}, InconsistentModel),
        (("x", "y"), {"entailmentIdParam": 2}, InconsistentModel),
        (("x", "y"), {"entailmentIdParam": -1}, InconsistentModel),
        (("x", "y"), {}, UnsupportedModel),
        (("entailment", "contradiction"), {"candidateLabels": "a"}, HubError),
        (("entailment", "contradiction"), {"candidateLabels": [1]}, HubError),
        (("entailment", "contradiction"), {"entailmentIdParam": "0"}, HubError),
    ],
)
def test_an_archive_that_contradicts_itself(labels: tuple[str, ...], params: dict[str, Any], error: type[HubError], tmp_path: Path) -> None:
    with pytest.raises(error):
        open_archive(nli_archive(tmp_path / "a.zip", labels, **params), tmp_path)


@pytest.mark.parametrize("engine", ["onnx", "torch"])
@pytest.mark.parametrize("golden", GOLDENS, ids=lambda path: path.stem)
def test_golden_answers(golden: Path, engine: str, tasks_cache: Path) -> None:
    facts, *rows = map(json.loads, golden.read_text("utf-8").splitlines())
    archive = ARCHIVES / facts["archive"]
    classifier = from_archive(archive, task="zero-shot-classification", engine=engine, cache_dir=tasks_cache, progress=False)
    candidates, texts = facts["candidate_labels"], [row["text"] for row in rows]
    assert list(classifier.candidate_labels) == candidates
    assert list(classifier.labels) == facts["labels"]
    logits = np.array([[pair["logits"] for pair in row["pairs"]] for row in rows])
    assert np.abs(classifier.logits(texts) - logits).max() <= TOLERANCE
    assert np.abs(classifier.logits(texts[:5], batch_size=1) - logits[:5]).max() <= TOLERANCE
    for row in rows:
        assert [classifier.encode(row["text"], label) for label in candidates] == [pair["input_ids"] for pair in row["pairs"]]
    for several, key in ((False, "scores"), (True, "multi_label_scores")):
        for row, prediction in zip(rows, classifier(texts, multi_label=several), strict=True):
            assert [prediction.scores[label] for label in candidates] == pytest.approx(row[key], abs=TOLERANCE)
            assert sorted(prediction.scores.values(), reverse=True) == list(prediction.scores.values())
