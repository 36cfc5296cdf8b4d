"""The measures as formulas over sums, for many resamples at once; the figures themselves come from scikit-learn, and are the same.

A text's features are: 1, whether all of its labels are right, and then for each label whether it is there and found, found, there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def width(labels: int) -> int:
    return 2 + 3 * labels


def features(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Of texts, from two arrays of 0 and 1, of shape (texts, labels)."""
    import numpy as np

    exact = (truth == found).all(axis=1)
    return np.column_stack([np.ones(len(truth)), exact, truth & found, found, truth]).astype(float)


@dataclass(frozen=True)
class Sums:
    """Features of many texts added up, of shape (..., width)."""

    values: np.ndarray

    @property
    def texts(self) -> np.ndarray:
        return self._part(0)

    @property
    def exact(self) -> np.ndarray:
        return self._part(1)

    @property
    def hits(self) -> np.ndarray:
        return self._labels(0)

    @property
    def found(self) -> np.ndarray:
        return self._labels(1)

    @property
    def there(self) -> np.ndarray:
        return self._labels(2)

    def _part(self, place: int) -> np.ndarray:
        part: np.ndarray = self.values[..., place]
        return part

    def _labels(self, third: int) -> np.ndarray:
        labels = (self.values.shape[-1] - 2) // 3
        part: np.ndarray = self.values[..., 2 + third * labels : 2 + (third + 1) * labels]
        return part


def f1_by_label(sums: Sums) -> np.ndarray:
    """0 where a label is neither there nor found, as scikit-learn has it."""
    return _ratio(2 * sums.hits, sums.found + sums.there)


def measures(sums: Sums, *, multi_label: bool) -> dict[str, np.ndarray]:
    """By name; nan where a resample has no texts. Labels that are neither there nor found count in a macro average of several only."""
    import numpy as np

    f1 = f1_by_label(sums)
    counts = np.ones_like(f1, dtype=bool) if multi_label else (sums.found + sums.there) > 0
    said = {
        "accuracy": _or_nan(sums.exact, sums.texts),
        "macro_f1": _or_nan((f1 * counts).sum(axis=-1), counts.sum(axis=-1)),
        "weighted_f1": _or_nan((f1 * sums.there).sum(axis=-1), sums.there.sum(axis=-1)),
    }
    if multi_label:
        wrong = (sums.found + sums.there - 2 * sums.hits).sum(axis=-1)
        said["micro_f1"] = _ratio(2 * sums.hits.sum(axis=-1), (sums.found + sums.there).sum(axis=-1))
        said["hamming_loss"] = _or_nan(wrong, sums.texts * sums.hits.shape[-1])
    return said


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    import numpy as np

    ratio: np.ndarray = np.divide(above, below, out=np.zeros_like(above, dtype=float), where=below > 0)
    return ratio


def _or_nan(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    import numpy as np

    ratio: np.ndarray = np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0)
    return ratio
