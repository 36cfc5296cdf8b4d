"""The store page: what is in the cache, whether it is whole, and taking it out."""

from __future__ import annotations

import os
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel

from hubclient.errors import UnknownModel
from hubclient.store import Entry
from hubclient.store.entry import MARKER
from hubclient.web.answers import page
from hubclient.web.look import model_address
from hubclient.web.shop import Shop
from hubclient.wording import date_of, human_size


@dataclass(frozen=True)
class Stored:
    """A row of the page."""

    identity: str
    name: str
    language: str
    version: str
    size: str
    since: str
    address: str | None


class Which(BaseModel):
    identity: str


def router(shop: Shop) -> APIRouter:
    routes = APIRouter()

    @routes.get("/store", response_class=HTMLResponse)
    def store() -> Response:
        entries = shop.hub.store.entries()
        rows = sorted(map(_row, entries), key=lambda row: (row.name, row.language, row.version))
        total = human_size(sum(entry.size for entry in entries))
        return page(shop, "store.html", here="store", rows=rows, total=total, folder=str(shop.hub.store.root))

    @routes.post("/api/verify")
    def verify(which: Which) -> Response:
        findings = shop.hub.store.verify(_entry(shop, which.identity))
        return JSONResponse({"findings": [f"{finding.file} {finding.problem}" for finding in findings]})

    @routes.post("/api/remove")
    def remove(which: Which) -> Response:
        entry = _entry(shop, which.identity)
        shop.models.forget(entry.path)
        return JSONResponse({"freed": human_size(shop.hub.store.remove(entry))})

    return routes


def _entry(shop: Shop, identity: str) -> Entry:
    entry = shop.hub.store.find(identity)
    if entry is None:
        raise UnknownModel("the model is not in the store any more", hint="load the page again")
    return entry


def _row(entry: Entry) -> Stored:
    manifest = entry.manifest
    name, language = str(manifest.get("name") or entry.identity), str(manifest.get("language") or "")
    # A model that came by its own address has a name, and no card of that name need be the same model.
    address = model_address(name, language) if language and entry.identity.startswith("s3://") else None
    since = date_of(int(os.stat(entry.path / MARKER).st_mtime * 1000))
    return Stored(entry.identity, name, language, str(manifest.get("lib_version") or ""), human_size(entry.size), since, address)
