"""Long texts in windows: a text's answer is the mean, or the highest, of its windows'."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, BertForSequenceClassification

from hubclient import Classifier, from_folder
from hubclient.errors import InvalidText, UsageError
from tests.tasks.made import MAX_LENGTH

LONG = " ".join(f"good {word} film, a-b." for word in ["phone", "bad", "this", "example", "zz", "y"] * 4)
TEXTS: list[Any] = ["a film", LONG, "", (LONG, "is bad"), LONG[:150]]


def windowed(repository: Path, text: Any, stride: int, pooling: str) -> np.ndarray:
    """By transformers: its tokenizer's windows, its model's answers."""
    tokenizer, model = AutoTokenizer.from_pretrained(repository), BertForSequenceClassification.from_pretrained(repository).eval()
    texts = [text] if isinstance(text, str) else list(text)
    encoded = tokenizer(
        *texts,
        truncation="only_first",
        stride=stride,
        return_overflowing_tokens=True,
        padding=True,
        return_tensors="pt",
        max_length=MAX_LENGTH,
    )
    encoded.pop("overflow_to_sample_mapping")
    with torch.inference_mode():
        logits: np.ndarray = model(**encoded).logits.numpy()
    pooled: np.ndarray = logits.mean(axis=0) if pooling == "mean" else logits.max(axis=0)
    return pooled


@pytest.mark.parametrize("pooling", ["mean", "max"])
@pytest.mark.parametrize("stride", [0, 5, 20])
def test_logits_are_those_of_transformers_windows(classifier: Classifier, nli_repository: Path, stride: int, pooling: Any) -> None:
    found = classifier.logits(TEXTS, long_texts="window", stride=stride, pooling=pooling, batch_size=3)
    wanted = np.stack([windowed(nli_repository, text, stride, pooling) for text in TEXTS])
    assert np.abs(found - wanted).max() <= 1e-4
    assert np.abs(found - classifier.logits(TEXTS))[[0, 2]].max() < 1e-5
    assert np.abs(found - classifier.logits(TEXTS))[[1, 3]].max() > 1e-3


def test_texts_are_truncated_unless_asked_otherwise(classifier: Classifier) -> None:
    assert classifier.windows is None
    assert np.array_equal(classifier.logits(TEXTS), classifier.logits(TEXTS, long_texts="truncate"))


def test_the_opening_decides_and_a_call_may_differ(nli_repository: Path, tasks_cache: Path, classifier: Classifier) -> None:
    opened = from_folder(nli_repository, cache_dir=tasks_cache, long_texts="window", stride=3, pooling="max")
    asked = classifier.logits(TEXTS, long_texts="window", stride=3, pooling="max")
    assert np.array_equal(opened.logits(TEXTS), asked)
    assert np.array_equal(opened.logits(TEXTS, long_texts="truncate"), classifier.logits(TEXTS))
    assert np.array_equal(opened.logits(TEXTS, pooling="mean"), classifier.logits(TEXTS, long_texts="window", stride=3))
    scores = opened.predict_proba(TEXTS)
    assert [list(one.scores.values()) for one in opened(TEXTS)] == scores.tolist()
    assert opened.predict(TEXTS).tolist() == [one.label for one in opened.stream(iter(TEXTS))]


@pytest.mark.parametrize("stride", [MAX_LENGTH - 2, MAX_LENGTH])
def test_a_stride_as_long_as_the_window(nli_repository: Path, tasks_cache: Path, classifier: Classifier, stride: int) -> None:
    with pytest.raises(UsageError, match="stride"):
        from_folder(nli_repository, cache_dir=tasks_cache, long_texts="window", stride=stride)
    with pytest.raises(UsageError, match="stride"):
        classifier("a", long_texts="window", stride=stride)


def test_a_pair_whose_second_text_fills_the_window(classifier: Classifier) -> None:
    with pytest.raises(InvalidText, match="second text"):
        classifier(("a", LONG), long_texts="window")
    assert classifier(("a", LONG)).label


def test_progress_counts_texts(classifier: Classifier) -> None:
    told: list[int] = []
    classifier(TEXTS, long_texts="window", progress=told.append, batch_size=2)
    assert sum(told) == len(TEXTS)


def test_memory_is_bounded_however_long_the_texts_are(classifier: Classifier) -> None:
    """No more letters are taken at once than are worth a few thousand usual texts, and no more than as many ahead."""
    read: list[int] = []

    def endless() -> Iterator[str]:
        while True:
            read.append(1)
            yield "film" + " " * 300_000

    stream = classifier.stream(endless(), long_texts="window")
    assert [next(stream).label for _ in range(6)]
    assert len(read) <= 12
