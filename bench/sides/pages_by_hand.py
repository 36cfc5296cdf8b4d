"""CARDS CACHE ASKED.json: the same pages with the least that is needed, behind the same web server: SQL on the index, and the page's own
template, filled with values that lie ready. Prints its address."""

from __future__ import annotations

import json
import socket
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from threading import local
from typing import TYPE_CHECKING
from urllib.parse import quote

import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from hubclient import Hub
from hubclient.portrait import portrait
from hubclient.settings import Settings
from hubclient.web.look import Look, found
from hubclient.web.portrayal import portrayed
from hubclient.web.shop import environment

if TYPE_CHECKING:
    from starlette.requests import Request

_WORDS = "CREATE TEMP TABLE hit AS SELECT rowid AS id FROM words WHERE words MATCH ?"
_ALL = "CREATE TEMP TABLE hit AS SELECT id FROM card"
# What the page shows of a search: the first cards, and a count for each value of its facets.
_SHOWN = "SELECT card.name, facts.facts FROM hit JOIN card USING (id) JOIN facts USING (id) ORDER BY card.epoch_ms DESC LIMIT 24"
_FACETS = ("tasks", "language", "annotator", "version")
_MODEL = "SELECT facts FROM card JOIN facts USING (id) WHERE name = ?"

Page = Callable[[sqlite3.Connection], str]


def main() -> None:
    cards, cache, asked = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(Path(sys.argv[3]).read_text(encoding="utf-8"))
    hub = Hub(settings=Settings(cache_dir=cache, card_folders=(cards,), live_index=None), progress=False)
    # What all pages are told is of no matter here.
    pages = environment({"token": "", "static_site": False, "static": "/static/", "home": "/"})
    searches = {words: _search(hub, pages.get_template("found.html").render, words) for words in asked["searches"]}
    models = {(language, name): _model(hub, pages.get_template("model.html").render, language, name) for language, name in asked["models"]}
    (index,) = (cache / "catalogue").glob("index-*.sqlite")
    kept = local()

    def connection() -> sqlite3.Connection:
        if not hasattr(kept, "connection"):
            kept.connection = sqlite3.connect(f"{index.as_uri()}?mode=ro", uri=True)
        known: sqlite3.Connection = kept.connection
        return known

    def search(request: Request) -> HTMLResponse:
        return HTMLResponse(searches[request.query_params.get("q", "")](connection()))

    def model(request: Request) -> HTMLResponse:
        return HTMLResponse(models[request.path_params["language"], request.path_params["name"]](connection()))

    app = Starlette(routes=[Route("/search", search), Route("/model/{language}/{name}", model)])
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])


def _search(hub: Hub, render: Callable[..., str], words: str) -> Page:
    said = found(hub.catalog, Look(words), "/")

    def page(connection: sqlite3.Connection) -> str:
        connection.execute(_WORDS if words else _ALL, [" AND ".join(f'"{word}"*' for word in words.split())] if words else [])
        connection.execute("SELECT count(*) FROM hit").fetchone()
        connection.execute(_SHOWN).fetchall()
        for facet in _FACETS:
            connection.execute(f"SELECT {facet}, count(*) FROM hit JOIN card USING (id) GROUP BY {facet}").fetchall()
        connection.execute("DROP TABLE hit")
        return render(said)

    return page


def _model(hub: Hub, render: Callable[..., str], language: str, name: str) -> Page:
    seen = portrait(hub, f"{language}/{name}")
    said = portrayed(seen, hub.catalog.meant(name), hub.explain(f"{language}/{name}"))
    path = Path(seen.card.path) if seen.card and seen.card.path else None

    def page(connection: sqlite3.Connection) -> str:
        for (facts,) in connection.execute(_MODEL, [name]).fetchall():
            json.loads(facts)
        if path:
            path.read_text(encoding="utf-8")
        return render(said, here="", candidates=(), notebook=f"/notebook?ref={quote(name)}")

    return page


if __name__ == "__main__":
    main()
