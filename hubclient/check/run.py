"""A check from what was gathered to its report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hubclient.check.baseline import Baseline
from hubclient.check.finding import Finding, Level, Probe, ProbeSettings
from hubclient.check.gather import Gathered
from hubclient.check.report import Report


@dataclass(frozen=True)
class Judgement:
    """What counts. `strict`: what nobody can tell, too. `changes`: only what is not as it was. `baseline`: what is known does not."""

    strict: bool = False
    changes: bool = False
    baseline: Baseline = field(default_factory=Baseline)


def run(
    gathered: Gathered,
    level: Level,
    settings: ProbeSettings,
    *,
    probe: Probe,
    judgement: Judgement = Judgement(),
    advance: Callable[[int], None] = lambda count: None,
) -> Report:
    """`advance` hears of every subject that is done. Raises what the probe raises before it asks anybody, such as LockError."""
    started, start = datetime.now(UTC), time.monotonic()
    found = [*gathered.findings, *_counted(probe(gathered.subjects, level, settings), advance)]
    if judgement.changes:
        found = [finding for finding in found if finding.rule.severity in ("error", "warning")]
    counting, known = judgement.baseline.split(found)
    return Report.of(counting, level=level, started=started, seconds=time.monotonic() - start, strict=judgement.strict, accepted=known)


def _counted(findings: Iterable[Finding], advance: Callable[[int], None]) -> Iterator[Finding]:
    """Those of one subject follow each other."""
    last = None
    for finding in findings:
        if finding.subject is not last:
            last = finding.subject
            advance(1)
        yield finding
