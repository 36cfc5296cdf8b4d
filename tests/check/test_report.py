"""What many findings come to: results, counts, exit codes, known findings."""

from __future__ import annotations

import json

import pytest

from hubclient.check import rules
from hubclient.check.baseline import Baseline, Known
from hubclient.check.finding import Finding, Place, Rule, Subject
from hubclient.check.report import Report
from hubclient.errors import UsageError
from tests.check.findings import HOSTILE, MIXED, found, report

BY_SEVERITY = {severity: [rule for rule in rules.RULES if rule.severity == severity] for severity in ("error", "warning", "note", "none")}


def test_the_worst_finding_of_a_subject_counts() -> None:
    made = report([found(rules.NO_HASH), found(rules.UNREACHABLE), found(rules.GONE), found(rules.AVAILABLE)])
    (result,) = made.results
    assert result.verdict == "gone"
    assert [finding.rule.severity for finding in result.findings] == ["error", "warning", "note", "none"]


def test_a_note_takes_nothing_from_good_news() -> None:
    made = report([found(rules.NO_HASH), found(rules.AVAILABLE), found(rules.DYNAMIC, line=9)])
    assert [result.verdict for result in made.results] == ["available", "note"]
    assert [result.verdict for result in made.without_good_news().results] == ["note"]


def test_results_are_in_the_order_of_places_whatever_comes_first() -> None:
    expected = ["en/typed", "broken.py", "en/new", "en/good", "en/gone", "en/secret", "en/far", "pretrained(name)"]
    for findings in (MIXED, MIXED[::-1]):
        assert [result.subject.reference for result in report(findings).results] == expected
    assert report().counts == {"gone": 1, "forbidden": 1, "changed": 1, "unknown": 1, "note": 2, "available": 2}
    assert list(report().counts) == ["gone", "forbidden", "changed", "unknown", "note", "available"]


def test_one_reference_in_two_places_is_two_results() -> None:
    assert len(report([found(rules.GONE, line=1), found(rules.GONE, line=2)]).results) == 2
    nlu = [Finding(rules.AVAILABLE, Subject(name, Place("a.py", 1, 1), loader="nlu"), "") for name in ("en.a", "en.b")]
    assert len(report(nlu).results) == 2


@pytest.mark.parametrize(
    ("severities", "code", "strict"),
    [((), 0, 0), (("none",), 0, 0), (("note",), 0, 1), (("warning",), 3, 1), (("none", "note", "warning"), 3, 1), (("error",), 1, 1)],
)
def test_exit_codes(severities: tuple[str, ...], code: int, strict: int) -> None:
    findings = [found(rule) for severity in severities for rule in BY_SEVERITY[severity]]
    assert (report(findings).exit_code, report(findings, strict=True).exit_code) == (code, strict)


def test_an_error_outweighs_what_is_unknown() -> None:
    assert report([found(rules.UNREACHABLE, line=1), found(rules.GONE, line=2)]).exit_code == 1


def test_summaries() -> None:
    assert report().summary() == "8 checked: 1 gone, 1 forbidden, 1 changed, 1 unknown, 2 notes, 2 available"
    assert report([]).summary() == "0 checked: nothing to check"
    assert report([found(rules.DYNAMIC)], accepted=[found(rules.GONE)]).summary() == "1 checked: 1 note; 1 known finding accepted"
    assert report([], accepted=[found(rules.GONE), found(rules.GONE, line=4)]).summary().endswith("; 2 known findings accepted")


# Known findings


def known(*findings: Finding) -> Baseline:
    return Baseline.parse(Baseline.of(findings).text(), "known.json")


@pytest.mark.parametrize("rule", BY_SEVERITY["error"] + BY_SEVERITY["note"], ids=lambda rule: rule.name)
def test_a_known_finding_is_known_again(rule: Rule) -> None:
    first = found(rule, HOSTILE.replace("\ud800", ""), found=["a", 1])
    assert known(first).split([first]) == ([], [first])


def test_what_is_not_known() -> None:
    baseline = known(found(rules.GONE, found=1))
    moved = found(rules.GONE, line=99, message="otherwise", found=1)
    others = [
        found(rules.GONE, found=2),
        found(rules.GONE, "en/b", found=1),
        found(rules.GONE, path="b.py", found=1),
        found(rules.FORBIDDEN, found=1),
        found(rules.GONE, path=None, found=1),
        found(rules.GONE),
    ]
    assert baseline.split([moved, *others]) == (others, [moved])
    assert (baseline.outlived([moved]), baseline.outlived(others)) == (0, 1)


def test_what_nobody_could_tell_is_never_known() -> None:
    assert Baseline.of(map(found, BY_SEVERITY["warning"] + BY_SEVERITY["none"])).known == frozenset()


def test_the_file_is_stable_and_has_a_finding_a_line() -> None:
    findings = [found(rules.GONE, "b"), found(rules.GONE, "a", line=4), found(rules.FORBIDDEN, "c"), found(rules.GONE, "b", line=8)]
    text = Baseline.of(findings).text()
    assert text == Baseline.of(findings[::-1]).text()
    assert len(text.splitlines()) == 5
    assert json.loads(text)["known"][0] == ["A102", "a", "src/a.py", ""]
    assert json.loads(Baseline().text()) == {"version": 1, "fields": ["code", "reference", "path", "found"], "known": []}
    assert known().known == frozenset()


ENTRIES = ('"known": {}', '"known": [1]', '"known": [["a"]]', '"known": [[1, 2, 3, 4]]')


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 2, "known": []}', "[" * 100_000, *(f'{{"version": 1, {part}}}' for part in ENTRIES)]
)
def test_what_is_no_baseline(text: str) -> None:
    with pytest.raises(UsageError, match="no baseline") as caught:
        Baseline.parse(text, "known.json")
    assert caught.value.where == "known.json"


def test_known_findings_are_values() -> None:
    assert Known.of(found(rules.GONE)) == Known("A102", "en/a", "src/a.py", "")
    assert isinstance(hash(found(rules.GONE, found={"a": [1]})), int)
    assert isinstance(report(), Report)
