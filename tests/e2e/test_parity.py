"""Every archive answers as its original checkpoint did: token ids exactly, logits to 1e-4, with every engine and in transformers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hubclient import Classifier, from_folder, pretrained
from tests.e2e.conftest import Opened
from tests.e2e.material import (
    PUBMED,
    PUBMED_FOLDER,
    PUBMED_KEY,
    PUBMED_REPO,
    PUBMED_ZIP,
    Golden,
    committed,
    make_mirror,
    read_golden,
    shared_classifiers,
    tolerance,
)
from tests.servers.hub import FakeHub

GOLDENS = [*committed(), *shared_classifiers()]
TOLERANCE = 1e-4

every_archive = pytest.mark.parametrize("golden", GOLDENS, ids=str)
every_engine = pytest.mark.parametrize("engine", ["onnx", "torch"])


@every_archive
def test_the_archive_says_what_its_golden_file_says(golden: Golden, opened: Opened) -> None:
    classifier = opened(golden.archive, "onnx")
    assert list(classifier.labels) == golden.facts["labels"]
    assert classifier.classes_.tolist() == golden.facts["labels"]
    assert classifier.max_length == golden.facts["max_length"]
    assert classifier.activation == golden.facts["activation"]
    assert classifier.manifest.annotator == golden.facts["annotator"]


@every_archive
def test_token_ids(golden: Golden, opened: Opened) -> None:
    classifier = opened(golden.archive, "onnx")
    for row in golden.rows:
        assert classifier.encode(row.text) == row.input_ids, row.text


@every_engine
@every_archive
def test_logits_text_by_text(golden: Golden, engine: str, opened: Opened) -> None:
    classifier = opened(golden.archive, engine)
    assert classifier.engine == engine
    for row in golden.rows:
        logits = classifier.logits([row.text])
        assert logits.dtype == np.float32
        assert np.abs(logits[0] - row.logits).max() <= tolerance(golden, engine), row.text


@every_engine
@every_archive
def test_logits_in_one_mixed_batch(golden: Golden, engine: str, opened: Opened) -> None:
    texts = [row.text for row in golden.rows]
    logits = opened(golden.archive, engine).logits(texts, batch_size=len(texts))
    assert np.abs(logits - np.array([row.logits for row in golden.rows])).max() <= tolerance(golden, engine)


@every_archive
def test_predictions_follow_from_the_golden_logits(golden: Golden, opened: Opened) -> None:
    classifier = opened(golden.archive, "onnx")
    for row, prediction in zip(golden.rows, classifier([row.text for row in golden.rows]), strict=True):
        expected = scores(row.logits, golden.facts["activation"])
        assert list(prediction.scores) == golden.facts["labels"]
        assert np.abs(np.array(list(prediction.scores.values())) - expected).max() <= TOLERANCE
        assert prediction.score == max(prediction.scores.values())
        assert prediction.scores[prediction.label] == prediction.score


@every_archive
def test_transformers_opens_the_same_folder(golden: Golden, opened: Opened) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = opened(golden.archive, "onnx").path
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    assert [model.config.id2label[index] for index in range(len(golden.facts["labels"]))] == golden.facts["labels"]
    for row in golden.rows:
        encoded = tokenizer(row.text, truncation=True, return_tensors="pt")
        assert encoded["input_ids"][0].tolist() == row.input_ids, row.text
        with torch.inference_mode():
            logits = model(**encoded).logits[0].numpy()
        assert np.abs(logits - row.logits).max() <= TOLERANCE, row.text


def test_pubmed_by_its_card_answers_with_sigmoid_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBCLIENT_MIRRORS", str(make_mirror(tmp_path, {PUBMED_KEY: PUBMED_ZIP})))
    classifier = pretrained(PUBMED, "en")
    assert classifier.manifest.facts.activation.source == "overlay"
    check_pubmed(classifier)


def test_pubmed_from_hugging_face_answers_with_sigmoid_scores(fakehub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The repository states no length; its answers are golden at the archive's."""
    fakehub.add(PUBMED_REPO, PUBMED_FOLDER)
    monkeypatch.setenv("HF_ENDPOINT", fakehub.endpoint)
    check_pubmed(pretrained(PUBMED, "en", source="hf", max_length=256))
    classifier = pretrained(f"hf:{PUBMED_REPO}", max_length=256, cache_dir=tmp_path / "other")
    assert classifier.manifest.facts.activation.source == "config.json problem_type"
    check_pubmed(classifier)


def test_pubmed_from_a_hugging_face_folder_answers_with_sigmoid_scores() -> None:
    check_pubmed(from_folder(PUBMED_FOLDER, max_length=256))


@every_engine
def test_one_model_of_three_origins_gives_one_answer(engine: str, opened: Opened) -> None:
    """The archives of the SST-2 model, TensorFlow and ONNX, hold the same tensors."""
    models = [opened(golden.archive, engine) for golden in GOLDENS if "bert_tiny_sequence_classifier_sst2" in golden.archive.name]
    assert len(models) >= 2
    assert len({model.manifest.tensors_digest for model in models}) == 1
    texts = [row.text for row in GOLDENS[0].rows]
    for model in models[1:]:
        assert np.array_equal(model.logits(texts), models[0].logits(texts))


def check_pubmed(classifier: Classifier) -> None:
    golden = read_golden(PUBMED_ZIP, PUBMED_ZIP.parent)
    assert classifier.multi_label
    assert list(classifier.labels) == golden.facts["labels"]
    texts = [row.text for row in golden.rows]
    expected = scores(np.array([row.logits for row in golden.rows]), "sigmoid")
    assert np.abs(classifier.predict_proba(texts) - expected).max() <= TOLERANCE
    for prediction in classifier(texts):
        assert set(prediction.selected) == {label for label, score in prediction.scores.items() if score > 0.5}


def scores(logits: list[float] | np.ndarray, activation: str) -> np.ndarray:
    values = np.asarray(logits, dtype=np.float64)
    result: np.ndarray = 1 / (1 + np.exp(-values))
    if activation == "softmax":
        powers = np.exp(values - values.max(axis=-1, keepdims=True))
        result = powers / powers.sum(axis=-1, keepdims=True)
    return result
