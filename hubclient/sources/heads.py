"""The headers of very many addresses: HEAD requests over a few connections that are kept open.

Strategy: one thread, an event loop, and as little work for each answer as can be: an answer to HEAD has no body (RFC 9112, section 6.3), so
it ends with its headers. Only what is plain is settled here. Redirects, refusals, whatever is strange, and hosts behind a proxy are left
to the one client that knows all of that (`hubclient.sources.http`): for these there is no answer. It costs a second request for a few,
and spares nine tenths of the work for all others.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlsplit

from hubclient import __version__
from hubclient.sources import http
from hubclient.sources.manners import Manners

if TYPE_CHECKING:
    import ssl

K = TypeVar("K")

_CONNECT_SECONDS, _ANSWER_SECONDS = 10.0, 20.0
_MAX_HEAD = 1 << 16
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5]\d\d)(?: [^\r\n]*)?\r\n")
# Where so many in a row get no answer, the host has trouble of its own: the rest is left to those who wait and retry.
_PATIENCE = 20


@dataclass(frozen=True)
class Head:
    """`headers`: names in lower case."""

    status: int
    headers: Mapping[str, str]

    @property
    def length(self) -> int | None:
        told = self.headers.get("content-length", "")
        return int(told) if told.isdecimal() else None


Deliver = Callable[[K, Head | None], None]
"""Is told of each address by its key; None: it must be asked otherwise."""


def ask_heads(
    addresses: Iterable[tuple[K, str]], deliver: Deliver[K], *, jobs: int, manners: Manners, stopped: Callable[[], bool] = bool
) -> None:
    """Ask every address once, over at most `jobs` connections to each host. Returns when all were delivered, or `stopped` says so."""
    if asked := list(addresses):  # without any, no event loop is made
        asyncio.run(_ask(asked, deliver, jobs, manners, stopped))


async def _ask(addresses: Iterable[tuple[K, str]], deliver: Deliver[K], jobs: int, manners: Manners, stopped: Callable[[], bool]) -> None:
    by_origin: dict[tuple[str, str, int | None], deque[tuple[K, str]]] = {}
    for key, url in addresses:
        by_origin.setdefault(http.origin_of(url), deque()).append((key, url))
    async with asyncio.TaskGroup() as group:
        for waiting in by_origin.values():
            asking = _Origin(waiting, deliver, manners, stopped)
            for _ in range(min(jobs, len(waiting))):
                group.create_task(asking.work())


class _Origin(Generic[K]):
    """All addresses of one origin, and those who ask for them."""

    def __init__(self, waiting: deque[tuple[K, str]], deliver: Deliver[K], manners: Manners, stopped: Callable[[], bool]) -> None:
        self._waiting, self._deliver, self._manners, self._stopped = waiting, deliver, manners, stopped
        url = waiting[0][1]
        self._scheme, self._host, self._port = http.origin_of(url)
        self._direct = http.is_direct(url)
        self._tls: ssl.SSLContext | None = None
        self._failures = 0

    async def work(self) -> None:
        async with _closing_all() as streams:
            while self._waiting and not self._stopped():
                key, url = self._waiting.popleft()
                self._deliver(key, await self._answer(url, streams))

    async def _answer(self, url: str, streams: list[_Stream]) -> Head | None:
        if not self._direct or "@" in urlsplit(url).netloc or self._failures >= _PATIENCE:
            return None
        if (seconds := self._manners.turn(self._host)) > 0:
            await asyncio.sleep(seconds)
        # A connection that was kept may have been closed meanwhile: then a new one is worth a second attempt.
        for fresh in (False, True) if streams else (True,):
            with suppress(OSError, EOFError, ValueError):
                head = await self._exchange(url, streams, fresh=fresh)
                self._failures = 0
                return head
        self._failures += 1
        return None

    async def _exchange(self, url: str, streams: list[_Stream], *, fresh: bool) -> Head:
        stream = await self._connect() if fresh else streams[0]
        streams.clear()
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                head = await stream.head(url)
        except BaseException:
            stream.close()
            raise
        if stream.reusable:
            streams.append(stream)
        else:
            stream.close()
        return head

    async def _connect(self) -> _Stream:
        if self._scheme == "https" and self._tls is None:
            self._tls = http.tls_context()
        async with asyncio.timeout(_CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls, limit=_MAX_HEAD)
        return _Stream(reader, writer)


class _Stream:
    """One connection, for one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.reusable = True

    async def head(self, url: str) -> Head:
        """Raises OSError, EOFError or ValueError where there is no answer that can be read."""
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        request = (
            f"HEAD {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: hubclient/{__version__}\r\nAccept-Encoding: identity\r\n\r\n"
        )
        self._writer.write(request.encode("ascii"))
        head = await self._read()
        while head.status < 200:  # further ones follow (RFC 9110, section 15.2)
            head = await self._read()
        return head

    def close(self) -> None:
        self._writer.close()

    async def _read(self) -> Head:
        try:
            text = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError as error:
            raise ValueError("the headers are too long") from error
        match = _STATUS.match(text)
        if match is None:
            raise ValueError("this is no answer of HTTP")
        lines = text[match.end() : -4].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, colon, value in (line.partition(":") for line in lines) if colon}
        self.reusable = match[1] == b"1" and headers.get("connection", "").lower() != "close"
        return Head(int(match[2]), headers)


@asynccontextmanager
async def _closing_all() -> AsyncIterator[list[_Stream]]:
    streams: list[_Stream] = []
    try:
        yield streams
    finally:
        for stream in streams:
            stream.close()
