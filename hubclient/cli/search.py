"""hub search"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hubclient.cli.options import CacheDir, Json, hub_for
from hubclient.cli.output import print_json, print_rows

_SHOWN = 3  # labels a card


def search(
    words: Annotated[list[str] | None, typer.Argument(metavar="WORD...", help="All must occur in the card; none lists every card.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Cards, at most.")] = 20,
    cache_dir: CacheDir = None,
    json: Json = False,
) -> None:
    """Find model cards by words.

    Names count more than titles and tags, these more than labels, prose least.
    """
    hub = hub_for(cache_dir)
    cards = hub.search(words or (), limit=limit)
    for problem in hub.catalog.problems:
        print(f"{problem.what} ({problem.where}): it is left out", file=sys.stderr)
    if json:
        for card in cards:
            print_json(card.to_dict())
        return
    rows = [
        (
            card.model_name,
            card.model_language,
            ".".join(map(str, card.version)) or "-",
            f"{card.size_mb:g} MB" if card.size_mb is not None else "-",
            _few(card.labels),
        )
        for card in cards
    ]
    print_rows(("name", "lang", "version", "size", "labels"), rows)


def _few(labels: tuple[str, ...]) -> str:
    more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
    return (", ".join(labels[:_SHOWN]) or "-") + more
