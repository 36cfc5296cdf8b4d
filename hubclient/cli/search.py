"""hub search"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from hubclient.cli.options import CacheDir, Json, hub_for
from hubclient.cli.output import print_json, print_problems, print_rows

if TYPE_CHECKING:
    from hubclient.cards import Card

_SHOWN = 3  # labels a card
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]?)i?B?", re.IGNORECASE)
_MEGABYTES = {"K": 1 / 1024, "": 1, "M": 1, "G": 1024}


def search(
    words: Annotated[list[str] | None, typer.Argument(metavar="WORD...", help="All must begin a word of the card; none lists all.")] = None,
    task: Annotated[str | None, typer.Option("--task", metavar="TASK", help="As on the card or the Hub: text-classification.")] = None,
    lang: Annotated[str | None, typer.Option("--lang", "-l", metavar="CODE", help="The card's language.")] = None,
    annotator: Annotated[str | None, typer.Option("--annotator", metavar="CLASS", help="Spark NLP's class of the model.")] = None,
    label: Annotated[str | None, typer.Option("--label", metavar="LABEL", help="One of the labels on the card.")] = None,
    max_size: Annotated[str | None, typer.Option("--max-size", metavar="SIZE", help="Of the archive, at most: 500MB, 1.5GB.")] = None,
    origin: Annotated[str | None, typer.Option("--origin", metavar="OWNER[/REPO]", help="Where it came from on Hugging Face.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Cards, at most.")] = 20,
    cache_dir: CacheDir = None,
    json: Json = False,
) -> None:
    """Find model cards by words and facts.

    First the card of that name, then names that begin so, then words in the name, the title, the labels and tags; the newest first. The
    column 'opens' says whether hubclient can open the model ('?': the card does not tell).
    """
    hub = hub_for(cache_dir)
    cards = hub.search(
        words or (), task=task, lang=lang, annotator=annotator, label=label, max_size_mb=megabytes(max_size), origin=origin, limit=limit
    )
    print_problems(hub.catalog.problems)
    if not cards:
        near = hub.catalog.near("_".join(words)) if words else []
        print("no card matches" + (f"; names like it: {', '.join(near)}" if near else ""), file=sys.stderr)
    if json:
        for card in cards:
            print_json({**card.to_dict(), "opens": _opens(card)})
        return
    print_rows(("name", "lang", "version", "size", "opens", "labels"), [_row(card) for card in cards])


def _row(card: Card) -> tuple[str, ...]:
    size = f"{card.size_mb:,.1f} MB" if card.size_mb is not None else "-"
    opens = {True: "yes", False: "no", None: "?"}[_opens(card)]
    return (card.model_name, card.model_language, ".".join(map(str, card.version)) or "-", size, opens, _few(card.labels))


def _opens(card: Card) -> bool | None:
    """None where the card names no annotator: then the archive decides."""
    from hubclient.convert.annotators import can_open

    return can_open(card.annotator) if card.annotator else None


def _few(labels: tuple[str, ...]) -> str:
    more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
    return (", ".join(labels[:_SHOWN]) or "-") + more


def megabytes(written: str | None) -> float | None:
    """In the cards' unit, 1024 * 1024 bytes; without a unit it is that one."""
    if written is None:
        return None
    match = _SIZE.fullmatch(written.strip())
    if not match:
        raise typer.BadParameter(f"'{written}' is not a size; write 500MB or 1.5GB", param_hint="--max-size")
    return float(match[1]) * _MEGABYTES[match[2].upper()]
