"""An HTTP server that answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Request:
    """`headers`: names In-Title-Case, whatever the client wrote."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """`status` 0: the connection is closed without an answer. `cut`: it is closed after so many bytes of the body; `reset`: not politely.
    `body_length`: what Content-Length claims, if not the truth. `hold`: the end of the answer waits for that event, with `silent` all of
    it; with `trickle`, zeros come meanwhile."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    body_length: int | None = None
    reset: bool = False
    hold: threading.Event | None = None
    silent: bool = False
    trickle: bool = False


Answerer = Callable[[Request], Reply]


@dataclass
class ScriptedServer:
    """`answer` may be replaced at any time; `requests` is what came, in order; `sent` counts bytes of bodies."""

    endpoint: str
    answer: Answerer = lambda request: Reply(404)
    requests: list[Request] = field(default_factory=list)
    sent: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def asked(self, method: str) -> list[Request]:
        return [request for request in self.requests if request.method == method]


def file_reply(request: Request, content: bytes, etag: str, *, cut: int | None = None, headers: Mapping[str, str] | None = None) -> Reply:
    """What a good server answers for a file: ranges, If-Match and If-None-Match are honoured."""
    facts = {"ETag": etag, **(headers or {})}
    if request.headers.get("If-None-Match") == etag:
        return Reply(304, headers=facts)
    if request.headers.get("If-Match", etag) != etag:
        return Reply(412, headers=facts)
    asked = request.headers.get("Range")
    if asked is None:
        return Reply(200, content, facts, cut)
    first, _, last = asked.removeprefix("bytes=").partition("-")
    start, end = int(first), min(int(last or len(content)), len(content) - 1)
    if start >= len(content):
        return Reply(416, headers={"Content-Range": f"bytes */{len(content)}"})
    return Reply(206, content[start : end + 1], {**facts, "Content-Range": f"bytes {start}-{end}/{len(content)}"}, cut)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    script: ScriptedServer

    def do_GET(self) -> None:
        request = Request(self.command, self.path, {name.title(): value for name, value in self.headers.items()})
        with self.script.lock:
            self.script.requests.append(request)
        reply = self.script.answer(request)
        if reply.hold and reply.silent:
            reply.hold.wait()
        if reply.status == 0:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in reply.headers and "Transfer-Encoding" not in reply.headers:
            self.send_header("Content-Length", str(len(reply.body) if reply.body_length is None else reply.body_length))
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(reply)

    def _send_body(self, reply: Reply) -> None:
        part = reply.body[: reply.cut]
        with self.script.lock:
            self.script.sent += len(part)
        self.wfile.write(part)
        while reply.hold and not reply.hold.wait(0.02 if reply.trickle else None):
            self.wfile.write(b"\0")
        if reply.reset:
            # With nothing allowed to linger, closing it is a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())
        self.close_connection = self.close_connection or reply.cut is not None or reply.body_length is not None

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    request_queue_size = 64

    # A client that goes away early is what some tests are about.
    def handle_error(self, request: object, client_address: object) -> None:
        pass


@contextmanager
def running_script(tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    script = ScriptedServer("")
    handler = type("Handler", (_Handler,), {"script": script})
    with _Server(("127.0.0.1", 0), handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        script.endpoint = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()
