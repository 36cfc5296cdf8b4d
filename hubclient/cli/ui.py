"""hub ui"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hubclient.cli.options import CacheDir, Offline, hub_for

if TYPE_CHECKING:
    from hubclient.hub import Hub


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
    from hubclient.web.server import serve

    hub = with_cards(hub_for(cache_dir, offline), cards or [])

    def started(address: str) -> None:
        print(address, flush=True)
        if open:
            import webbrowser

            webbrowser.open(address)

    serve(hub, host=host, port=port, names=tuple(name or ()), started=started)


def with_cards(hub: Hub, folders: Sequence[Path]) -> Hub:
    """The hub that knows the cards of these folders too. Raises UsageError."""
    from dataclasses import replace

    from hubclient.errors import UsageError
    from hubclient.hub import Hub

    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"there is no folder '{folder}'", hint="--cards takes folders of cards")
    known = (*hub.settings.card_folders, *(folder.absolute() for folder in folders))
    return Hub(settings=replace(hub.settings, card_folders=known), progress=False)
