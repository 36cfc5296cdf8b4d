"""What a classifier promises, on the embedded model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hubclient import Classifier, Prediction, pretrained
from hubclient.activation import activate
from hubclient.errors import HubError, InvalidText, UsageError

NAME = "bert_tiny_sequence_classifier_sst2"
TEXTS = ["I really liked that movie!", "The plot made no sense at all.", "", "a " * 600]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def classifier(cache: Path) -> Classifier:
    return pretrained(NAME, "en", cache_dir=cache)


def test_one_text_gives_a_prediction(classifier: Classifier) -> None:
    prediction = classifier(TEXTS[0])
    assert isinstance(prediction, Prediction)
    assert prediction.label == "pos"
    assert prediction.selected == ("pos",)
    assert list(prediction.scores) == ["neg", "pos"]
    assert prediction.score == prediction.scores["pos"] == max(prediction.scores.values())
    assert sum(prediction.scores.values()) == pytest.approx(1)


def test_many_texts_give_a_list_in_order(classifier: Classifier) -> None:
    many = classifier(TEXTS)
    assert [prediction.label for prediction in many] == [classifier(text).label for text in TEXTS]
    assert [p.label for p in classifier(text for text in TEXTS)] == [p.label for p in many]
    assert classifier([]) == []


def test_scikit_learns_names(classifier: Classifier) -> None:
    probabilities = classifier.predict_proba(TEXTS)
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (4, 2)
    assert classifier.classes_.tolist() == ["neg", "pos"]
    assert classifier.predict(TEXTS).tolist() == [prediction.label for prediction in classifier(TEXTS)]
    assert classifier.logits([]).shape == (0, 2)
    assert classifier.predict_proba([]).shape == (0, 2)
    assert classifier.predict([]).tolist() == []


def test_order_and_batches_change_nothing(classifier: Classifier) -> None:
    texts = [f"word {'good ' * (index % 37)}" for index in range(150)]
    whole = classifier.logits(texts, batch_size=64)
    assert np.abs(whole - classifier.logits(texts, batch_size=1)).max() < 1e-5
    assert np.abs(whole - classifier.logits(texts[::-1])[::-1]).max() < 1e-5


def test_truncation_and_encoding(classifier: Classifier) -> None:
    ids = classifier.encode(TEXTS[3])
    assert len(ids) == classifier.max_length == 128
    assert ids[0] == 2
    assert ids[-1] == 3
    assert len(pretrained(NAME, "en", cache_dir=classifier.path.parents[1], max_length=5).encode(TEXTS[3])) == 5


def test_pairs_are_texts(classifier: Classifier) -> None:
    assert isinstance(classifier(("a film", "it was good")), Prediction)
    assert len(classifier([("a film", "it was good"), "alone"])) == 2
    assert classifier.encode(("good", "bad")).count(3) == 2


def test_overrides(classifier: Classifier, cache: Path) -> None:
    cased = pretrained(NAME, "en", cache_dir=cache, lowercase=False)
    assert cased.encode("GOOD") != classifier.encode("GOOD") == classifier.encode("good")
    raw = pretrained(NAME, "en", cache_dir=cache, activation="none")
    assert raw.predict_proba(TEXTS).tolist() == classifier.logits(TEXTS).tolist()
    many = pretrained(NAME, "en", cache_dir=cache, activation="sigmoid", threshold=0.999)
    assert many.multi_label
    assert many(TEXTS[0]).selected == ()
    assert many(TEXTS[0]).label == "pos"
    assert many(TEXTS[0], threshold=0.0).selected == ("pos", "neg")


def test_top_k(classifier: Classifier) -> None:
    assert list(classifier(TEXTS[0], top_k=1).scores) == ["pos"]
    assert classifier(TEXTS[0]).top() == classifier(TEXTS[0]).top(5)
    with pytest.raises(UsageError):
        classifier(TEXTS, top_k=0)


def test_a_stream_is_bounded(classifier: Classifier) -> None:
    def endless() -> Iterator[str]:
        while True:
            yield "good"

    stream = classifier.stream(endless())
    assert [next(stream).label for _ in range(3)] == ["pos"] * 3


def test_a_stream_answers_before_much_of_it_is_read(classifier: Classifier) -> None:
    read: list[int] = []

    def counted() -> Iterator[str]:
        for number in range(1000):
            read.append(number)
            yield "good"

    next(classifier.stream(counted()))
    assert len(read) <= 32


def test_progress_is_told(classifier: Classifier) -> None:
    told: list[int] = []
    classifier(TEXTS, progress=told.append, batch_size=3)
    assert sum(told) == 4


@pytest.mark.parametrize(
    "value", [None, 3, b"bytes", ["a", None], ["a", b"b"], {"text": "a"}, [["a", "b"]], ("a", 3), "lone \ud800", [1.5]]
)
def test_what_is_not_a_text_is_refused(classifier: Classifier, value: Any) -> None:
    with pytest.raises(InvalidText) as caught:
        classifier(value)
    assert caught.value.hint
    with pytest.raises(HubError):
        classifier.logits(value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_length": 513}, "512 positions"),
        ({"max_length": 0}, "max_length"),
        ({"max_length": 2}, "max_length"),
        ({"activation": "relu"}, "softmax, sigmoid, none"),
        ({"engine": "tensorflow"}, "onnx, openvino, torch"),
        ({"task": "translation"}, "text-classification"),
        ({"source": "ftp"}, "'s3' or 'hf'"),
    ],
)
def test_options_that_cannot_be(cache: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        pretrained(NAME, "en", cache_dir=cache, **options)


def test_activations_are_stable() -> None:
    logits = np.array([[1000.0, -1000.0, 0.0]], dtype=np.float32)
    assert activate(logits, "softmax").tolist() == [[1.0, 0.0, 0.0]]
    assert activate(logits, "sigmoid").tolist() == [[1.0, 0.0, 0.5]]
    assert activate(logits, "none") is logits
