"""A model that answers as it is told, and files of what it is asked."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from hubclient import Prediction
from hubclient.evaluate import Subject
from hubclient.texts import Text


def scores_of(text: str, labels: int) -> np.ndarray:
    """The same for the same text (by its beginning), whatever was asked before."""
    return np.random.default_rng(list(text[:40].encode())).random(labels)


def answer(text: str, labels: Sequence[str], multi_label: bool) -> Prediction:
    scores = scores_of(text, len(labels))
    scores = scores if multi_label else scores / scores.sum()
    by_label = dict(zip(labels, scores.tolist(), strict=True))
    best = max(labels, key=lambda label: by_label[label])
    selected = tuple(label for label in labels if by_label[label] > 0.5) if multi_label else (best,)
    return Prediction(best, by_label[best], by_label, selected)


def stub(labels: Sequence[str], *, multi_label: bool = False, name: str = "stub") -> Subject:
    def answers(texts: Iterable[Text]) -> Iterator[Prediction]:
        for text in texts:
            yield answer(str(text), labels, multi_label)

    return Subject(name, tuple(labels), multi_label, answers, threshold=0.5 if multi_label else None)


def write_csv(path: Path, rows: Iterable[Sequence[str]], header: Sequence[str] = ("text", "label")) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path
