"""Asks a server as much as it can answer: `HOW FOLDER TEXTS CONNECTIONS SECONDS`. Each connection asks one text, and the next one when it
has the answer; nothing else is done with answers than to count them, so that little of the processor goes to this side.

HOW and FOLDER are for `server.py`. Says how many requests were answered, in which time, the latencies at some percentiles, and the labels
of the first texts.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

_WARM_UP = 2.0
_CHECKED = 200
_HEAD = "POST /v1/predict HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
_LENGTH = b"content-length: "


class Asker(asyncio.Protocol):
    """Asks until it is time to stop."""

    def __init__(self, requests: Iterator[bytes], until: float, took: list[float]) -> None:
        self._requests, self._until, self._took = requests, until, took
        self._missing, self._asked = 0, 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        if not self._missing:
            if not data.startswith(b"HTTP/1.1 200 "):
                sys.exit(data.decode())
            start = data.index(_LENGTH) + len(_LENGTH)
            self._missing = int(data[start : data.index(b"\r", start)]) + data.index(b"\r\n\r\n") + 4
        self._missing -= len(data)
        if not self._missing:
            self._took.append(time.perf_counter() - self._asked)
            self._ask()

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        if self._asked < self._until:
            self._transport.write(next(self._requests))
        else:
            self._transport.close()
            self.done.set_result(None)


async def load(port: int, requests: Iterator[bytes], connections: int, seconds: float) -> tuple[list[float], float]:
    """The latencies, and how long it took to have them."""
    took: list[float] = []
    start = time.perf_counter()
    loop = asyncio.get_running_loop()
    askers = [await loop.create_connection(lambda: Asker(requests, start + seconds, took), "127.0.0.1", port) for _ in range(connections)]
    await asyncio.gather(*(asker.done for _, asker in askers))
    return took, time.perf_counter() - start


def request_of(texts: list[str]) -> bytes:
    body = json.dumps({"texts": texts}).encode()
    return _HEAD.format(len(body)).encode() + body


def labels_of(port: int, texts: list[str]) -> list[str]:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port)
    labels = []
    for text in texts:
        connection.request("POST", "/v1/predict", json.dumps({"texts": [text]}), {"Content-Type": "application/json"})
        labels.append(json.load(connection.getresponse())["predictions"][0]["label"])
    connection.close()
    return labels


def main(how: str, folder: str, file: str, connections: str, seconds: str) -> None:
    texts = json.loads(Path(file).read_text(encoding="utf-8"))["texts"]
    command = [sys.executable, str(Path(__file__).with_name("server.py")), folder, how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        port = int(server.stdout.readline().rpartition(":")[2])
        requests = cycle([request_of([text]) for text in texts])
        asyncio.run(load(port, requests, int(connections), _WARM_UP))
        took, lasted = asyncio.run(load(port, requests, int(connections), float(seconds)))
        labels = labels_of(port, texts[:_CHECKED])
        server.terminate()
    took.sort()
    at = {f"p{percent}": took[min(len(took) - 1, len(took) * percent // 100)] for percent in (50, 99)}
    print(json.dumps({"requests": len(took), "seconds": lasted, "rate": len(took) / lasted, **at, "labels": labels}))


if __name__ == "__main__":
    main(*sys.argv[1:])
