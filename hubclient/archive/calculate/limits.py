"""What one calculation may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Operations that are carried out; bytes of one value, and of all that are held at a time, without variables; and arithmetic.

    `work` counts multiplications of matrices one by one, and each number that another operator reads or makes as 64.
    `depth`: how deep functions that an If or While chooses may lie in each other.
    """

    operations: int = 1_000_000
    value: int = 1 << 30
    held: int = 4 << 30
    work: int = 1 << 43
    depth: int = 32
