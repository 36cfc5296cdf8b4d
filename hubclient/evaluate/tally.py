"""What is kept of a stream of answers: counts and a few examples, however long it is."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubclient.evaluate.labelled import Example
from hubclient.evaluate.measures import features, width
from hubclient.evaluate.resamples import Resamples
from hubclient.prediction import Prediction
from hubclient.texts import Text

if TYPE_CHECKING:
    import numpy as np

BINS = 15  # of calibration, as in Guo et al., "On Calibration of Modern Neural Networks", 2017
_MISTAKES = 25
_SHOWN = 600  # characters of a text


@dataclass(frozen=True, order=True)
class Mistake:
    """`surety`: how far the worst of its labels is from the truth, from 0 to 1 where scores are probabilities."""

    surety: float
    line: int
    text: str
    labels: tuple[str, ...]
    said: tuple[str, ...]
    score: float

    def to_dict(self) -> dict[str, Any]:
        return {"line": self.line, "text": self.text, "labels": list(self.labels), "said": list(self.said), "score": self.score}


class Tally:
    """`confusion[there, found]` counts texts where each has one label. `calibration`: for each bin of scores how many there were, their sum
    and how many were right; `lengths`: for each number of words how many texts, and how many with all labels right."""

    def __init__(self, labels: Sequence[str], *, multi_label: bool, resamples: int, seed: int) -> None:
        import numpy as np

        self.labels = tuple(labels)
        self.multi_label = multi_label
        self._places = {label: place for place, label in enumerate(labels)}
        self.resamples = Resamples(resamples, width(len(labels)), seed)
        self.sums = np.zeros(width(len(labels)))
        self.confusion = np.zeros((len(labels), len(labels)), dtype=np.int64)
        self.by_text = np.zeros(3)  # precision, recall and F1 of each text, added up
        self.calibration = np.zeros((BINS, 3))
        self.lengths: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        self._worst: list[Mistake] = []

    def add(self, examples: Sequence[Example], predictions: Sequence[Prediction]) -> None:
        import numpy as np

        truth = self._rows([example.labels for example in examples])
        found = self._rows([prediction.selected for prediction in predictions])
        scores = np.array([list(prediction.scores.values()) for prediction in predictions])
        each = features(truth, found)
        self.sums += each.sum(axis=0)
        self.resamples.add(each)
        if not self.multi_label:
            np.add.at(self.confusion, (truth.argmax(axis=1), found.argmax(axis=1)), 1)
        self._add_by_text(truth, found)
        self._add_calibration(truth, found, scores)
        right = each[:, 1].astype(bool)
        for number, example in enumerate(examples):
            length = self.lengths[_words(example.text)]
            length[0] += 1
            length[1] += int(right[number])
            if not right[number]:
                self._add_mistake(example, predictions[number], truth[number], found[number], scores[number])

    @property
    def mistakes(self) -> list[Mistake]:
        """The worst first."""
        return sorted(self._worst, key=lambda mistake: (-mistake.surety, mistake.line))

    def _rows(self, chosen: Sequence[Sequence[str]]) -> np.ndarray:
        import numpy as np

        rows = np.zeros((len(chosen), len(self.labels)), dtype=np.int8)
        for number, labels in enumerate(chosen):
            for label in labels:
                rows[number, self._places[label]] = 1
        return rows

    def _add_by_text(self, truth: np.ndarray, found: np.ndarray) -> None:
        import numpy as np

        hits, said, there = (part.sum(axis=1).astype(float) for part in (truth & found, found, truth))
        for place, (above, below) in enumerate(((hits, said), (hits, there), (2 * hits, said + there))):
            self.by_text[place] += np.divide(above, below, out=np.zeros_like(above), where=below > 0).sum()

    def _add_calibration(self, truth: np.ndarray, found: np.ndarray, scores: np.ndarray) -> None:
        """Of several labels each has a score of its own to be right; of one it is the chosen label's."""
        import numpy as np

        chosen = np.ones_like(found, dtype=bool) if self.multi_label else found.astype(bool)
        said, right = scores[chosen], truth[chosen]
        bins = np.clip((said * BINS).astype(int), 0, BINS - 1)
        for column, values in enumerate((np.ones_like(said), said, right)):
            self.calibration[:, column] += np.bincount(bins, weights=values, minlength=BINS)

    def _add_mistake(self, example: Example, prediction: Prediction, truth: np.ndarray, found: np.ndarray, scores: np.ndarray) -> None:
        import numpy as np

        surety = float(np.abs(scores - truth)[truth != found].max())
        if len(self._worst) == _MISTAKES and surety <= self._worst[0].surety:
            return
        mistake = Mistake(surety, example.line, _shown(example.text), example.labels, prediction.selected, prediction.score)
        (heapq.heappush if len(self._worst) < _MISTAKES else heapq.heapreplace)(self._worst, mistake)


def _words(text: Text) -> int:
    return len(text.split()) if isinstance(text, str) else len(text[0].split()) + len(text[1].split())


def _shown(text: Text) -> str:
    whole = text if isinstance(text, str) else " ⏵ ".join(text)
    return whole if len(whole) <= _SHOWN else whole[:_SHOWN] + "…"
