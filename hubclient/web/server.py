"""The page on a port of this machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from importlib import import_module

from hubclient.errors import MissingExtra, UsageError
from hubclient.hub import Hub

PORT = 8765
_LOCAL = ("127.0.0.1", "localhost", "[::1]")
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - told apart, not bound to


def serve(hub: Hub, *, host: str, port: int, names: tuple[str, ...] = (), started: Callable[[str], None]) -> None:
    """Serve until interrupted; `started` hears the page's address. `port` 0: any that is free. `names`: how else the page is called.

    Raises MissingExtra, UsageError for an address that cannot be had.
    """
    require_web("hub ui")
    import uvicorn

    from hubclient.web.app import create_app
    from hubclient.web.guard import Door

    with _listening(host, port) as listener:
        number = listener.getsockname()[1]
        own = (f"[{host}]" if ":" in host else host,) if host not in _EVERYWHERE else ()
        called = {f"{name}:{number}" for name in (*_LOCAL, *own, *names)}
        if number == 80:
            called |= {*_LOCAL, *own, *names}
        app = create_app(hub, Door(frozenset(called)))
        started(f"http://{own[0] if own else _LOCAL[0]}:{number}/")
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2, server_header=False)
        uvicorn.Server(config).run(sockets=[listener])


def require_web(needed_for: str) -> None:
    """Raises MissingExtra."""
    try:
        for name in ("fastapi", "jinja2", "markdown_it", "nh3", "uvicorn"):
            import_module(name)
    except ImportError as error:
        raise MissingExtra("web", needed_for) from error


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small answers at once (TCP_NODELAY) only over sockets that say that they are TCP; else each waits for 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        hint = "another program listens there: take another --port, or 0 for any" if port else None
        raise UsageError("the page cannot be served there", where=f"{host}:{port}", why=error.strerror or str(error), hint=hint) from error
    except OverflowError as error:
        listener.close()
        raise UsageError(f"{port} is not a port", hint="ports are numbers from 0 to 65535") from error
    return listener
