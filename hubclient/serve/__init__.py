"""Classifiers behind HTTP, for one's own machine or cluster: what `hub serve` runs."""

from __future__ import annotations

from hubclient.errors import MissingExtra

try:
    import fastapi  # noqa: F401
    import httptools  # noqa: F401
    import prometheus_client  # noqa: F401
    import uvicorn  # noqa: F401
except ImportError as error:
    raise MissingExtra("serve", "the server") from error

from hubclient.serve.app import make_app
from hubclient.serve.desk import Desk
from hubclient.serve.limits import Limits
from hubclient.serve.run import run

__all__ = ["Desk", "Limits", "make_app", "run"]
