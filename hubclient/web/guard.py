"""Who may ask the page, and what its answers may do in a browser.

The page acts for the person at this machine, and any site in their browser can send requests here. So: a request must be for one of our own
names (else another name was made to lead here, DNS rebinding); what another site's page fetches is refused; and whatever changes something
must come from a page of ours, which alone knows the token.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

TOKEN_HEADER = "x-hub-token"  # noqa: S105 - the header's name
_READING = ("GET", "HEAD")
# Nothing but our own files, no inline code; nobody may frame the page, and forms lead nowhere else.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = (
    ("content-security-policy", _POLICY),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
)


@dataclass(frozen=True)
class Door:
    """`hosts`: how the page is called, as in a Host header. `token`: known to its own pages, and new with every start."""

    hosts: frozenset[str]
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    def refusal(self, method: str, headers: Mapping[str, str]) -> str | None:
        """Why a request is not let in."""
        if headers.get("host", "").lower() not in self.hosts:
            return "this name does not lead here"
        if method in _READING:
            if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
                return "another site asked for this"
            return None
        origin = headers.get("origin")
        if origin is not None and origin not in {f"http://{host}" for host in self.hosts}:
            return "another site asked for this"
        if not secrets.compare_digest(headers.get(TOKEN_HEADER, "").encode(), self.token.encode()):
            return "the page is older than this server: load it again"
        return None


class Guard:
    """ASGI middleware: the door, and the headers of every answer."""

    def __init__(self, app: App, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        why = self._door.refusal(scope["method"], headers)

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = {name.lower() for name, _ in message.get("headers", ())}
                more = [(name.encode(), value.encode()) for name, value in _HEADERS if name.encode() not in known]
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        if why is None:
            await self._app(scope, receive, send_on)
            return
        await send_on({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain; charset=utf-8")]})
        await send_on({"type": "http.response.body", "body": f"{why}\n".encode()})
