"""From what a model says to scores, and which of them count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubclient.errors import UsageError

if TYPE_CHECKING:
    import numpy as np


def activate(logits: np.ndarray, activation: str) -> np.ndarray:
    """Scores from logits (n, labels), float32."""
    import numpy as np

    if activation == "none":
        return logits
    if activation == "sigmoid":
        # Both branches of the usual stable form: no exponential of a positive number.
        small = np.exp(-np.abs(logits))
        scores = np.where(logits >= 0, 1 / (1 + small), small / (1 + small))
    else:
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        scores = exponentials / exponentials.sum(axis=1, keepdims=True)
    result: np.ndarray = scores.astype(np.float32)
    return result


def checked_threshold(threshold: float) -> float:
    if not isinstance(threshold, int | float) or threshold != threshold:
        raise UsageError(f"the threshold is {threshold!r}, and must be a number", hint="scores of labels lie between 0 and 1")
    return threshold


def checked_top(top_k: int | None) -> int | None:
    if top_k is not None and top_k < 1:
        raise UsageError(f"top_k is {top_k}, and must be at least 1")
    return top_k
