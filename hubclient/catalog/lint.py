"""Linting files: cards from folders, each with its overlay, as the catalogue would take them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hubclient.cards import Card, Overlay
from hubclient.cards.lint import (
    ALL_RULES,
    BROKEN_OVERLAY,
    LONE_OVERLAY,
    UNREADABLE,
    Finding,
    Outline,
    Remark,
    Rule,
    Source,
    lint_source,
    lint_together,
    trouble,
)
from hubclient.catalog.folder import OVERLAY_ENDING, card_from, list_folder, read_bytes, read_overlay
from hubclient.errors import CardError, UsageError

STDIN = "-"
_STDIN_PATH = Path("<stdin>")


@dataclass(frozen=True)
class Report:
    """`findings` in the order of paths, then lines. `cards`: how many were looked at."""

    findings: tuple[Finding, ...]
    cards: int


@dataclass(frozen=True)
class _Place:
    """What a path stands for. `overlays`: those that its cards may have; `judged`: those that are looked at for their own sake."""

    cards: tuple[Path, ...] = ()
    overlays: tuple[Path, ...] = ()
    judged: tuple[Path, ...] = ()
    is_folder: bool = False
    problems: tuple[CardError, ...] = ()


def lint_paths(
    paths: Sequence[str], *, stdin: BinaryIO, rules: frozenset[Rule] = ALL_RULES, advance: Callable[[int], None] = lambda count: None
) -> Report:
    """Lint files, folders and, where a path is `-`, the card on `stdin`. No card stops the others.

    `advance` hears of every card that is done. Raises UsageError at a path that does not exist.
    """
    places = _places(paths)
    overlays = _Overlays(places)
    findings = [trouble(UNREADABLE, problem, problem.where or "") for place in places for problem in place.problems]
    outlines: list[Outline] = []
    cards = list(_once(path for place in places for path in place.cards))
    for path in cards:
        try:
            source = _read(path, stdin, overlays)
            findings += lint_source(source, rules)
            outlines.append(Outline.of(source))
        except CardError as error:
            findings.append(trouble(UNREADABLE, error, str(path)))
        advance(1)
    findings += lint_together(outlines, rules)
    findings += overlays.findings()
    wanted = (finding for finding in findings if finding.rule in rules)
    return Report(tuple(sorted(wanted, key=lambda finding: (finding.path, finding.line, finding.rule.code))), len(cards))


def _places(paths: Sequence[str]) -> list[_Place]:
    """Loose files of one folder share its overlays, which are listed once."""
    beside: dict[Path, tuple[Path, ...]] = {}
    return [_place(path, beside) for path in paths]


def _place(path: str, beside: dict[Path, tuple[Path, ...]]) -> _Place:
    if path == STDIN:
        return _Place((_STDIN_PATH,))
    if os.path.isdir(path):
        folder = list_folder(Path(path))
        cards = tuple(Path(card.path) for card in folder.cards)
        return _Place(cards, folder.overlays, folder.overlays, is_folder=True, problems=folder.problems)
    if not os.path.lexists(path):
        raise UsageError(f"there is no file or folder '{path}'", hint="give cards, folders of cards, or - for a card on stdin")
    if path.endswith(OVERLAY_ENDING):
        return _Place(overlays=(Path(path),), judged=(Path(path),))
    parent = Path(path).parent
    known = parent in beside
    if not known:
        beside[parent] = tuple(sorted(parent.glob("*" + OVERLAY_ENDING)))
    return _Place((Path(path),), () if known else beside[parent])


def _once(paths: Iterable[Path]) -> Iterator[Path]:
    """Each file once, however it is reached."""
    seen: set[str] = set()
    for path in paths:
        absolute = os.path.abspath(path)
        if absolute not in seen:
            seen.add(absolute)
            yield path


def _read(path: Path, stdin: BinaryIO, overlays: _Overlays) -> Source:
    data = stdin.read() if path == _STDIN_PATH else read_bytes(path)
    overlays.claim_beside(path)
    card = card_from(data, path)
    return Source(data.decode("utf-8"), card, str(path), overlays.of(card))


class _Overlays:
    """The overlays of all places, and which of them belong to a card."""

    def __init__(self, places: Sequence[_Place]) -> None:
        self._places = places
        self._ranks: dict[Path, int] = {path: rank for rank, place in enumerate(places) for path in place.overlays}
        self._named: dict[str, list[Path]] = {}
        for path in sorted(self._ranks):
            self._named.setdefault(path.name, []).append(path)
        self._claimed: set[Path] = set()
        self._read: dict[Path, Overlay | CardError] = {}

    def claim_beside(self, card: Path) -> None:
        """A card that cannot be read has its overlay all the same."""
        self._claimed.add(card.with_suffix(OVERLAY_ENDING))

    def of(self, card: Card) -> Overlay:
        """As the catalogue has it: the last place's counts, and there the one beside the card. A broken one says nothing."""
        if not self._ranks:
            return Overlay()
        beside = Path(card.path or "").with_suffix(OVERLAY_ENDING)
        names = {f"{card.model_name}_{card.model_language}{OVERLAY_ENDING}", f"{card.name}_{card.language}{OVERLAY_ENDING}"}
        found = [path for name in names for path in self._named.get(name, ())]
        if beside in self._ranks:
            found.append(beside)
        self._claimed.update(found)
        if not found:
            return Overlay()
        read = self._overlay(min(found, key=lambda path: (-self._ranks[path], path != beside, path)))
        return read if isinstance(read, Overlay) else Overlay()

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the overlays that were read, and those that are looked at for their own sake."""
        for place in self._places:
            for path in place.judged:
                self._overlay(path)
        for path, read in self._read.items():
            if isinstance(read, CardError):
                yield trouble(BROKEN_OVERLAY, read, str(path))
        for path in {path for place in self._places if place.is_folder for path in place.overlays} - self._claimed:
            yield Finding.of(LONE_OVERLAY, str(path), Remark(1, "no card that was looked at has this overlay"))

    def _overlay(self, path: Path) -> Overlay | CardError:
        if path not in self._read:
            try:
                self._read[path] = read_overlay(path)
            except CardError as error:
                self._read[path] = error
        return self._read[path]
