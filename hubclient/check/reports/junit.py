"""A report as CI servers read the results of tests: JUnit's XML, by the schema of Ant's task.

https://github.com/windyroad/JUnit-Schema: a reference is a test case, and its file the class. What is unknown is skipped, since a failure
would be a false alarm.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from hubclient.check.finding import Finding
from hubclient.check.report import Report, Result
from hubclient.check.reports.table import placed

_NAME = "hub check"
# What XML 1.0 cannot hold, section 2.2.
_IMPOSSIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BLANKS = re.compile(r"\s+")


def junit(report: Report) -> str:
    outcomes = [_outcome(result, report) for result in report.results]
    suites = Element("testsuites")
    suite = SubElement(
        suites,
        "testsuite",
        name=_NAME,
        package=_NAME,
        id="0",
        timestamp=report.started.strftime("%Y-%m-%dT%H:%M:%S"),
        hostname="localhost",
        tests=str(len(report.results)),
        failures=str(outcomes.count("failure")),
        errors="0",
        skipped=str(outcomes.count("skipped")),
        time=f"{report.seconds:.3f}",
    )
    properties = SubElement(suite, "properties")
    for name, value in (("level", report.level), ("accepted", str(len(report.accepted)))):
        SubElement(properties, "property", name=name, value=value)
    for result, outcome in zip(report.results, outcomes, strict=True):
        _add_case(suite, result, outcome)
    SubElement(suite, "system-out").text = report.summary()
    SubElement(suite, "system-err")
    indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suites, encoding="unicode") + "\n"


def _outcome(result: Result, report: Report) -> str:
    if any(report.severity(finding) == "error" for finding in result.findings):
        return "failure"
    return "passed" if result.verdict == "available" else "skipped"


def _add_case(suite: Element, result: Result, outcome: str) -> None:
    place = result.subject.place
    line = f" (line {place.line})" if place and place.line else ""
    case = SubElement(
        suite, "testcase", name=_token(result.subject.reference + line), classname=_token(place.path if place else _NAME), time="0"
    )
    if outcome != "passed":
        said = SubElement(case, outcome, message=_text(result.worst.message))
        if outcome == "failure":
            said.set("type", result.worst.rule.name)
        said.text = _text("\n".join(_told(finding) for finding in result.findings))


def _told(finding: Finding) -> str:
    lines = [f"{finding.rule.code} {finding.message}", f"place: {placed(finding.subject.place)}"]
    if finding.where:
        lines.append(f"where: {finding.where}")
    return "\n".join([*lines, f"try: {finding.rule.mend}"])


def _token(text: str) -> str:
    return _BLANKS.sub(" ", _text(text)).strip()


def _text(text: str) -> str:
    """What XML cannot hold is written as Python writes it."""
    return _IMPOSSIBLE.sub(lambda match: match[0].encode("unicode_escape", "surrogatepass").decode(), text)
