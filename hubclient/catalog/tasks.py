"""What a card's model does, in words that can be compared: the tasks on the card, and the one that its annotator tells.

A card's own task is often wrong (real classifiers are filed under "Named Entity Recognition"), so that both count.
"""

from __future__ import annotations

import re
from functools import cache

from hubclient.cards import Card
from hubclient.cards.kinds import kind_of

_BETWEEN_WORDS = re.compile(r"[\W_]+")


@cache
def slug(task: str) -> str:
    """`"Text Classification"` -> `"text-classification"`."""
    return _BETWEEN_WORDS.sub("-", task.casefold()).strip("-")


def tasks_of(card: Card) -> tuple[str, ...]:
    kind = kind_of(card.annotator)
    return tuple(dict.fromkeys([*([kind.name] if kind else ()), *map(slug, card.task)]))
