"""hub site build"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hubclient.cli.options import CacheDir, Json, hub_for
from hubclient.cli.output import counting, human_size, print_json

app = typer.Typer(no_args_is_help=True, help="The catalogue as a web site.")


@app.command()
def build(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder to make.")],
    cards: Annotated[
        list[Path] | None, typer.Option("--cards", metavar="FOLDER", help="Cards to show beside those that are known.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a site that was built there before.")] = False,
    cache_dir: CacheDir = None,
    json: Json = False,
) -> None:
    """Write the search page and a page for every card, as files to host anywhere.

    The search is done by the browser, which fetches the parts of the index that it needs. Nothing is taken from the cache: the site is the
    same on every machine that knows the same cards.
    """
    from hubclient.cli.ui import with_cards
    from hubclient.web.server import require_web

    require_web("hub site")
    from hubclient.web.site import build_site

    hub = with_cards(hub_for(cache_dir), cards or [])
    with counting("cards") as advance:
        built = build_site(hub, folder.absolute(), force=force, advance=advance)
    print(f"{built.pages:,} pages, {human_size(built.bytes)}", file=sys.stderr)
    if json:
        print_json({"path": str(folder), "pages": built.pages, "bytes": built.bytes})
    else:
        print(folder)
