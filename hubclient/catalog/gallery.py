"""Many cards at a glance: which of them match words and facets, how many each facet would leave, in what order.

Strategy: what facets ask is kept in arrays, a number for each value; words are looked up in the index. Values of one facet that are chosen
together are alternatives; several facets must all fit. A facet's own choice does not count in its numbers, which say what choosing another
of its values would find.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args

from hubclient.catalog.index import Reader
from hubclient.catalog.lookup import current_numbers
from hubclient.catalog.resolve import CanOpen
from hubclient.catalog.search import word_ranks
from hubclient.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

Sort = Literal["relevance", "date", "size"]
FacetName = Literal["task", "language", "annotator", "version", "origin", "size", "opens"]
FACETS: tuple[FacetName, ...] = get_args(FacetName)
# Upper ends of groups of sizes, in the cards' megabytes.
SIZES: Mapping[str, float] = MappingProxyType(
    {"up to 50 MB": 50, "50 to 200 MB": 200, "200 to 500 MB": 500, "500 MB to 1 GB": 1024, "more than 1 GB": float("inf")}
)
_UNSAID, _YES = "not said", "yes"
_EXACT, _PREFIX = -2, -1
_NOWHERE = 9


@dataclass(frozen=True)
class Wish:
    """`chosen`: by facet, the values of which one must fit. Raises UsageError for a facet or an order that there is not."""

    words: tuple[str, ...] = ()
    chosen: Mapping[FacetName, frozenset[str]] = field(default_factory=dict)
    sort: Sort = "relevance"

    def __post_init__(self) -> None:
        if self.sort not in get_args(Sort):
            raise UsageError(f"cards cannot be sorted by '{self.sort}'", hint=f"use one of {', '.join(get_args(Sort))}")
        for name in self.chosen:
            if name not in FACETS:
                raise UsageError(f"there is no facet '{name}'", hint=f"use one of {', '.join(FACETS)}")


@dataclass(frozen=True)
class Glance:
    """`numbers` of the cards in the index, in order; `counts`: by facet its values with how many cards each would find, most first."""

    numbers: tuple[int, ...]
    counts: Mapping[FacetName, tuple[tuple[str, int], ...]]


@dataclass(frozen=True)
class _Facet:
    """`codes[i]` is a value's number that the card at place `cards[i]` has."""

    values: tuple[str, ...]
    cards: np.ndarray
    codes: np.ndarray

    @classmethod
    def of(cls, said: Sequence[Iterable[str]]) -> _Facet:
        import numpy as np

        pairs = [(place, value) for place, values in enumerate(said) for value in values]
        names = sorted({value for _, value in pairs})
        number = {value: code for code, value in enumerate(names)}
        cards, codes = [place for place, _ in pairs], [number[value] for _, value in pairs]
        return cls(tuple(names), np.array(cards, dtype=np.int64), np.array(codes, dtype=np.int64))

    def fitting(self, chosen: frozenset[str], cards: int) -> np.ndarray:
        import numpy as np

        fits = np.zeros(cards, dtype=bool)
        wanted = [code for code, value in enumerate(self.values) if value in chosen]
        fits[self.cards[np.isin(self.codes, wanted)]] = True
        return fits

    def counts(self, among: np.ndarray) -> tuple[tuple[str, int], ...]:
        import numpy as np

        found = np.bincount(self.codes[among[self.cards]], minlength=len(self.values))
        order = np.lexsort((np.arange(len(found)), -found))
        return tuple((self.values[code], int(found[code])) for code in order if found[code])


