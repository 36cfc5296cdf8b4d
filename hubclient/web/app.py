"""The web application: its pages and what they ask for, behind the door."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles

from hubclient.errors import HubError, UnknownModel
from hubclient.hub import Hub
from hubclient.web import demo, models, shelf, texts
from hubclient.web.answers import failure
from hubclient.web.guard import Door, Guard
from hubclient.web.shop import FOLDER, open_shop


def create_app(hub: Hub, door: Door) -> FastAPI:
    shop = open_shop(hub, door)
    # The framework's own pages of documentation would fetch scripts from elsewhere.
    app = FastAPI(title="hubclient", docs_url=None, redoc_url=None, openapi_url=None)
    for part in (models, demo, texts, shelf):
        app.include_router(part.router(shop))
    app.mount("/static", StaticFiles(directory=FOLDER / "static"))

    async def told(request: Request, error: Exception) -> Response:
        assert isinstance(error, HubError)
        return failure(shop, request, error)

    async def missing(request: Request, error: Exception) -> Response:
        return failure(shop, request, UnknownModel("there is no such page", hint="search for a model"))

    handlers: dict[type[Exception] | int, Callable[[Request, Exception], Awaitable[Response]]] = {HubError: told, 404: missing}
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
    app.add_middleware(Guard, door=door)
    return app
