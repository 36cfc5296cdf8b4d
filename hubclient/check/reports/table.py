"""A report as rows: a line a finding."""

from __future__ import annotations

from collections.abc import Iterator

from hubclient.cards.lint import harmless
from hubclient.check.finding import Place
from hubclient.check.report import Report

HEADERS = ("verdict", "rule", "model", "place", "what")


def rows(report: Report) -> Iterator[tuple[str, ...]]:
    for result in report.results:
        for finding in result.findings:
            verdict = "note" if finding.rule.severity == "note" else finding.verdict
            yield (verdict, finding.rule.code, result.subject.reference, placed(result.subject.place), finding.message)


def placed(place: Place | None) -> str:
    """Where it is written."""
    return f"{place}{in_cell(place)}" if place else "-"


def in_cell(place: Place | None) -> str:
    """A notebook's cell, since people do not see the lines of its file."""
    return f" (cell {place.cell})" if place and place.cell else ""


def tabbed(report: Report) -> str:
    return "".join("\t".join(map(harmless, row)) + "\n" for row in rows(report))
