"""How the page answers: pages, and refusals that say what a HubError says."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from hubclient.errors import HubError, ResolutionError, SourceError, UsageError
from hubclient.web.shop import Shop

_STATUS: tuple[tuple[type[HubError], int], ...] = ((ResolutionError, 404), (UsageError, 400), (SourceError, 502))


def page(shop: Shop, name: str, status: int = 200, /, **said: Any) -> HTMLResponse:
    # What lies in the cache is of the moment: models are pulled and removed.
    return HTMLResponse(shop.pages.get_template(name).render(said), status, {"cache-control": "no-store"})


def failure(shop: Shop, request: Request, error: HubError) -> Response:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    if request.url.path.startswith("/api/"):
        return JSONResponse({"what": error.what, "why": error.why, "hint": error.hint}, status)
    return page(shop, "error.html", status, here="", error=error, title="Not found" if status == 404 else "That did not work")
