"""The server, from its first connection to its last answer."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from hubclient.errors import UsageError
from hubclient.serve.app import make_app
from hubclient.serve.desk import Desk
from hubclient.serve.protocol import protocol_with

_BACKLOG = 2048
_KEEP_ALIVE = 15


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, desk: Desk, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._desk, self._ready = desk, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._desk.closing = True
        await super().shutdown(sockets)


def run(desk: Desk, *, host: str = "127.0.0.1", port: int = 8000, ready: Callable[[str], None] = lambda address: None) -> None:
    """Serve until SIGTERM or SIGINT, answer what was asked, and return; a second SIGINT waits for nothing. `ready` is told the address.

    port: 0 for any that is free. Raises UsageError.
    """
    listener = bind(host, port)
    config = uvicorn.Config(
        make_app(desk),
        http=protocol_with(desk.limits),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=desk.limits.connections,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=int(desk.limits.stop_seconds),
    )
    address = address_of(listener)
    with _signals_end_nothing_else(), listener:
        asyncio.run(_Server(config, desk, lambda: ready(address)).serve([listener]))


def bind(host: str, port: int) -> socket.socket:
    """Raises UsageError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        hint = "choose another with --port; 0 takes any that is free"
        raise UsageError("the server cannot listen there", where=f"{host}:{port}", why=why, hint=hint) from error


def address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _signals_end_nothing_else() -> Iterator[None]:
    """uvicorn ends at a signal, and then sends it to the process once more: it has done what it is for by then."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in HANDLED_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
