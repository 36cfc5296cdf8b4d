"""From labels of tokens to entities: neighbouring tokens of one kind are one entity.

Source: transformers 4.57.1 and 5.23.0, pipelines/token_classification.py, aggregation_strategy="simple"; entities are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

_OUTSIDE = "O"


@dataclass(frozen=True)
class Entity:
    """`label` has no B- or I-. `start` and `end` are places in the text. `text` is what the tokens say, put together: lower-cased where the
    model lower-cases, and spaced as the tokenizer does it. `score`: the mean of the tokens'."""

    label: str
    score: float
    start: int
    end: int
    text: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class TaggedToken:
    """A token with the label that has the highest score."""

    label: str
    score: float
    start: int
    end: int
    piece: str


def group(tokens: Iterable[TaggedToken], spell: Callable[[list[str]], str]) -> list[Entity]:
    """The entities among the tokens of a text; those of no kind are left out. `spell` puts pieces together."""
    return [entity for run in _runs(tokens) if (entity := _entity(run, spell)).label != _OUTSIDE]


def without_overlaps(entities: Iterable[Entity]) -> list[Entity]:
    """Of entities that start inside the one before (found in two windows), the longest is kept, and of equally long ones the surest."""
    kept: list[Entity] = []
    for entity in sorted(entities, key=lambda entity: entity.start):
        if not kept or not kept[-1].start <= entity.start < kept[-1].end:
            kept.append(entity)
        elif _rank(entity) > _rank(kept[-1]):
            kept[-1] = entity
    return kept


def _runs(tokens: Iterable[TaggedToken]) -> Iterator[list[TaggedToken]]:
    run: list[TaggedToken] = []
    for token in tokens:
        begins, kind = _parted(token.label)
        if run and (begins or kind != _parted(run[-1].label)[1]):
            yield run
            run = []
        run.append(token)
    if run:
        yield run


def _parted(label: str) -> tuple[bool, str]:
    """Whether an entity begins here, whatever stands before, and its kind."""
    return label.startswith("B-"), label[2:] if label[:2] in ("B-", "I-") else label


def _entity(run: Sequence[TaggedToken], spell: Callable[[list[str]], str]) -> Entity:
    import numpy as np

    score = np.nanmean(np.array([token.score for token in run], dtype=np.float32))
    label = run[0].label.partition("-")[2] if "-" in run[0].label else run[0].label
    return Entity(label, float(score), run[0].start, run[-1].end, spell([token.piece for token in run]))


def _rank(entity: Entity) -> tuple[int, float]:
    return entity.end - entity.start, entity.score
