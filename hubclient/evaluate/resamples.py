"""The bootstrap, on a stream: how certain figures are.

Strategy: in each of many resamples, a text counts as often as a Poisson variable of mean 1 says (Hanley and MacGibbon, "Creating
non-parametric bootstrap samples using Poisson frequencies", 2006), so that nothing but sums has to be kept. How often depends on the text's
place alone: two models that read one file are resampled alike, and their differences are paired.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

CONFIDENCE = 0.95


class Resamples:
    """`sums`: for each resample, what `add` was given of its texts, added up; of shape (count, width)."""

    def __init__(self, count: int, width: int, seed: int) -> None:
        import numpy as np

        self.sums = np.zeros((count, width))
        self._random = np.random.default_rng(seed)

    def add(self, features: np.ndarray) -> None:
        """`features`: a row for each further text."""
        weights = self._random.poisson(1.0, (len(features), len(self.sums)))
        self.sums += weights.T.astype(float) @ features


def interval(values: np.ndarray) -> tuple[float, float] | None:
    """Between which values the middle 95 % lie; None where too few resamples have a value at all."""
    import numpy as np

    known = values[np.isfinite(values)]
    if len(known) < len(values) / 2 or not len(known):
        return None
    outside = (1 - CONFIDENCE) / 2
    low, high = np.quantile(known, [outside, 1 - outside])
    return float(low), float(high)
