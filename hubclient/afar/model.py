"""A model as its origin describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hubclient.convert.annotators import Task
from hubclient.native import Facts, ZeroShotFacts


@dataclass(frozen=True)
class Weights:
    """`size`: of the bytes that are fetched; `unpacked`: of what they become."""

    name: str
    size: int
    unpacked: int | None = None


@dataclass(frozen=True)
class Moved:
    """What finding out took."""

    bytes: int
    requests: int


@dataclass(frozen=True)
class RemoteModel:
    """`url`: of the archive or the repository, whose whole `size` is. `annotator`: Spark NLP's class, None for a repository, whose
    `architecture` config.json tells. `labels` are in class order.

    `facts` are those that a full pull gives; None where `refusal` says why the model cannot be opened. `unsaid` names those that only
    the weights tell, so that what stands there is worth nothing. An archive's position table is not read either: a pull lowers a maximum
    length that is above it.
    """

    url: str
    size: int
    engine: str
    etag: str | None = None
    commit: str | None = None
    annotator: str | None = None
    architecture: str | None = None
    task: Task | None = None
    labels: tuple[str, ...] = ()
    labels_source: str | None = None
    facts: Facts | None = None
    unsaid: tuple[str, ...] = ()
    zero_shot: ZeroShotFacts | None = None
    refusal: str | None = None
    weights: tuple[Weights, ...] = ()
    vocabulary: int | None = None
    moved: Moved = Moved(0, 0)

    def said(self) -> Mapping[str, Any]:
        """The facts that are known: their names, and each with its source."""
        told = vars(self.facts) if self.facts else {}
        return {name: fact for name, fact in told.items() if name not in self.unsaid}

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; a fact that only the weights tell is left out."""
        return {**asdict(self), "facts": {name: asdict(fact) for name, fact in self.said().items()} if self.facts else None}
