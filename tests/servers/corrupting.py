"""A TCP proxy that damages what passes through it, as broken memory in a router does: the lengths stay, a byte does not."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass
class Corrupting:
    """Flips a bit in byte `at` of what the server sends over a connection, in the next `times` connections that bring so much."""

    endpoint: str
    at: int = 100_000
    times: int = 0

    def damaged(self, data: bytes, before: int) -> bytes:
        place = self.at - before
        if self.times <= 0 or not 0 <= place < len(data):
            return data
        self.times -= 1
        return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64


@contextmanager
def running_corrupting(endpoint: str) -> Iterator[Corrupting]:
    """In front of a server."""
    target = urlsplit(endpoint)
    proxy = Corrupting("")

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((target.hostname, target.port)) as server:
                threading.Thread(target=_pass_on, args=(self.request, server), daemon=True).start()
                seen = 0
                with suppress(OSError):
                    while data := server.recv(1 << 16):
                        self.request.sendall(proxy.damaged(data, seen))
                        seen += len(data)

    with _Server(("127.0.0.1", 0), Handler) as server:
        proxy.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
