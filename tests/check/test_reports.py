"""Every format: valid by its schema, telling, and unable to be misled by what it tells."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
import xmlschema

from hubclient.check import rules
from hubclient.check.finding import Finding, Place, Subject
from hubclient.check.report import Report
from hubclient.check.reports import FORMATS, workflow_commands
from tests.check.findings import HOSTILE, MIXED, found, hostile, report

REPORTS = {"mixed": report(), "strict": report(strict=True), "empty": report([]), "hostile": hostile(), "known": report([], accepted=MIXED)}


@pytest.fixture(params=REPORTS)
def any_report(request: pytest.FixtureRequest) -> Report:
    return REPORTS[request.param]


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_text_with_whole_lines(name: str, any_report: Report) -> None:
    text = FORMATS[name](any_report)
    assert not text or text.endswith("\n")
    assert "\x1b" not in text
    assert "\u202e" not in text or name in ("json", "junit")  # which nobody reads as they are


# Table and JSON


def test_a_table_in_a_pipe() -> None:
    lines = FORMATS["table"](report()).splitlines()
    assert lines[0] == f"available\tA100\ten/typed\t-\t{rules.AVAILABLE.summary}"
    assert f"gone\tA102\ten/gone\tsrc/a.py:3:5\t{rules.GONE.summary}" in lines
    assert {line.count("\t") for line in FORMATS["table"](hostile()).splitlines()} == {4}
    cell = Finding(rules.DYNAMIC, Subject("x", Place("a.ipynb", 4, None, 2)), "y")
    assert "a.ipynb:4 (cell 2)" in FORMATS["table"](report([cell]))
    assert all("x (cell 2): y" in FORMATS[name](report([cell])) for name in ("github", "sarif"))


def test_json() -> None:
    made = [
        json.loads(line) for line in FORMATS["json"](report([found(rules.GONE, found=3)], accepted=[found(rules.DYNAMIC)])).splitlines()
    ]
    assert made[0] == {
        "reference": "en/a",
        "verdict": "gone",
        "code": "A102",
        "name": "gone",
        "severity": "error",
        "message": rules.GONE.summary,
        "hint": rules.GONE.mend,
        "path": "src/a.py",
        "line": 3,
        "column": 5,
        "cell": None,
        "loader": "hubclient",
        "where": "https://host/a.zip",
        "details": {"found": 3},
        "accepted": False,
    }
    assert (made[1]["code"], made[1]["accepted"]) == ("A002", True)
    assert [json.loads(line)["reference"] for line in FORMATS["json"](hostile()).splitlines()] == [HOSTILE] * (len(rules.RULES) + 2)


# JUnit


def cases(made: Report) -> list[tuple[str, str, str | None]]:
    root = ElementTree.fromstring(FORMATS["junit"](made))
    return [(case.get("name", ""), case.get("classname", ""), case[0].tag if len(case) else None) for case in root.iter("testcase")]


def test_junit_is_valid(any_report: Report, shared: Path) -> None:
    schema = xmlschema.XMLSchema(str(shared / "schemas" / "junit.xsd"))
    schema.validate(FORMATS["junit"](any_report))


def test_junit() -> None:
    assert cases(report()) == [
        ("en/typed", "hub check", None),
        ("broken.py", "broken.py", "skipped"),
        ("en/new (line 70)", "notes/b.ipynb", "failure"),
        ("en/good (line 1)", "src/a.py", None),
        ("en/gone (line 3)", "src/a.py", "failure"),
        ("en/secret (line 9)", "src/a.py", "failure"),
        ("en/far (line 12)", "src/a.py", "skipped"),
        ("pretrained(name) (line 20)", "src/a.py", "skipped"),
    ]
    (suite,) = ElementTree.fromstring(FORMATS["junit"](report()))
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped", "timestamp")} == {
        "tests": "8",
        "failures": "3",
        "errors": "0",
        "skipped": "3",
        "timestamp": "2026-11-22T12:30:15",
    }
    (said,) = [failure.text or "" for failure in suite.iter("failure") if failure.get("type") == "size-changed"]
    assert "A201" in said
    assert "A202" in said
    assert "https://host/a.zip" in said
    assert [outcome for *_, outcome in cases(report(strict=True))].count("failure") == 6


# SARIF


def results(made: Report) -> list[dict[str, Any]]:
    (run,) = json.loads(FORMATS["sarif"](made))["runs"]
    found: list[dict[str, Any]] = run["results"]
    return found


def prints(*findings: Finding) -> list[str]:
    return [result["partialFingerprints"]["finding/v1"] for result in results(report(findings))]


def test_sarif_is_valid(any_report: Report, shared: Path) -> None:
    schema = json.loads((shared / "schemas" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(FORMATS["sarif"](any_report)), schema, format_checker=jsonschema.FormatChecker())


def test_sarif() -> None:
    made = {result["ruleId"]: result for result in results(report())}
    assert set(made) == {"A102", "A103", "A202", "A201", "A901", "A002", "A001"}
    assert made["A102"]["level"] == "error"
    assert made["A901"]["level"] == "warning"
    assert made["A002"]["level"] == "note"
    assert made["A102"]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "src/a.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3, "startColumn": 5},
    }
    assert "region" not in made["A001"]["locations"][0]["physicalLocation"]
    assert {result["level"] for result in results(report(strict=True))} == {"error"}
    (typed,) = results(report([found(rules.GONE, path=None)]))
    assert "locations" not in typed
    (accepted,) = results(report([], accepted=[found(rules.GONE)]))
    assert accepted["suppressions"] == [{"kind": "external"}]


def test_fingerprints_stay_when_lines_and_messages_change() -> None:
    here = prints(found(rules.GONE))
    assert here == prints(found(rules.GONE, line=99, message="otherwise, after 3 tries"))
    others = (found(rules.FORBIDDEN), found(rules.GONE, "en/b"), found(rules.GONE, path="b.py"), found(rules.GONE, path=None))
    twice = (found(rules.GONE), found(rules.GONE, line=8))
    assert len({*prints(*twice, *others)}) == 6
    assert here[0] in prints(*twice)


def test_every_rule_is_told() -> None:
    (run,) = json.loads(FORMATS["sarif"](report([])))["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [rule.code for rule in rules.RULES if rule.severity != "none"]


# GitHub


def test_workflow_commands() -> None:
    lines = FORMATS["github"](report()).splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error"] * 4 + ["::warning"] + ["::notice"] * 2
    assert f"::error file=src/a.py,line=3,col=5,title=A102 gone::en/gone: {rules.GONE.summary}%0A{rules.GONE.mend}" in lines
    assert lines[-2].startswith("::notice file=broken.py,title=A001 unscanned-file::")
    assert "::error file=sub/src/a.py,line=3" in workflow_commands(report(), root="sub/")
    assert "file=/tmp/a.py," in workflow_commands(report([found(rules.GONE, path="/tmp/a.py")]), root="sub/")
    assert FORMATS["github"](report([found(rules.GONE, path=None)])).startswith("::error title=A102 gone::en/a: ")


def test_no_command_is_smuggled_in() -> None:
    for line in FORMATS["github"](hostile()).splitlines():
        match = re.fullmatch(r"::(error|warning|notice) ((?:\w+=[^,:]*,)*title=[^,:]*)::(.*)", line)
        assert match
        assert "::error::x%250A" in match[3]


# Markdown and HTML


def test_markdown() -> None:
    text = FORMATS["markdown"](report())
    assert text.startswith("## Models\n\n8 checked\\: 1 gone")
    (row,) = [line for line in text.splitlines() if "en/gone" in line]
    assert row.startswith("| ❌ gone | <code>en/gone</code> | <code>src/a\\.py\\:3\\:5</code> | A102 ")
    assert "<summary>2 available</summary>" in text
    assert "| <code>en/good</code> |" in text


def test_markdown_shows_what_would_be_marks() -> None:
    text = FORMATS["markdown"](hostile())
    for line in text.splitlines():
        if line.startswith("| ❌"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 6
    assert "<script" not in text
    assert "@you" not in text
    assert not re.search(r"(?<!\\)`b", text)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "style", "action") or name.startswith("on")]
        if tag in ("details", "table", "ul", "div", "body", "tbody", "thead", "summary", "h1"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()


def test_the_page_needs_nothing_from_elsewhere(any_report: Report) -> None:
    text = FORMATS["html"](any_report)
    page = _Page()
    page.feed(text)
    page.close()
    assert page.addresses == []
    assert page.open == []
    assert not {"script", "link", "img", "iframe", "base"} & set(page.tags)
    assert "url(" not in text
    assert "@import" not in text
    assert text.count("<tr>") == text.count("</tr>")
    text.encode()


def test_the_page_tells_everything() -> None:
    text = FORMATS["html"](report())
    for said in ("Some models need attention", "en/gone", "src/a.py:3:5", "https://host/a.zip", rules.GONE.mend, "A102 gone", "level size"):
        assert said in text
    assert "All models are fine" in FORMATS["html"](report([]))
    assert "could not be checked" in FORMATS["html"](report([found(rules.UNREACHABLE)]))
    assert "prefers-color-scheme: dark" in text
