"""A report as GitHub's Markdown: for job summaries, comments and wikis."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape

from hubclient.cards.lint import harmless
from hubclient.check.finding import Finding
from hubclient.check.report import Report
from hubclient.check.reports.table import placed

_SPECIAL = re.compile(r"[\\`*_{}\[\]()#+.!|~:-]")
_SIGNS = {"gone": "❌", "forbidden": "❌", "changed": "❌", "invalid": "❌", "unknown": "❔", "note": "·", "available": "✅"}


def markdown(report: Report) -> str:
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield "## Models\n"
    yield f"{_plain(report.summary())} (level `{report.level}`, {report.seconds:.1f} s)\n"
    bad = [finding for finding in report.findings if finding.rule.severity != "none"]
    if bad:
        yield from _table(("", "Model", "Place", "What", "What to do"), (_row(finding) for finding in bad))
    good = [result for result in report.results if result.verdict == "available"]
    if good:
        yield f"<details><summary>{len(good):,} available</summary>\n"
        yield from _table(("Model", "Place"), ((_code(item.subject.reference), _code(placed(item.subject.place))) for item in good))
        yield "</details>\n"


def _row(finding: Finding) -> tuple[str, ...]:
    verdict = "note" if finding.rule.severity == "note" else finding.verdict
    what = f"{finding.rule.code} {_plain(finding.message)}" + (f" ({_code(finding.where)})" if finding.where else "")
    subject = finding.subject
    return (f"{_SIGNS[verdict]} {verdict}", _code(subject.reference), _code(placed(subject.place)), what, _plain(finding.rule.mend))


def _table(headers: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(headers) + " |"
    yield "|" + "---|" * len(headers)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def _plain(text: str) -> str:
    """Text that says itself: no marks, no tags, nobody who is called by an @."""
    return escape(_SPECIAL.sub(r"\\\g<0>", harmless(text)), quote=False).replace("@", "&#64;")


def _code(text: str) -> str:
    """As code, by a tag: a span of backticks cannot hold every text in a table."""
    return f"<code>{_plain(text)}</code>"
