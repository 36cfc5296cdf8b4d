"""What a classifier says of one text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Prediction:
    """label: the one with the highest score. scores: label -> score, in class order.
    selected: the labels that hold: of a multi-label model all with a score above the threshold, highest first; else the one label."""

    label: str
    score: float
    scores: Mapping[str, float]
    selected: tuple[str, ...]

    def top(self, count: int | None = None) -> list[tuple[str, float]]:
        """The highest `count` (None: all) labels with their scores, highest first."""
        return sorted(self.scores.items(), key=lambda item: -item[1])[:count]

    def to_dict(self) -> dict[str, Any]:
        return {"label": self.label, "score": self.score, "selected": list(self.selected), "scores": dict(self.scores)}
