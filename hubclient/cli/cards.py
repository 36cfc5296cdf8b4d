"""hub cards add, remove, list"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from hubclient.cli.options import CacheDir, Json, hub_for
from hubclient.cli.output import print_json, print_problems, print_rows

app = typer.Typer(no_args_is_help=True, help="Folders of model cards that hubclient knows.")

Folders = Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="A folder of cards, or a checkout that has docs/_posts.")]


@app.command()
def add(folders: Folders, cache_dir: CacheDir = None) -> None:
    """Know the cards of these folders from now on.

    They outrank those that come with hubclient; of several folders the last one counts most.
    """
    from hubclient.card_folders import CardFolders
    from hubclient.settings import config_dir

    kept = CardFolders(config_dir())
    for folder in folders:
        if not kept.add(folder):
            print(f"{folder} was there already", file=sys.stderr)
    _print_layers(cache_dir, {Path(os.path.abspath(folder)) for folder in folders})


@app.command()
def remove(folders: Folders) -> None:
    """Forget these folders; nothing in them is touched."""
    from hubclient.card_folders import CardFolders
    from hubclient.settings import config_dir

    kept = CardFolders(config_dir())
    for folder in folders:
        kept.remove(folder)


@app.command(name="list")
def list_(cache_dir: CacheDir = None, json: Json = False) -> None:
    """List what cards are known, the most telling folder last."""
    _print_layers(cache_dir, None, json)


def _print_layers(cache_dir: Path | None, only: set[Path] | None, json: bool = False) -> None:
    hub = hub_for(cache_dir)
    counts = [count for count in hub.catalog.counts() if only is None or count.layer.path in only]
    print_problems(hub.catalog.problems)
    if json:
        for count in counts:
            layer = count.layer
            print_json({"kind": layer.kind, "path": str(layer.path), "own": layer.own, "cards": count.cards, "broken": count.broken})
        return
    rows = [(f"{count.cards:,}", f"{count.broken:,}", "you" if count.layer.own else "hubclient", str(count.layer.path)) for count in counts]
    print_rows(("cards", "broken", "from", "path"), rows)
