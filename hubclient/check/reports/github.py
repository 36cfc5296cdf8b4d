"""A report as GitHub's workflow commands, which it shows beside the lines of a change.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands: what a message, and what a property must escape is
said in https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts. GitHub shows the first ten errors, warnings and
notices of a step; the others are in its log.
"""

from __future__ import annotations

from collections.abc import Iterator

from hubclient.cards.lint import harmless
from hubclient.check.finding import Finding
from hubclient.check.report import Report
from hubclient.check.reports.table import in_cell

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}
_WORST = ("error", "warning", "note")


def workflow_commands(report: Report, *, root: str = "") -> str:
    """`root`: what leads from the checkout to where paths begin, with a slash at its end."""
    found = [finding for finding in report.findings if report.severity(finding) != "none"]
    found.sort(key=lambda finding: _WORST.index(report.severity(finding)))
    return "".join(_command(finding, report, root) + "\n" for finding in found)


def _command(finding: Finding, report: Report, root: str) -> str:
    properties = ",".join(f"{name}={_property(value)}" for name, value in _properties(finding, root))
    told = harmless(finding.subject.reference) + in_cell(finding.subject.place)
    message = f"{told}: {harmless(finding.message)}\n{finding.rule.mend}"
    return f"::{_COMMANDS[report.severity(finding)]} {properties}::{_data(message)}"


def _properties(finding: Finding, root: str) -> Iterator[tuple[str, str]]:
    place = finding.subject.place
    if place:
        yield "file", harmless(place.path if place.path.startswith("/") else root + place.path)
        if place.line:
            yield "line", str(place.line)
        if place.column:
            yield "col", str(place.column)
    yield "title", f"{finding.rule.code} {finding.rule.name}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
