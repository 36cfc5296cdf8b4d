"""The figures, from scikit-learn: what it would say of the answers one by one, said of their counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubclient.cards.benchmark import Benchmark, Score
from hubclient.errors import MissingExtra
from hubclient.evaluate.measures import Sums
from hubclient.evaluate.tally import Tally

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Figures:
    """`table` as cards have it; its accuracy is None for several labels, where `subset_accuracy` and `hamming_loss` are told.
    `unseen`: labels of the model that are neither there nor found; they are not in the table unless texts have several labels."""

    texts: int
    table: Benchmark
    unseen: tuple[str, ...]
    subset_accuracy: float | None = None
    hamming_loss: float | None = None

    @property
    def accuracy(self) -> float:
        """The share of texts whose labels are all right."""
        said = self.table.accuracy if self.subset_accuracy is None else self.subset_accuracy
        assert said is not None
        return said

    def average(self, kind: str) -> Score:
        return next(score for score in self.table.averages if score.label == kind)

    def to_dict(self) -> dict[str, Any]:
        said = {"texts": self.texts, **self.table.to_dict(), "unseen": list(self.unseen)}
        if self.subset_accuracy is not None:
            said |= {"subset_accuracy": self.subset_accuracy, "hamming_loss": self.hamming_loss}
        return said


def require_metrics() -> Any:
    """scikit-learn's. Raises MissingExtra."""
    try:
        import sklearn.metrics
    except ImportError as error:
        raise MissingExtra("evaluate", "hub evaluate") from error
    return sklearn.metrics


def figures_of(tally: Tally) -> Figures:
    """Raises MissingExtra."""
    metrics = require_metrics()
    sums = Sums(tally.sums)
    seen = [bool(count) for count in sums.found + sums.there]
    unseen = tuple(label for label, is_seen in zip(tally.labels, seen, strict=True) if not is_seen)
    texts = int(sums.texts)
    if not tally.multi_label:
        return Figures(texts, _of_one_label(tally, metrics), unseen)
    wrong = (sums.found + sums.there - 2 * sums.hits).sum()
    hamming = float(wrong / (texts * len(tally.labels)))
    return Figures(texts, _of_several_labels(tally, sums, metrics), unseen, float(sums.exact / texts), hamming)


def _of_one_label(tally: Tally, metrics: Any) -> Benchmark:
    """Each cell of the confusion stands for its texts."""
    there, found = tally.confusion.nonzero()
    weights = tally.confusion[there, found]
    answers = [tally.labels[place] for place in there], [tally.labels[place] for place in found]
    labels = [label for place, label in enumerate(tally.labels) if tally.confusion[place].any() or tally.confusion[:, place].any()]

    def told(**options: Any) -> Any:
        return metrics.precision_recall_fscore_support(*answers, sample_weight=weights, zero_division=0.0, **options)

    return Benchmark(
        _scores(labels, told(labels=labels, average=None)),
        accuracy=float(metrics.accuracy_score(*answers, sample_weight=weights)),
        averages=tuple(_average(kind, told(average=kind), int(weights.sum())) for kind in ("macro", "weighted")),
    )


def _of_several_labels(tally: Tally, sums: Sums, metrics: Any) -> Benchmark:
    """For each label a row of found and there, of found alone and of there alone stand for as many texts."""
    import numpy as np

    each = np.eye(len(tally.labels), dtype=int)
    there, found = np.concatenate([each, 0 * each, each]), np.concatenate([each, each, 0 * each])
    weights = np.concatenate([sums.hits, sums.found - sums.hits, sums.there - sums.hits])

    def told(**options: Any) -> Any:
        return metrics.precision_recall_fscore_support(there, found, sample_weight=weights, zero_division=0.0, **options)

    support = int(sums.there.sum())
    averages = [_average(kind, told(average=kind), support) for kind in ("micro", "macro", "weighted")]
    averages.append(_average("samples", tally.by_text / int(sums.texts), support))
    return Benchmark(_scores(tally.labels, told(average=None)), averages=tuple(averages))


def _scores(labels: Sequence[str], told: Any) -> tuple[Score, ...]:
    rows = zip(labels, *told, strict=True)
    return tuple(Score(label, float(precision), float(recall), float(f1), int(support)) for label, precision, recall, f1, support in rows)


def _average(kind: str, told: Sequence[float] | np.ndarray, support: int) -> Score:
    precision, recall, f1 = map(float, told[:3])
    return Score(f"{kind} avg", precision, recall, f1, support)
