"""Versions that two places of a card tell, held against each other."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"\d{1,9}(?:\.\d{1,9})*", re.ASCII)
_DOTTED = re.compile(r"\d{1,9}(?:\.\d{1,9})+", re.ASCII)


def same_version(one: str, other: str) -> bool:
    """Whether two texts are one version: 3.4 is 3.4.0, and what is no version is only itself.

    >>> [same_version("3.4", other) for other in ("3.4.0", "3.40", "new")]
    [True, False, False]
    """
    if not (_NUMBERS.fullmatch(one) and _NUMBERS.fullmatch(other)):
        return one == other
    return _significant(one) == _significant(other)


def first_version(text: str) -> str | None:
    """
    >>> first_version("Spark NLP 3.4.2+")
    '3.4.2'
    """
    match = _DOTTED.search(text)
    return match[0] if match else None


def _significant(version: str) -> list[int]:
    numbers = [int(part) for part in version.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return numbers
