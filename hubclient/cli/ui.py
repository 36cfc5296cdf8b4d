"""hub ui"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hubclient.cli.options import CacheDir, Offline, hub_for


def ui(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Where the page is served; 0: any that is free.")] = 8765,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Of this machine. Others can reach the page only if it is not 127.0.0.1.")
    ] = "127.0.0.1",
    name: Annotated[list[str] | None, typer.Option("--name", metavar="HOST", help="How else the page is called.")] = None,
    cards: Annotated[
        list[Path] | None, typer.Option("--cards", metavar="FOLDER", help="Cards to show beside those that are known.")
    ] = None,
    open: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    cache_dir: CacheDir = None,
    offline: Offline = False,
) -> None:
    """Show the models as a page in the browser: search, cards, live demo, store.

    It runs on this machine alone, until it is interrupted, and asks nobody for anything until a model is pulled.
    """
    from dataclasses import replace

    from hubclient.errors import UsageError
    from hubclient.hub import Hub
    from hubclient.web.server import serve

    hub = hub_for(cache_dir, offline)
    for folder in cards or ():
        if not folder.is_dir():
            raise UsageError(f"there is no folder '{folder}'", hint="--cards takes folders of cards")
    folders = (*hub.settings.card_folders, *(folder.absolute() for folder in cards or ()))
    hub = Hub(settings=replace(hub.settings, card_folders=folders), progress=False)

    def started(address: str) -> None:
        print(address, flush=True)
        if open:
            import webbrowser

            webbrowser.open(address)

    serve(hub, host=host, port=port, names=tuple(name or ()), started=started)
