"""Findings to report, in one line each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from hubclient.check import rules
from hubclient.check.finding import Finding, Place, Rule, Subject
from hubclient.check.report import Report

STARTED = datetime(2026, 11, 22, 12, 30, 15, tzinfo=UTC)
HOSTILE = 'a|`b`<script>alert(1)</script>&"\x1b[31m\n::error::x%0A\u202e]]>\ud800é@you'
"""What references and messages may hold."""
PATH = HOSTILE.replace("\ud800", "\udcff")
"""What names of files may hold."""


def found(
    rule: Rule, reference: str = "en/a", path: str | None = "src/a.py", line: int | None = 3, message: str = "", **details: Any
) -> Finding:
    place = Place(path, line, 5 if line else None) if path else None
    return Finding(rule, Subject(reference, place), message or rule.summary, "https://host/a.zip", details)


MIXED = (
    found(rules.AVAILABLE, "en/good", line=1),
    found(rules.AVAILABLE, "en/typed", path=None),
    found(rules.GONE, "en/gone"),
    found(rules.FORBIDDEN, "en/secret", line=9),
    found(rules.ETAG_CHANGED, "en/new", "notes/b.ipynb", 70),
    found(rules.SIZE_CHANGED, "en/new", "notes/b.ipynb", 70),
    found(rules.UNREACHABLE, "en/far", line=12),
    found(rules.DYNAMIC, "pretrained(name)", line=20),
    found(rules.UNSCANNED, "broken.py", "broken.py", None),
)


def report(findings: Iterable[Finding] = MIXED, *, strict: bool = False, accepted: Iterable[Finding] = ()) -> Report:
    return Report.of(findings, level="size", started=STARTED, seconds=1.25, strict=strict, accepted=accepted)


def hostile() -> Report:
    """Everything that can be hostile is."""
    every = [found(rule, HOSTILE, PATH, 7, HOSTILE, found=HOSTILE) for rule in rules.RULES]
    return report((*every, found(rules.GONE, HOSTILE, None, None, HOSTILE)), accepted=[found(rules.GONE, HOSTILE, PATH)])
