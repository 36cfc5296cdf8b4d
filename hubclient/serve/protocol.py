"""uvicorn's HTTP, with an end to its patience: for the head of a request, and for what comes after an answer.

uvicorn waits for a head as long as a client cares to send it, and keeps all of it; and a client whose request was answered before its end
may send the rest for ever. Bodies are read by the application, which has its own limits.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hubclient.serve.limits import Limits
from hubclient.serve.problem import Problem


class PatientProtocol(HttpToolsProtocol):
    """`limits`: a server has a subclass of its own, see `protocol_with`."""

    limits: ClassVar[Limits] = Limits()
    # How much of a head has come; None while none is awaited.
    _head: int | None = None
    _deadline: asyncio.TimerHandle | None = None
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._head is None:
            super().data_received(data)
            if self._is_idle():
                # Blank lines between requests are no request: they do not keep a connection open.
                self._await_head()
            return
        room = self.limits.head_bytes - self._head
        self._head += min(len(data), room)
        super().data_received(data[:room])
        if self._head is None and len(data) > room:
            self.data_received(data[room:])
        elif self._head == self.limits.head_bytes:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"the head has more than {self.limits.head_bytes:,} bytes")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._head is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        self._head = None
        self._end_deadline()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._end_deadline()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        cycle = self.cycle
        super().on_response_complete()
        if cycle is self.cycle and cycle.more_body and not self.transport.is_closing():
            # A connection that is closed while the client still sends would lose it the answer.
            self._close_after(self.limits.linger_seconds)

    def _await_head(self) -> None:
        self._head = 0
        what = f"the head did not arrive within {self.limits.head_seconds:g} seconds"
        self._deadline = self.loop.call_later(self.limits.head_seconds, self._refuse, HTTPStatus.REQUEST_TIMEOUT, what)

    def _refuse(self, status: HTTPStatus, what: str) -> None:
        self._end_deadline()
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            # Nothing may be written into the middle of an answer.
            self.cycle.keep_alive = False
            return
        body = Problem(what=what).model_dump_json().encode()
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        self._refused = True
        self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._close_after(self.limits.linger_seconds)

    def _is_idle(self) -> bool:
        cycle = self.cycle
        return self._deadline is None and cycle is not None and cycle.response_complete and self.timeout_keep_alive_task is None

    def _close_after(self, seconds: float) -> None:
        self._deadline = self.loop.call_later(seconds, self.transport.close)

    def _end_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None


def protocol_with(limits: Limits) -> type[PatientProtocol]:
    return type("Protocol", (PatientProtocol,), {"limits": limits})
