"""The search page, the model page, and a model as a notebook."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from hubclient.errors import InvalidReference
from hubclient.names import AddressReference, CardReference, HubReference
from hubclient.notebook import Subject, notebook
from hubclient.portrait import Portrait, portrait
from hubclient.snippets import CANDIDATES
from hubclient.web.answers import page
from hubclient.web.look import Look, found
from hubclient.web.portrayal import portrayed
from hubclient.web.shop import Shop


def router(shop: Shop) -> APIRouter:
    routes = APIRouter()

    @routes.get("/", response_class=HTMLResponse)
    def search(request: Request) -> Response:
        return page(shop, "search.html", here="models", all=_known(shop), **_found(shop, request))

    @routes.get("/search", response_class=HTMLResponse)
    def results(request: Request) -> Response:
        """The part of the search page that changes."""
        return page(shop, "found.html", **_found(shop, request))

    @routes.get("/model/{language}/{name}", response_class=HTMLResponse)
    def model(language: str, name: str, version: str | None = None) -> Response:
        return _model(shop, f"{language}/{name}", version)

    @routes.get("/open", response_class=HTMLResponse)
    def anything(ref: str) -> Response:
        """A Hugging Face repository, or an archive by its address."""
        return _model(shop, checked(shop, ref), None)

    @routes.get("/notebook")
    def as_notebook(ref: str) -> Response:
        subject = seen(shop, ref)
        content = notebook(Subject(subject.reference, subject.card, subject.task or "text-classification", subject.labels))
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", str(subject.reference))
        headers = {"content-disposition": f'attachment; filename="{name}.ipynb"'}
        return Response(content, media_type="application/x-ipynb+json", headers=headers)

    return routes


def checked(shop: Shop, ref: str) -> str:
    """A page's address may be written by anybody: it names no files of this machine. Raises InvalidReference."""
    if not isinstance(shop.hub.parse(ref), CardReference | HubReference | AddressReference):
        raise InvalidReference("a page cannot name a file of this machine", hint="hub predict opens it")
    return ref


def seen(shop: Shop, ref: str) -> Portrait:
    return portrait(shop.hub, checked(shop, ref))


def _model(shop: Shop, ref: str, version: str | None) -> Response:
    # The index is asked once: all that the page tells follows from its answer.
    explanation = shop.hub.explain(ref, version=version)
    seen = portrait(shop.hub, ref, version=version, chosen=explanation.card)
    told = explanation.deliberation
    said = portrayed(seen, [candidate.known for candidate in told.candidates] if told else [], explanation)
    return page(shop, "model.html", here="", candidates=CANDIDATES, notebook=f"/notebook?ref={quote(str(seen.reference))}", **said)


def _found(shop: Shop, request: Request) -> dict[str, Any]:
    if shop.clock.is_time():
        shop.hub.catalog.refresh()
    return found(shop.hub.catalog, Look.of(request.query_params.multi_items()), "/", _stored(shop))


def _known(shop: Shop) -> int:
    return sum(count.cards for count in shop.hub.catalog.counts())


def _stored(shop: Shop) -> frozenset[tuple[str, str]]:
    """Name and language of what is in the store."""
    owns = (entry.name.own for entry in shop.hub.store.entries())
    return frozenset((str(own.get("name")), str(own.get("language"))) for own in owns)
