"""The search index of a site of files: what a browser needs to search as `hubclient.catalog` does, in parts that are fetched when needed.

Strategy: cards are numbered by age, the newest first, and lists of numbers are written as the gaps between them. `search.json` has the
facets; `rows-N.json` what is shown of 64 cards; `words-N.json` the words that begin alike, each with the cards that have it in the name,
elsewhere in the title, and elsewhere; `names-N.json` the names that begin alike. All of it is JSON, which every host serves compressed.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubclient.catalog import Catalog
from hubclient.catalog.gallery import Wish
from hubclient.convert.annotators import can_open
from hubclient.web.look import FIRST, MORE, PAGE, TITLES, Row, row_of

MAIN = "search.json"
_ROWS = 64
_BEGINNING = 2  # letters that the words, and the names, of one file have in common
_RANKS = {"name": 0, "title": 1}
_ELSEWHERE = 2


@dataclass(frozen=True)
class SiteIndex:
    """`places`: by number in the catalogue, where the card stands by age. `addresses`: by name and language."""

    catalog: Catalog
    numbers: tuple[int, ...]
    address: Callable[[str, str, str], str]

    def files(self) -> Iterator[tuple[str, Any]]:
        """Each file's name, and what is in it."""
        rows = [self._row(number) for number in self.numbers]
        for start in range(0, len(rows), _ROWS):
            yield f"rows-{start // _ROWS}.json", [_said(row) for row in rows[start : start + _ROWS]]
        places = {number: place for place, number in enumerate(self.numbers)}
        words = _shards(self._words(places).items())
        names = _shards((row.name.casefold(), place) for place, row in enumerate(rows))
        for kind, shards in (("words", words), ("names", names)):
            for number, (_, content) in enumerate(shards):
                yield f"{kind}-{number}.json", content
        yield "sizes.json", _places(self._glanced("size"), places)
        yield MAIN, self._main(places, [beginning for beginning, _ in words], [beginning for beginning, _ in names])

    def _row(self, number: int) -> Row:
        (known,) = self.catalog.numbered([number])
        return row_of(known.card, self.address(known.card.model_name, known.card.model_language, ""))

    def _glanced(self, sort: str) -> tuple[int, ...]:
        return self.catalog.glance(Wish(sort="size" if sort == "size" else "date"), can_open=can_open).numbers

    def _words(self, places: Mapping[int, int]) -> dict[str, list[list[int]]]:
        """By word, the cards by where they have it first: in the name, the title, elsewhere."""
        ranks: dict[str, dict[int, int]] = defaultdict(dict)
        for word, column, number in self.catalog.words():
            if (place := places.get(number)) is not None:
                rank = _RANKS.get(column, _ELSEWHERE)
                ranks[word][place] = min(rank, ranks[word].get(place, rank))
        return {
            word: [_gaps(place for place, rank in found.items() if rank == wanted) for wanted in range(3)] for word, found in ranks.items()
        }

    def _main(self, places: Mapping[int, int], words: list[str], names: list[str]) -> dict[str, Any]:
        facets = [
            {
                "name": name,
                "title": TITLES[name],
                "values": [[value, _gaps(_places(held, places))] for value, held in sorted(values.items())],
            }
            for name, values in self.catalog.holders(can_open=can_open).items()
        ]
        shown = {"page": PAGE, "first": FIRST, "more": MORE, "rows": _ROWS, "beginning": _BEGINNING}
        return {"cards": len(self.numbers), **shown, "facets": facets, "words": words, "names": names}


def site_index(catalog: Catalog, address: Callable[[str, str, str], str]) -> SiteIndex:
    return SiteIndex(catalog, catalog.glance(Wish(sort="date"), can_open=can_open).numbers, address)


def write_index(index: SiteIndex, folder: Path) -> None:
    for name, content in index.files():
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        (folder / name).write_text(text.encode(errors="replace").decode(), encoding="utf-8")


def _said(row: Row) -> list[Any]:
    """In the order in which `site.js` takes it apart."""
    shown = row.title if row.title != row.name else None
    return [row.name, row.language, row.address, shown, row.task, row.version, row.date, row.size, row.opens, row.labels, row.more_labels]


def _shards(entries: Iterable[tuple[str, Any]]) -> list[tuple[str, list[list[Any]]]]:
    """What begins alike together, in order; each entry with its whole word."""
    shards: dict[str, list[list[Any]]] = defaultdict(list)
    for word, content in entries:
        shards[word[:_BEGINNING]].append([word, content])
    return [(beginning, sorted(shards[beginning], key=lambda entry: str(entry[0]))) for beginning in sorted(shards)]


def _places(numbers: Iterable[int], places: Mapping[int, int]) -> list[int]:
    return [places[number] for number in numbers if number in places]


def _gaps(places: Iterable[int]) -> list[int]:
    """
    >>> _gaps([7, 3, 4])
    [3, 1, 3]
    """
    ordered = sorted(places)
    return [place - before for before, place in zip([0, *ordered], ordered, strict=False)]
