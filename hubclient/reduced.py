"""What reduced precision costs a model: its answers held against those in float32, on texts of its user's or ours, before it is used."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hubclient.batches import Tokens
from hubclient.derived import derived_folder, keep
from hubclient.engines import Engine
from hubclient.errors import UnsupportedModel, UsageError
from hubclient.machine import processor
from hubclient.padding import Padding
from hubclient.scheduler import Parts, Scheduler

if TYPE_CHECKING:
    import numpy as np

_log = logging.getLogger("hubclient")
# Where a larger share of the answers changes, the model is refused, unless somebody allows it.
MAX_CHANGED = 0.05


@dataclass(frozen=True)
class Cost:
    """Of so many `answers` (to texts, or for tokens), how many `changed`, and by how much logits differ at most; the texts were answered
    `faster` times as fast, where and when that was measured."""

    engine: str
    precision: str
    answers: int
    changed: int
    difference: float
    faster: float

    @property
    def share(self) -> float:
        return self.changed / self.answers

    def __str__(self) -> str:
        differ = f"{self.changed:,} of {self.answers:,} answers differ ({self.share:.1%}), logits by {self.difference:.2g} at most"
        return f"{self.precision} ({self.engine}) against float32: {differ}; {self.faster:.1f} times as fast"


@dataclass(frozen=True)
class Trial:
    """A model in reduced precision, and the texts that it is tried on. `reference` opens it in float32; `decide` gives what is answered, a
    row for each row of logits; `deciding` names all that this depends on."""

    folder: Path
    engine: Engine
    padding: Padding
    texts: Sequence[Tokens]
    reference: Callable[[], Engine]
    decide: Callable[[np.ndarray], np.ndarray]
    deciding: str

    def cost(self, max_changed: float | None = None) -> Cost:
        """As it is measured now, and said aloud, or as it was measured before. Raises UnsupportedModel where too many answers change."""
        allowed = _checked_share(max_changed)
        path = derived_folder(self.folder) / f"cost-{self._key()}.json"
        cost = _read(path)
        if cost is None:
            cost = self._measure()
            _log.warning("%s", cost)
            keep(path, json.dumps(asdict(cost)).encode())
        if cost.share > allowed:
            raise UnsupportedModel(
                f"{cost.precision} changes too many answers of this model",
                where=str(self.folder),
                why=f"{cost}; {allowed:.1%} may change",
                hint="use precision='float32', or allow more with max_changed",
            )
        return cost

    def _measure(self) -> Cost:
        import numpy as np

        wanted, slow = self._answers(self.reference())
        found, fast = self._answers(self.engine)
        changed = int((self.decide(found) != self.decide(wanted)).any(axis=1).sum())
        difference = float(np.abs(found - wanted).max())
        return Cost(self.engine.name, self.engine.precision, len(wanted), changed, difference, slow / fast)

    def _answers(self, engine: Engine) -> tuple[np.ndarray, float]:
        """The logits (n, labels) of all texts or tokens, and the seconds that they took the second time."""
        import numpy as np

        scheduler = Scheduler(engine, self.padding)
        for _ in range(2):
            start = time.perf_counter()
            ((_, answers),) = scheduler.stream([(None, Parts(self.texts))])
            seconds = time.perf_counter() - start
        return np.concatenate([np.atleast_2d(answer) for answer in answers]), seconds

    def _key(self) -> str:
        ids = [list(text.ids) for text in self.texts]
        told = (self.engine.name, self.engine.precision, self.engine.version, processor().name, self.deciding, ids)
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _checked_share(share: float | None) -> float:
    if share is None:
        return MAX_CHANGED
    if type(share) not in (int, float) or not 0 <= share <= 1:
        raise UsageError(f"max_changed is {share!r}, and must be a share between 0 and 1", hint=f"{MAX_CHANGED} unless you say otherwise")
    return share


def _read(path: Path) -> Cost | None:
    try:
        return Cost(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
