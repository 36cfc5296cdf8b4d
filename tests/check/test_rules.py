"""The table of rules, and the page that explains them."""

from __future__ import annotations

import re

import pytest

from hubclient.check import rules
from hubclient.check.finding import LEVELS, Rule
from hubclient.check.reports import FORMATS
from hubclient.check.rules import RULES
from tests.cards.shared import ROOT

PAGE = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
EXPLAINED = re.compile(r"^### (A\d{3}) ([\w-]+) \(([\w ]+)\)\n\n(.*?)(?=^###? |\Z)", re.MULTILINE | re.DOTALL)
SAID = {"none": "good news"}


def test_codes_and_names_are_unique_and_in_order() -> None:
    assert len({rule.code for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES)
    assert list(RULES) == sorted(RULES, key=lambda rule: rule.code)
    assert all(re.fullmatch(r"A\d{3}", rule.code) and re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", rule.name) for rule in RULES)


def test_every_rule_is_in_the_table() -> None:
    assert {value for value in vars(rules).values() if isinstance(value, Rule)} == set(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_verdict_has_its_severity(rule: Rule) -> None:
    """What is wrong fails a pipeline, what nobody could tell warns, and what nobody can ever tell is a note."""
    if rule.verdict == "unknown":
        assert rule.severity == ("warning" if rule.code.startswith("A9") else "note")
    else:
        assert rule.severity == ("none" if rule.verdict == "available" else "error")


def test_the_page_explains_every_rule_as_it_is() -> None:
    explained = {match[1]: (match[2], match[3], " ".join(match[4].split())) for match in EXPLAINED.finditer(PAGE)}
    assert list(explained) == [rule.code for rule in RULES]
    for rule in RULES:
        name, severity, text = explained[rule.code]
        assert (name, severity) == (rule.name, SAID.get(rule.severity, rule.severity))
        assert rule.summary in text
        assert rule.mend in text


@pytest.mark.parametrize("name", [*LEVELS, *FORMATS])
def test_the_page_tells_every_level_and_format(name: str) -> None:
    assert f"\n| `{name}` |" in PAGE


def test_links_within_the_page_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    pages = PAGE + (ROOT / "docs" / "check-in-ci.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\((?:check\.md)?#([\w-]+)\)", pages)) <= anchors
