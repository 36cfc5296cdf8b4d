"""The texts that a card tries its model on: what stands in quotes in its code, and has several words."""

from __future__ import annotations

import re

from hubclient.cards.card import Card

_LITERAL = re.compile(r'"""(.*?)"""|\'\'\'(.*?)\'\'\'|"((?:[^"\\\n]|\\.)*)"|\'((?:[^\'\\\n]|\\.)*)\'', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LONGEST, _MOST_CODE = 600, 50_000
_BLANKS = {"n": "\n", "t": "\t", "r": "\r"}


def examples(card: Card, most: int = 4) -> tuple[str, ...]:
    """In the order of the card, each once; placeholders in capitals are none."""
    found: dict[str, None] = {}
    for code in card.how_to_use.values():
        for match in _LITERAL.finditer(code[:_MOST_CODE]):
            text = _ESCAPE.sub(_unescaped, next((group for group in match.groups() if group is not None), "")).strip()
            if len(text.split()) > 1 and len(text) <= _LONGEST and not text.isupper():
                found.setdefault(text)
    return tuple(found)[:most]


def _unescaped(match: re.Match[str]) -> str:
    return _BLANKS.get(match[1], match[1])
