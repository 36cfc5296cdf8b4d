"""Which source of a fact wins: the first that speaks, and what the others said is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Fact(Generic[T]):
    """A value, who said it, and the sources that said otherwise (source, what it said)."""

    value: T
    source: str
    disagreements: tuple[tuple[str, object], ...] = ()


def decide(claims: Sequence[tuple[str, T | None]], default: T, default_source: str) -> Fact[T]:
    """`claims` come in order of authority; None is silence."""
    spoken = [(source, value) for source, value in claims if value is not None]
    if not spoken:
        return Fact(default, default_source)
    (source, value), *others = spoken
    return Fact(value, source, tuple((name, said) for name, said in others if said != value))
