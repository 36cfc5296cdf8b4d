"""The store page: what is in the cache, when it was last used, whether it is whole, and taking it out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel

from hubclient.check.last import read_last
from hubclient.errors import InvalidReference, UnknownModel
from hubclient.names import CardReference
from hubclient.store import Entry, Name
from hubclient.web.answers import page
from hubclient.web.look import model_address
from hubclient.web.shop import Shop
from hubclient.wording import human_size

_MOST_CELLS = 2_000


@dataclass(frozen=True)
class Stored:
    """A row of the page; a damaged model has no size, and nobody knows when it was used."""

    identity: str
    name: str
    language: str
    version: str
    size: str
    used: str
    since: str
    address: str | None
    whole: bool


class Which(BaseModel):
    identity: str


def router(shop: Shop) -> APIRouter:
    routes = APIRouter()
    store = shop.hub.store

    @routes.get("/store", response_class=HTMLResponse)
    def shelf() -> Response:
        rows = sorted((_row(name, store.find(name.identity)) for name in store.names()), key=lambda row: (row.name, row.language))
        total = human_size(sum(holding.size for holding in store.holdings()))
        return page(shop, "store.html", here="store", rows=rows, total=total, folder=str(store.root), check=_check(shop))

    @routes.post("/api/verify")
    def verify(which: Which) -> Response:
        findings = store.verify(_name(shop, which.identity))
        return JSONResponse({"findings": [f"{finding.file} {finding.problem}" for finding in findings]})

    @routes.post("/api/remove")
    def remove(which: Which) -> Response:
        name = _name(shop, which.identity)
        shop.models.forget(store.folder_of(name))
        return JSONResponse({"freed": human_size(store.remove([name]))})

    return routes


def _name(shop: Shop, identity: str) -> Name:
    name = next((name for name in shop.hub.store.names() if name.identity == identity), None)
    if name is None:
        raise UnknownModel("the model is not in the store any more", hint="load the page again")
    return name


def _row(name: Name, entry: Entry | None) -> Stored:
    own = name.own
    called, language = str(own.get("name") or name.identity), str(own.get("language") or "")
    version = str(own.get("lib_version") or "")
    # A model that came by its own address has a name, and no card of that name need be the same model.
    address = model_address(called, language) if language and name.identity.startswith("s3://") else None
    size, used = (human_size(entry.size), _day(entry.used)) if entry else ("", "")
    return Stored(name.identity, called, language, version, size, used, _day(name.stored), address, entry is not None)


def _check(shop: Shop) -> dict[str, Any] | None:
    """The last availability check: what needs attention first, then as much of the rest as can be looked at."""
    last = read_last(shop.hub.settings.cache_dir)
    if last is None:
        return None
    ordered = sorted(last.checked, key=lambda one: one.verdict == "available")
    cells = [{**vars(one), "address": _address(shop, one.reference)} for one in ordered[:_MOST_CELLS]]
    counts = sorted(last.counts.items(), key=lambda count: -count[1])
    when = f"{last.started:%Y-%m-%d %H:%M} UTC"
    return {"when": when, "level": last.level, "counts": counts, "cells": cells, "left": len(ordered) - len(cells)}


def _address(shop: Shop, reference: str) -> str | None:
    try:
        parsed = shop.hub.parse(reference)
    except InvalidReference:
        return None
    if not isinstance(parsed, CardReference) or parsed.language is None:
        return None
    return model_address(parsed.name, parsed.language)


def _day(time: datetime) -> str:
    return time.date().isoformat()
