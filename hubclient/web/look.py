"""The search page: what is asked in its address, and what it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, get_args
from urllib.parse import quote, urlencode

from hubclient.cards import Card
from hubclient.catalog import Catalog
from hubclient.catalog.gallery import FACETS, FacetName, Glance, Sort, Wish
from hubclient.catalog.layer import dotted
from hubclient.catalog.tasks import tasks_of
from hubclient.convert.annotators import can_open
from hubclient.errors import UsageError
from hubclient.wording import date_of, megabytes

# Where the page of a model is: of a name, a language, and a version unless it is the current one.
Address = Callable[[str, str, str], str]
PAGE = 24
_LABELS = 5
FIRST, MORE = 7, 60  # values of a facet: at once, and on demand
_WORDS = 20
TITLES: Mapping[FacetName, str] = MappingProxyType(
    {
        "task": "Task",
        "language": "Language",
        "annotator": "Annotator",
        "version": "Library version",
        "origin": "Hugging Face owner",
        "size": "Size",
        "opens": "Opens here",
    }
)


@dataclass(frozen=True)
class Look:
    """What the address asks for."""

    query: str = ""
    chosen: Mapping[FacetName, tuple[str, ...]] = field(default_factory=dict)
    sort: Sort = "relevance"
    page: int = 1

    @classmethod
    def of(cls, asked: Iterable[tuple[str, str]]) -> Look:
        """From the address's parameters; those that mean nothing are left out. Raises UsageError."""
        pairs = list(asked)
        said = dict(pairs)
        chosen = {name: tuple(dict.fromkeys(value for key, value in pairs if key == name and value)) for name in FACETS}
        orders: tuple[Sort, ...] = get_args(Sort)
        sort = next((sort for sort in orders if sort == said.get("sort")), orders[0])
        page = said.get("page", "1")
        if not (page.isascii() and page.isdigit() and 0 < int(page[:7]) < 1_000_000):
            raise UsageError(f"there is no page '{page[:20]}'", hint="pages are counted from 1")
        query = said.get("q", "").strip()[:500]
        return cls(query, {name: values for name, values in chosen.items() if values}, sort, int(page))

    def wish(self) -> Wish:
        chosen = {name: frozenset(values) for name, values in self.chosen.items()}
        return Wish(tuple(self.query.split()[:_WORDS]), chosen, self.sort)

    def address(self) -> str:
        """The parameters, `?` first; nothing for the page as it opens."""
        pairs = [("q", self.query)] if self.query else []
        pairs += [(name, value) for name, values in self.chosen.items() for value in values]
        pairs += [("sort", self.sort)] if self.sort != "relevance" else []
        pairs += [("page", str(self.page))] if self.page > 1 else []
        return f"?{urlencode(pairs)}" if pairs else ""


@dataclass(frozen=True)
class Row:
    """What is shown of a card that was found."""

    name: str
    language: str
    address: str
    title: str | None
    task: str
    version: str
    date: str
    size: str
    opens: str
    labels: tuple[str, ...]
    more_labels: int
    stored: bool = False


def row_of(card: Card, address: str, *, stored: bool = False) -> Row:
    tasks = tasks_of(card)
    return Row(
        card.model_name,
        card.model_language,
        address,
        card.title,
        tasks[0].replace("-", " ") if tasks else "",
        dotted(card.version),
        card.date or (date_of(card.epoch_ms) if card.epoch_ms else ""),
        megabytes(card.size_mb) if card.size_mb is not None else "",
        opens(card),
        tuple(label for label in card.labels[:_LABELS] if label),
        max(0, len(card.labels) - _LABELS),
        stored,
    )


def opens(card: Card) -> str:
    return "not said" if card.annotator is None else "yes" if can_open(card.annotator) else "no"


def model_address(name: str, language: str, version: str = "") -> str:
    return f"/model/{quote(language)}/{quote(name)}" + (f"?version={quote(version)}" if version else "")


def found(
    catalog: Catalog, look: Look, home: str, stored: frozenset[tuple[str, str]] = frozenset(), address: Address = model_address
) -> dict[str, Any]:
    """What the template `found.html` is told."""
    glance = catalog.glance(look.wish(), can_open=can_open)
    start = (look.page - 1) * PAGE
    cards = [known.card for known in catalog.numbered(glance.numbers[start : start + PAGE])]
    rows = [
        row_of(card, address(card.model_name, card.model_language, ""), stored=(card.model_name, card.model_language) in stored)
        for card in cards
    ]
    total = len(glance.numbers)
    return {
        "query": look.query,
        "sort": look.sort,
        "total": total,
        "rows": rows,
        "facets": facets(glance, look),
        "near": catalog.near("_".join(look.query.split())) if look.query and not total else (),
        "clear": home + replace(look, chosen={}, page=1).address() if look.chosen else None,
        "earlier": home + replace(look, page=look.page - 1).address() if look.page > 1 else None,
        "later": home + replace(look, page=look.page + 1).address() if start + PAGE < total else None,
        "place": f"{min(start + 1, total):,} to {min(start + PAGE, total):,} of {total:,}",
    }


def facets(glance: Glance, look: Look) -> list[dict[str, Any]]:
    return [_facet(name, glance.counts[name], look.chosen.get(name, ())) for name in FACETS]


def _facet(name: FacetName, counts: Sequence[tuple[str, int]], chosen: Sequence[str]) -> dict[str, Any]:
    """What is chosen stands first, even where nothing more would be found by it."""
    known = dict(counts)
    ordered = [*chosen, *(value for value, _ in counts if value not in chosen)]
    values = [
        {
            "value": value,
            "shown": value.replace("-", " ") if name == "task" else value,
            "count": known.get(value, 0),
            "chosen": value in chosen,
        }
        for value in ordered[: FIRST + MORE]
    ]
    first = max(FIRST, len(chosen))
    return {
        "name": name,
        "title": TITLES[name],
        "first": values[:first],
        "more": values[first:],
        "left": max(0, len(ordered) - len(values)),
    }
