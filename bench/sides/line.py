"""A server of one archive under any name, behind a line of so many bytes a second, for all connections together; for `pulls.py`.

It stands for a line that is slower than the disk and the processor, as most are; ranges and ETags are served as S3 does.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_ETAG = '"bench"'
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_PIECE = 1 << 16


class _Line:
    def __init__(self, rate: float) -> None:
        self._rate, self._lock, self._free_at = rate, threading.Lock(), time.monotonic()

    def carry(self, count: int) -> None:
        """Returns when so many bytes would be through."""
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic()) + count / self._rate
            due = self._free_at
        time.sleep(max(0.0, due - time.monotonic()))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    content: bytes
    line: _Line

    def do_GET(self) -> None:
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        end = min(int(asked[2]) + 1, len(self.content)) if asked and asked[2] else len(self.content)
        self.send_response(206 if asked else 200)
        self.send_header("ETag", _ETAG)
        self.send_header("Content-Length", str(end - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(self.content)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        for at in range(start, end, _PIECE):
            piece = self.content[at : min(at + _PIECE, end)]
            self.line.carry(len(piece))
            self.wfile.write(piece)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that needs no more of it closes the connection."""


@contextmanager
def running_line(archive: Path, rate: float) -> Iterator[str]:
    """Its address."""
    handler = type("Handler", (_Handler,), {"content": archive.read_bytes(), "line": _Line(rate)})
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
