"""The last availability check, kept in the cache for whoever shows it: what was checked, and what became of it.

The file is a convenience: one that cannot be read or written is as good as none.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hubclient.check.report import Report

FILE = "last-check.json"
_FORMAT = 1


@dataclass(frozen=True)
class Checked:
    """One model: `verdict` as in a report, `message` in one line."""

    reference: str
    verdict: str
    message: str


@dataclass(frozen=True)
class LastCheck:
    started: datetime
    level: str
    checked: tuple[Checked, ...]

    @property
    def counts(self) -> Mapping[str, int]:
        return Counter(one.verdict for one in self.checked)


def keep_last(report: Report, cache: Path) -> None:
    """Of a model that was found in several places, its worst verdict."""
    worst: dict[str, list[str]] = {}
    for result in sorted(report.results, key=lambda result: -list(report.counts).index(result.verdict)):
        worst[result.subject.reference] = [result.subject.reference, result.verdict, result.worst.message]
    content = {
        "format": _FORMAT,
        "started": report.started.isoformat(),
        "level": report.level,
        "checked": [worst[name] for name in sorted(worst)],
    }
    path = cache / FILE
    part = path.with_name(f"{FILE}.{os.urandom(4).hex()}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_text(json.dumps(content), encoding="utf-8")
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)


def read_last(cache: Path) -> LastCheck | None:
    try:
        content = json.loads((cache / FILE).read_bytes())
        if content["format"] != _FORMAT:
            return None
        checked = tuple(Checked(*map(str, one)) for one in content["checked"])
        return LastCheck(datetime.fromisoformat(content["started"]), str(content["level"]), checked)
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
