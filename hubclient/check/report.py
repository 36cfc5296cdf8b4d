"""What became of everything that was checked, and how a pipeline should end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from hubclient.check.finding import Finding, Level, Severity, Subject

FINE, FOUND, UNKNOWN = 0, 1, 3
"""Exit codes. 2 is for a command that makes no sense."""

_WORST: tuple[Severity, ...] = ("error", "warning", "note", "none")
# What a person is told first.
_VERDICTS = ("gone", "forbidden", "changed", "invalid", "unknown", "note", "available")


@dataclass(frozen=True)
class Result:
    """One subject and all that was found of it, the worst first."""

    subject: Subject
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Finding:
        return self.findings[0]

    @property
    def verdict(self) -> str:
        """The worst finding's. A note takes nothing from good news, and is called so where there is no other: nobody has to act on it."""
        if self.worst.rule.severity != "note":
            return self.worst.verdict
        return "available" if self.findings[-1].rule.severity == "none" else "note"


@dataclass(frozen=True)
class Report:
    """`results` and `accepted` by their places: `accepted` are known findings, which do not count. `strict`: what nobody can tell
    counts as well. `started`: in UTC."""

    results: tuple[Result, ...]
    level: Level
    started: datetime
    seconds: float
    strict: bool = False
    accepted: tuple[Finding, ...] = ()

    @classmethod
    def of(
        cls,
        findings: Iterable[Finding],
        *,
        level: Level,
        started: datetime,
        seconds: float,
        strict: bool = False,
        accepted: Iterable[Finding] = (),
    ) -> Report:
        return cls(_results(findings), level, started, seconds, strict, tuple(sorted(accepted, key=_order)))

    def without_good_news(self) -> Report:
        return replace(self, results=tuple(result for result in self.results if result.verdict != "available"))

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(finding for result in self.results for finding in result.findings)

    def severity(self, finding: Finding) -> Severity:
        """The rule's own, or `error` for everything but good news where the report is strict."""
        severity = finding.rule.severity
        return "error" if self.strict and severity in ("warning", "note") else severity

    @property
    def exit_code(self) -> int:
        severities = {self.severity(finding) for finding in self.findings}
        return FOUND if "error" in severities else UNKNOWN if "warning" in severities else FINE

    @property
    def counts(self) -> Mapping[str, int]:
        """How many subjects have which verdict, those first that matter most."""
        counted = Counter(result.verdict for result in self.results)
        return {verdict: counted[verdict] for verdict in _VERDICTS if counted[verdict]}

    def summary(self) -> str:
        """One line: `7 checked: 1 gone, 5 available, 1 note; 2 known findings accepted`."""
        told = [f"{count:,} {verdict}{'s' if verdict == 'note' and count > 1 else ''}" for verdict, count in self.counts.items()]
        accepted = f"; {len(self.accepted):,} known finding{'s' if len(self.accepted) > 1 else ''} accepted" if self.accepted else ""
        return f"{len(self.results):,} checked: {', '.join(told) or 'nothing to check'}{accepted}"


def _results(findings: Iterable[Finding]) -> tuple[Result, ...]:
    ordered = sorted(findings, key=_order)
    groups = groupby(ordered, key=lambda finding: (_place(finding), finding.subject.asked))
    return tuple(Result(found[0].subject, found) for found in (tuple(group) for _, group in groups))


def _order(finding: Finding) -> tuple[object, ...]:
    """By places, those first that were typed; of one subject the worst first."""
    subject = finding.subject
    asked = tuple(str(part) for part in subject.asked)
    return (*_place(finding), subject.reference, asked, _WORST.index(finding.rule.severity), finding.rule.code, finding.message)


def _place(finding: Finding) -> tuple[str, int, int]:
    place = finding.subject.place
    return (place.path, place.line or 0, place.column or 0) if place else ("", 0, 0)
