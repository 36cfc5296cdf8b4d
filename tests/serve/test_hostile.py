"""Requests that are broken, huge, slow or no text: each is answered with an error, and the server goes on."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.serve.conftest import DEMO_MODEL, Served, Start, received

HEAD = b"POST /v1/predict HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"


@pytest.fixture(autouse=True)
def _goes_on(server: Served) -> Iterator[None]:
    yield
    assert server.process.poll() is None
    assert server.predict(model=DEMO_MODEL, texts=["fine"]).status == 200


def question(**parts: Any) -> bytes:
    return json.dumps({"model": DEMO_MODEL, **parts}).encode()


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"", 400, "the body is not JSON"),
        (b"{", 400, "the body is not JSON"),
        (b"\xff\xfe{\x00}\x00", 400, "the body is not JSON"),
        (question(texts=["caf\xe9"]).replace(b"\\u00e9", b"\xe9"), 400, "unicode"),
        (b'{"texts": ["\\ud800"]}', 400, "hex escape"),
        (b'{"texts": ' + b"[" * 9000, 400, "the body is not JSON"),
        (b'{"texts": ["a"], "threshold": ' + b"9" * 9000 + b"}", 400, "number"),
        (b'{"texts": ["a"], "top_k": ' + b"9" * 9000 + b"}", 400, "number"),
        (b"[]", 422, "object"),
        (b'{"texts": "a"}', 422, "texts"),
        (question(texts=[1]), 422, "texts.0"),
        (question(texts=[None]), 422, "texts.0"),
        (question(texts=[["a", "b", "c"]]), 422, "texts.0"),
        (question(), 422, "texts: Field required"),
        (question(texts=["a"], lang="en"), 422, "lang"),
        (question(texts=["a"], threshold=2), 422, "threshold"),
        (question(texts=["a"], threshold="0.5"), 422, "threshold"),
        (question(texts=["a"], threshold=float("nan")), 422, "threshold"),
        (question(texts=["a"], top_k=0), 422, "top_k"),
        (question(texts=["a"], top_k=1.5), 422, "top_k"),
        (question(texts=["a"], top_k=True), 422, "top_k"),
        (question(texts=["a"] * 101), 422, "at most 100 items"),
        (question(texts=["a" * 1001]), 422, "at most 1000 characters"),
        (question(texts=["a" * 900] * 30), 413, "the body has more than 20,000 bytes"),
    ],
    ids=lambda value: None,
)
def test_bodies(server: Served, body: bytes, status: int, told: str) -> None:
    answer = server.send(body)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert set(answer.json) == {"what", "where", "why", "hint"}
    assert told in answer.body.decode()


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"])
def test_bodies_of_another_kind(server: Served, kind: str) -> None:
    assert server.send(question(texts=["a"]), kind).status == 415
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert server.ask("POST", "/v1/predict", question(texts=["a"]), packed).status == 415
    assert server.send(question(texts=["a"]), "Application/JSON; charset=UTF-8").status == 200


def test_other_paths_and_methods(server: Served) -> None:
    assert server.ask("GET", "/").status == 404
    answer = server.ask("GET", "/v1/predict")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert answer.json["where"] == "/v1/predict"
    assert server.ask("GET", "/v1/../../../../etc/passwd").status == 404
    assert server.ask("GET", "/%00%ff").status == 404


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "in chunks"])
def test_bodies_without_end(server: Served, chunked: bool) -> None:
    """Of which no more is read than the limit; the client sees the answer though it still sends."""
    parts = (b"x" * 65_536 for _ in range(200))
    headers = {"Content-Type": "application/json", **({} if chunked else {"Content-Length": str(65_536 * 200)})}
    answer = server.ask("POST", "/v1/predict", parts, headers)
    assert answer.status == 413


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x02\xff\xfe garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
        b"GET /\xff\xfe HTTP/1.1\r\nHost: here\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n",
    ],
    ids=["bytes", "TLS", "path", "version", "header", "length", "both lengths", "chunk", "overflow"],
)
def test_what_is_no_request(server: Served, data: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(data)
        assert received(connection).startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize(
    "head", [b"GET /" + b"a" * 9000, b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 2000, b"GET / HTTP/1.1\r\nx: " + b"y" * 9000]
)
def test_a_head_that_is_too_large(server: Served, head: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert received(connection).startswith(b"HTTP/1.1 431 ")


def test_a_head_as_large_as_is_allowed(server: Served) -> None:
    answer = server.ask("GET", "/healthz", headers={"x": "y" * 3900})
    assert answer.status == 200
    assert server.ask("GET", "/healthz", headers={"x": "y" * 4100}).status == 431


def trickle(server: Served, start: bytes, drop: bytes, *, every: float = 0.1, most: float = 8) -> tuple[bytes, float]:
    """Send a little at a time, as long as the server listens; gives what came back, and after how long the server had closed."""
    begun = time.monotonic()
    with server.connect() as connection:
        connection.sendall(start)
        connection.settimeout(every)
        answer = b""
        while time.monotonic() - begun < most:
            try:
                if not (part := connection.recv(1 << 16)):
                    break
                answer += part
                continue
            except TimeoutError:
                pass
            except ConnectionError:
                break
            try:
                connection.sendall(drop)
            except ConnectionError:
                break
        return answer, time.monotonic() - begun


SLOW = {
    "silent": (b"", b"", b"HTTP/1.1 408 "),
    "head": (b"GET / HTTP/1.1\r\n", b"x: y\r\n", b"HTTP/1.1 408 "),
    "line": (b"GET /", b"a", b"HTTP/1.1 408 "),
    "body": (HEAD + b"Content-Length: 1000\r\n\r\n", b" ", b"HTTP/1.1 408 "),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", b"HTTP/1.1 408 "),
    "after the answer": (b"POST /nothing HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\n", b" ", b"HTTP/1.1 404 "),
    "second head": (b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\nGET /", b"a", b"HTTP/1.1 200 "),
    "blank lines": (b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n", b"\r\n", b"HTTP/1.1 200 "),
}


@pytest.mark.parametrize("kind", SLOW)
def test_slow_clients_are_let_go(server: Served, kind: str) -> None:
    start, drop, expected = SLOW[kind]
    answer, seconds = trickle(server, start, drop)
    assert answer.startswith(expected)
    assert 0.9 < seconds < 7
    assert answer.count(b"HTTP/1.1 ") == (2 if kind in ("second head", "blank lines") else 1)


def test_many_slow_clients_hold_nobody_up(server: Served) -> None:
    """Two hundred trickle their heads and bodies; others are answered meanwhile as ever."""
    slow = [server.connect() for _ in range(200)]
    for number, connection in enumerate(slow):
        connection.sendall(b"GET / HTTP/1.1\r\n" if number % 2 else HEAD + b"Content-Length: 1000\r\n\r\n")
    try:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda number: server.predict(model=DEMO_MODEL, texts=[f"a film {number}"]), range(64)))
        assert {answer.status for answer in answers} == {200}
        assert all(received(connection).startswith(b"HTTP/1.1 408 ") for connection in slow)
    finally:
        for connection in slow:
            connection.close()


def test_pipelined_requests_are_answered_in_their_order(server: Served) -> None:
    ask = b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\nGET /readyz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
    with server.connect() as connection:
        connection.sendall(ask)
        answer = received(connection)
    assert answer.count(b"HTTP/1.1 200 ") == 2
    assert answer.index(b"alive") < answer.index(b"ready")


def test_clients_that_go_away(server: Served) -> None:
    for end in (b"", b'{"texts"', question(texts=["a film"])):
        for _ in range(10):
            connection = server.connect()
            connection.sendall(HEAD + b"Content-Length: 49\r\n\r\n" + end)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            connection.close()


def test_a_full_queue_and_answers_that_take_too_long(starting: Start) -> None:
    busy = starting(slow=3, queue=5, seconds=1)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(busy.predict, texts=["a"] * 4)
        time.sleep(0.3)
        refused = busy.predict(texts=["a"] * 2)
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert busy.ask("GET", "/readyz").status == 200
        answer = first.result()
    assert (answer.status, answer.json["what"]) == (504, "there was no answer within 1 seconds")
    assert busy.predict(texts=["a"] * 5).status == 504, "the place in the queue is free again"


def test_more_connections_than_are_allowed(starting: Start) -> None:
    small = starting(connections=3)
    held = [small.connect() for _ in range(3)]
    assert small.ask("GET", "/healthz").status == 503
    for connection in held:
        connection.close()
    time.sleep(0.3)
    assert small.is_well()
