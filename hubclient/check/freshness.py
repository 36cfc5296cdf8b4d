"""What was found to be well a while ago: successes alone, each with its time, in a file of the cache.

A success counts for the level it was found at and those below, for one place and one expectation. The file is a convenience: one that
cannot be read or written is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hubclient.check.aim import Aim
from hubclient.check.finding import LEVELS, Level

FILE = "checked.json"
_FORMAT = 1


class Freshness:
    """`seconds`: for how long a success is believed; 0 for not at all."""

    def __init__(self, cache: Path, level: Level, seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._path, self._level, self._seconds, self._clock = cache / FILE, level, seconds, clock
        self._known = _read(self._path) if seconds > 0 else {}
        self._new: dict[str, float] = {}

    def age(self, aim: Aim) -> float | None:
        """How many seconds ago this was found to be well; None where that is too long ago, or never was."""
        if not self._known:
            return None
        now = self._clock()
        deeper = LEVELS[LEVELS.index(self._level) :]
        ages = [now - at for level in deeper if (at := self._known.get(_key(aim, level))) is not None]
        # A time to come is none: the clock was set back.
        return min((age for age in ages if 0 <= age < self._seconds), default=None)

    def add(self, aim: Aim) -> None:
        if self._seconds > 0:
            self._new[_key(aim, self._level)] = self._clock()

    def save(self) -> None:
        """With what other processes have written meanwhile; what is a day old is left out."""
        if not self._new:
            return
        oldest = self._clock() - max(self._seconds, 86_400)
        kept = {key: at for key, at in {**_read(self._path), **self._new}.items() if at > oldest}
        part = self._path.with_name(f"{FILE}.{os.urandom(4).hex()}")
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                part.write_text(json.dumps({"format": _FORMAT, "checked": kept}), encoding="utf-8")
                os.replace(part, self._path)
            finally:
                part.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, float]:
    try:
        said = json.loads(path.read_bytes())
        if said["format"] != _FORMAT:
            return {}
        return {str(key): float(at) for key, at in said["checked"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _key(aim: Aim, level: Level) -> str:
    """Of the place and all that is expected of it."""
    expected = (level, aim.where, aim.said, aim.pin, aim.md5, aim.subject.annotator, aim.subject.loader)
    return hashlib.sha256(repr(expected).encode("utf-8", "surrogatepass")).hexdigest()[:32]
