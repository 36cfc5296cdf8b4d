"""What would be removed so that a cache is smaller, and why: decided from values alone, before anything is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hubclient.store.removal import Holding


@dataclass(frozen=True)
class Removal:
    holding: Holding
    why: str


@dataclass(frozen=True)
class PrunePlan:
    """`removals` in their order; `spared` would be among them, were no other process using them. `before`, `after`: bytes held."""

    removals: tuple[Removal, ...]
    spared: tuple[Removal, ...]
    before: int

    @property
    def after(self) -> int:
        return self.before - sum(removal.holding.size for removal in self.removals)


def plan_prune(
    holdings: Sequence[Holding], now: datetime, *, max_size: int | None = None, older_than: timedelta | None = None
) -> PrunePlan:
    """`holdings` come least recently used first. What was used last in the future (a clock was set back) was used just now."""
    before = left = sum(holding.size for holding in holdings)
    removals, spared = [], []
    for holding in holdings:
        if older_than is not None and now - holding.used > older_than:
            why = "not used for so long"
        elif max_size is not None and left > max_size:
            why = "least recently used"
        else:
            continue
        if holding.user:
            spared.append(Removal(holding, f"in use by the process {holding.user}"))
        else:
            removals.append(Removal(holding, why))
            left -= holding.size
    return PrunePlan(tuple(removals), tuple(spared), before)
