"""Names that are near a misspelt one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from hubclient.errors import HubError, UnknownModel

_MOST = 5
_TYPO = 80  # per cent of a name's letters, in order, that a misspelt one shares with it
_WORD = re.compile(r"[^\W_]+")


def near_names(name: str, names: Collection[str]) -> list[str]:
    """At most five, the nearest first: those that differ in case only; else those with few other letters, then those with all its words."""
    if twins := sorted(other for other in names if other.casefold() == name.casefold()):
        return twins[:_MOST]
    from rapidfuzz import fuzz, process

    ordered = sorted(names)
    typos = [other for other, _, _ in process.extract(name, ordered, scorer=fuzz.ratio, limit=_MOST, score_cutoff=_TYPO)]
    words = [word.casefold() for word in _WORD.findall(name)]
    holding = [other for other in ordered if words and all(word in other.casefold() for word in words)]
    likest = [other for other, _, _ in process.extract(name, holding, scorer=fuzz.ratio, limit=_MOST)]
    return list(dict.fromkeys(typos + likest))[:_MOST]


def unknown_model(name: str, names: Collection[str], causes: Iterable[HubError] = ()) -> UnknownModel:
    """The error for a name that no card has."""
    near = near_names(name, names)
    twins = any(other.casefold() == name.casefold() for other in near)
    return UnknownModel(
        f"no card has the name '{name}'",
        why="names are case-sensitive" if twins else None,
        hint=("did you mean " + " or ".join(near) + "?") if near else f"hub search {name}",
        causes=causes,
    )
