"""Checks of many cards together. Of each card only what they need is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass

from hubclient.cards.lint.finding import Remark, quoted
from hubclient.cards.lint.source import FrontLines, Source
from hubclient.names import Version


@dataclass(frozen=True)
class Outline:
    """What of a card matters to the others. `archive`: its address; `archive_line`: where the card links to it."""

    path: str
    name: str
    language: str
    version: Version
    epoch_ms: int
    archive: str | None
    archive_line: int
    front: FrontLines

    @classmethod
    def of(cls, source: Source) -> Outline:
        card = source.card
        line = source.line_of(card.s3_uri) if card.s3_uri else 1
        return cls(source.path, card.model_name, card.model_language, card.version, card.epoch_ms, card.s3_uri, line, source.front)


PlacedRemark = tuple[Outline, Remark]


def same_archive(outlines: Iterable[Outline]) -> Iterator[PlacedRemark]:
    for group in _groups((outline.archive, outline) for outline in outlines if outline.archive):
        for outline, other in _beside(group):
            yield outline, Remark(outline.archive_line, f"the archive {quoted(outline.archive or '')} is that of {quoted(other.path)} too")


def same_model(outlines: Iterable[Outline]) -> Iterator[PlacedRemark]:
    """Of several archives, that is; cards of one archive are another rule's matter."""
    for group in _groups(((outline.name, outline.language, outline.version, outline.epoch_ms), outline) for outline in outlines):
        for outline, other in _apart(group, lambda outline: outline.archive or outline.path):
            version = ".".join(map(str, outline.version)) or "no version"
            message = f"{quoted(outline.name)} in {quoted(outline.language)}, {version}, is the model of {quoted(other.path)} too"
            yield outline, Remark(outline.front.line("name"), message)


def case_twins(outlines: Iterable[Outline]) -> Iterator[PlacedRemark]:
    for group in _groups((outline.name.casefold(), outline) for outline in outlines):
        for outline, other in _apart(group, lambda outline: outline.name):
            message = f"the name {quoted(outline.name)} differs only in case from {quoted(other.name)} in {quoted(other.path)}"
            yield outline, Remark(outline.front.line("name"), message)


def _groups(keyed: Iterable[tuple[Hashable, Outline]]) -> Iterator[list[Outline]]:
    """Those that share a key with another."""
    groups: defaultdict[Hashable, list[Outline]] = defaultdict(list)
    for key, outline in keyed:
        groups[key].append(outline)
    return (group for group in groups.values() if len(group) > 1)


def _beside(group: list[Outline]) -> Iterator[tuple[Outline, Outline]]:
    """Each of a group with another: the first, and for the first the second."""
    for number, outline in enumerate(group):
        yield outline, group[0 if number else 1]


def _apart(group: list[Outline], key: Callable[[Outline], str]) -> Iterator[tuple[Outline, Outline]]:
    """Each of a group with the first that has another key; nothing if they all have one."""
    firsts: dict[str, Outline] = {}
    for outline in group:
        firsts.setdefault(key(outline), outline)
    if len(firsts) > 1:
        first, second, *_ = firsts.values()
        for outline in group:
            yield outline, second if key(outline) == key(first) else first
