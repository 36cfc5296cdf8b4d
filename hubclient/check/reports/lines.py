"""A report as JSON, a finding a line."""

from __future__ import annotations

import json
from typing import Any

from hubclient.check.finding import Finding
from hubclient.check.report import Report


def json_lines(report: Report) -> str:
    counting = [as_dict(finding, report) for finding in report.findings]
    known = [{**as_dict(finding, report), "accepted": True} for finding in report.accepted]
    return "".join(json.dumps(value, ensure_ascii=_odd(value), default=str) + "\n" for value in (*counting, *known))


def as_dict(finding: Finding, report: Report) -> dict[str, Any]:
    subject, rule, place = finding.subject, finding.rule, finding.subject.place
    return {
        "reference": subject.reference,
        "verdict": finding.verdict,
        "code": rule.code,
        "name": rule.name,
        "severity": report.severity(finding),
        "message": finding.message,
        "hint": rule.mend,
        "path": place.path if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "cell": place.cell if place else None,
        "loader": subject.loader,
        "where": finding.where,
        "details": dict(finding.details),
        "accepted": False,
    }


def _odd(value: dict[str, Any]) -> bool:
    """Whether something in it is not Unicode, as names of files may be: JSON's own escapes then say it."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return True
    return False
