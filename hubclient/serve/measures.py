"""What is counted, for Prometheus."""

from __future__ import annotations

import time
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector, generate_latest

from hubclient import __version__
from hubclient.serve.desk import Desk

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Measures:
    def __init__(self, desk: Desk) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = Counter("hubclient_requests", "Requests answered", ["path", "status"], registry=self.registry)
        self.seconds = Histogram("hubclient_request_seconds", "From head to answer", ["path"], registry=self.registry, buckets=_BUCKETS)
        self.texts = Counter("hubclient_texts", "Texts answered", ["model"], registry=self.registry)
        Gauge("hubclient_texts_waiting", "Texts that wait or are worked on", registry=self.registry).set_function(lambda: desk.waiting)
        known = Gauge("hubclient_model", "Models that are served", ["model", "engine", "precision", "version"], registry=self.registry)
        for name, classifier in desk.models.items():
            known.labels(name, classifier.engine, classifier.precision, __version__).set(1)
            self.texts.labels(name)

    def text(self) -> bytes:
        return generate_latest(self.registry)


class Measured:
    """The application, with its requests counted. `paths`: those that are told apart."""

    def __init__(self, app: ASGIApp, measures: Measures, paths: frozenset[str]) -> None:
        self._app, self._measures, self._paths = app, measures, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, start = 500, time.perf_counter()

        async def told(message: Message) -> None:
            nonlocal status
            status = _status(message, status)
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            path = scope["path"] if scope["path"] in self._paths else "other"
            self._measures.requests.labels(path, str(status)).inc()
            self._measures.seconds.labels(path).observe(time.perf_counter() - start)


def _status(message: MutableMapping[str, Any], before: int) -> int:
    return int(message["status"]) if message["type"] == "http.response.start" else before
