"""A report as a SARIF log: see `hubclient.sarif`."""

from __future__ import annotations

import json

from hubclient import __version__
from hubclient.check.finding import Finding
from hubclient.check.report import Report
from hubclient.check.reports.table import in_cell
from hubclient.check.rules import RULES
from hubclient.sarif import Level, SarifResult, SarifRule, sarif_log

_LEVELS: dict[str, Level] = {"error": "error", "warning": "warning", "note": "note"}


def sarif(report: Report) -> str:
    rules = [
        SarifRule(rule.code, rule.name, _LEVELS[rule.severity], rule.summary, f"{rule.summary}\n{rule.mend}")
        for rule in RULES
        if rule.severity != "none"
    ]
    counting = [_result(finding, report) for finding in report.findings if finding.rule.severity != "none"]
    known = [_result(finding, report, accepted=True) for finding in report.accepted if finding.rule.severity != "none"]
    log = sarif_log(rules, (*counting, *known), tool="hubclient", version=__version__)
    return json.dumps(log, ensure_ascii=True, indent=1) + "\n"


def _result(finding: Finding, report: Report, *, accepted: bool = False) -> SarifResult:
    """The same finding has the same fingerprint, whatever its message says of times and addresses."""
    place, reference = finding.subject.place, finding.subject.reference
    return SarifResult(
        finding.rule.code,
        f"{reference}{in_cell(place)}: {finding.message}; {finding.rule.mend}",
        place.path if place else None,
        place.line if place else None,
        column=place.column if place else None,
        level=_LEVELS[report.severity(finding)],
        identity=reference,
        accepted=accepted,
    )