class Gallery:
    """The current card of each name and language, in the order of names."""

    def __init__(self, reader: Reader, can_open: CanOpen) -> None:
        import numpy as np

        current = current_numbers(reader, can_open)
        rows = sorted((row for row in reader.rows(_OUTLINES) if row[0] in current), key=lambda row: (row[1], row[2]))
        self._numbers = np.array([row[0] for row in rows], dtype=np.int64)
        self._epochs = np.array([row[4] for row in rows], dtype=np.int64)
        self._sizes = np.array([np.inf if row[7] is None else row[7] for row in rows], dtype=float)
        self._places = {int(number): place for place, number in enumerate(self._numbers)}
        self._names = sorted((row[1].casefold(), place) for place, row in enumerate(rows))
        said = {name: [tuple(_VALUES[name](row, can_open)) for row in rows] for name in FACETS}
        self._facets = {name: _Facet.of(values) for name, values in said.items()}

    def glance(self, reader: Reader, wish: Wish) -> Glance:
        import numpy as np

        ranks = self._ranks(reader, wish.words)
        fits = {name: self._facets[name].fitting(chosen, len(ranks)) for name, chosen in wish.chosen.items() if chosen}
        worded = ranks < _NOWHERE
        among = np.logical_and.reduce([worded, *fits.values()])
        order = self._order(ranks, wish.sort)
        counts = {}
        for name, facet in self._facets.items():
            others = [fit for other, fit in fits.items() if other != name]
            counts[name] = facet.counts(np.logical_and.reduce([worded, *others]))
        return Glance(tuple(self._numbers[order[among[order]]].tolist()), counts)

    def holders(self) -> dict[FacetName, dict[str, list[int]]]:
        """By facet and value, the numbers of the cards that have it."""
        return {
            name: {value: self._numbers[facet.cards[facet.codes == code]].tolist() for code, value in enumerate(facet.values)}
            for name, facet in self._facets.items()
        }

    def _order(self, ranks: np.ndarray, sort: Sort) -> np.ndarray:
        import numpy as np

        by_name = np.arange(len(ranks))
        if sort == "size":
            return np.lexsort((by_name, self._sizes))
        return np.lexsort((by_name, -self._epochs)) if sort == "date" else np.lexsort((by_name, -self._epochs, ranks))

    def _ranks(self, reader: Reader, words: Sequence[str]) -> np.ndarray:
        """How well each card fits the words, the best first, as `hubclient.catalog.search` has it."""
        import numpy as np

        if not words:
            # Nothing is asked for yet: what can be used comes first.
            return np.where(self._facets["opens"].fitting(frozenset({_YES}), len(self._numbers)), 0, 1)
        ranks = np.full(len(self._numbers), _NOWHERE, dtype=np.int64)
        found = word_ranks(reader, words)
        places = [self._places.get(number, -1) for number in found]
        known = np.array([(place, rank) for place, rank in zip(places, found.values(), strict=True) if place >= 0], dtype=np.int64)
        if len(known):
            ranks[known[:, 0]] = known[:, 1]
        wanted = "_".join(words).casefold()
        start = bisect.bisect_left(self._names, (wanted, -1))
        while start < len(self._names) and self._names[start][0].startswith(wanted):
            name, place = self._names[start]
            if ranks[place] < _NOWHERE:
                ranks[place] = _EXACT if name == wanted else _PREFIX
            start += 1
        return ranks


_OUTLINES = """
SELECT card.id, name, language, version, epoch_ms, annotator, tasks, json_extract(facts, '$.size_mb'),
       json_extract(facts, '$.hf_origins[0]')
FROM card JOIN facts USING (id)
"""


def _size(megabytes: float | None) -> str:
    return _UNSAID if megabytes is None else next(name for name, most in SIZES.items() if megabytes <= most)


def _opens(annotator: str | None, can_open: CanOpen) -> str:
    return _UNSAID if annotator is None else _YES if can_open(annotator) else "no"


_VALUES: Mapping[FacetName, Callable[[tuple[Any, ...], CanOpen], Iterable[str]]] = MappingProxyType(
    {
        "task": lambda row, can_open: row[6].split(),
        "language": lambda row, can_open: (row[2],),
        "annotator": lambda row, can_open: (row[5] or _UNSAID,),
        "version": lambda row, can_open: (".".join(row[3].split(".")[:2]) or _UNSAID,),
        "origin": lambda row, can_open: (row[8].partition("/")[0],) if row[8] else (),
        "size": lambda row, can_open: (_size(row[7]),),
        "opens": lambda row, can_open: (_opens(row[5], can_open),),
    }
)
