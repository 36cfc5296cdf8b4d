"""What is wrong with a card, told to its author: rules over one card, and over many together. Pure, as the parser is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from hubclient.cards.card import Card
from hubclient.cards.lint.finding import Finding, Remark, Rule, Severity, harmless
from hubclient.cards.lint.rules import BROKEN_OVERLAY, CARD_RULES, LONE_OVERLAY, RULES, TOGETHER_RULES, UNREADABLE, CardCheck
from hubclient.cards.lint.several import Outline
from hubclient.cards.lint.source import Source
from hubclient.cards.overlay import Overlay
from hubclient.cards.parse import parse_card
from hubclient.errors import CardError

ALL_RULES = frozenset(RULES)

__all__ = [
    "ALL_RULES",
    "BROKEN_OVERLAY",
    "CARD_RULES",
    "Finding",
    "LONE_OVERLAY",
    "Outline",
    "RULES",
    "Remark",
    "Rule",
    "Severity",
    "Source",
    "TOGETHER_RULES",
    "UNREADABLE",
    "harmless",
    "lint_card",
    "lint_source",
    "lint_together",
    "trouble",
]


def lint_card(
    text: str, *, path: str = "<card>", overlay: Overlay | None = None, rules: frozenset[Rule] = ALL_RULES
) -> tuple[Finding, ...]:
    """What the rules find in one card, by lines. Never raises: a card that cannot be read is a finding too.

    `overlay`: what is stated beside the card, as `parse_overlay` gives it.
    """
    try:
        card: Card = parse_card(text, path=path)
    except CardError as error:
        return (trouble(UNREADABLE, error, path),) if UNREADABLE in rules else ()
    return lint_source(Source(text, card, path, overlay or Overlay()), rules)


def lint_source(source: Source, rules: frozenset[Rule] = ALL_RULES) -> tuple[Finding, ...]:
    """The same for a card that is read already."""
    found = [Finding.of(rule, source.path, remark) for rule, check in _checks(rules) for remark in check(source)]
    return tuple(sorted(found, key=lambda finding: (finding.line, finding.rule.code)))


@lru_cache
def _checks(rules: frozenset[Rule]) -> tuple[tuple[Rule, CardCheck], ...]:
    return tuple((rule, check) for rule, check in CARD_RULES.items() if rule in rules)


def lint_together(outlines: Iterable[Outline], rules: frozenset[Rule] = ALL_RULES) -> Iterator[Finding]:
    """What the rules find in many cards together."""
    cards = tuple(outlines)
    for rule, check in TOGETHER_RULES.items():
        if rule in rules:
            yield from (Finding.of(rule, outline.path, remark) for outline, remark in check(cards))


def trouble(rule: Rule, error: CardError, path: str) -> Finding:
    """A CardError as a finding, at the line that the error names."""
    line = (error.where or "").removeprefix(f"{path}:")
    message = f"{error.what}: {error.why}" if error.why else error.what
    return Finding.of(rule, path, Remark(int(line) if line.isascii() and line.isdigit() else 1, message, error.hint))
