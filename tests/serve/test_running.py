"""The server begins and ends: where it listens, and what becomes of requests that are on their way."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from hubclient import pretrained
from hubclient.errors import UsageError
from hubclient.serve import Desk, make_app
from hubclient.serve.run import address_of, bind
from tests.e2e.material import DEMO
from tests.e2e.shell import HUB, hub
from tests.serve.conftest import DEMO_MODEL, Served, Start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_was_asked_is_answered_before_the_end(starting: Start, number: int) -> None:
    server = starting(slow=2)
    idle = http.client.HTTPConnection("127.0.0.1", server.port)
    idle.request("GET", "/healthz")
    idle.getresponse().read()
    with ThreadPoolExecutor(5) as pool:
        answers = [pool.submit(server.predict, texts=[f"a film {number}"]) for number in range(5)]
        time.sleep(0.7)
        os.kill(server.process.pid, number)
        assert [answer.result().status for answer in answers] == [200] * 5
    assert server.process.wait(timeout=30) == 0
    assert server.process.stdout
    assert server.process.stdout.read() == "ended\n"
    idle.close()
    with pytest.raises(ConnectionError):
        server.connect()


def test_the_end_waits_for_no_slow_client(starting: Start) -> None:
    server = starting(body_seconds=1)
    connection = server.connect()
    connection.sendall(b"POST /v1/predict HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n")
    other = server.connect()
    other.sendall(b"GET /")
    time.sleep(0.2)
    begun = time.monotonic()
    server.process.terminate()
    assert server.process.wait(timeout=30) == 0
    assert time.monotonic() - begun < 10
    connection.close()
    other.close()


def test_near_its_end_it_is_not_ready() -> None:
    desk = Desk({DEMO_MODEL: pretrained(DEMO, "en")})
    client = TestClient(make_app(desk))
    assert client.get("/readyz").status_code == 200
    desk.closing = True
    assert (client.get("/readyz").status_code, client.get("/readyz").json()) == (503, {"state": "ending"})
    assert client.get("/healthz").status_code == 200
    answer = client.post("/v1/predict", json={"texts": ["fine"]})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_a_failure_is_an_answer_that_tells_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    class Broken:
        labels, multi_label, activation, threshold, max_length, engine, precision = ("a",), False, "softmax", 0.5, 9, "onnx", "float32"

        class manifest:  # noqa: N801
            tensors_digest = ""

        async def apredict(self, texts: object, **options: object) -> None:
            raise RuntimeError("the secret reason")

    client = TestClient(make_app(Desk({"broken": Broken()})), raise_server_exceptions=False)  # type: ignore[dict-item]
    answer = client.post("/v1/predict", json={"texts": ["fine"]})
    assert (answer.status_code, answer.json()["what"]) == (500, "the server failed")
    assert "secret" not in answer.text
    assert 'status="500"' in client.get("/metrics").text


def listening(process: subprocess.Popen[str]) -> int:
    assert process.stderr
    line = process.stderr.readline()
    found = re.fullmatch(r"answering on http://127\.0\.0\.1:(\d+), its page is http://127\.0\.0\.1:\1/docs\n", line)
    assert found, line
    return int(found[1])


def test_the_command() -> None:
    process = subprocess.Popen([HUB, "serve", DEMO_MODEL, "--port", "0", "--max-texts", "2"], stderr=subprocess.PIPE, text=True)
    try:
        server = Served(process, listening(process))
        assert server.predict(texts=["a fine film"]).json["predictions"][0]["label"] == "pos"
        assert server.predict(texts=["a"] * 3).status == 422
        process.terminate()
        assert process.wait(timeout=30) == 0
        assert process.stderr
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.wait()
        assert process.stderr
        process.stderr.close()


def test_this_machine_alone_can_ask_unless_told_otherwise() -> None:
    with bind("127.0.0.1", 0) as listener:
        assert address_of(listener).startswith("http://127.0.0.1:")
    for wrong in ("no.such.host.invalid", "203.0.113.1"):
        with pytest.raises(UsageError, match="cannot listen"):
            bind(wrong, 0)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
def test_ipv6() -> None:
    try:
        listener = bind("::1", 0)
    except UsageError:
        pytest.skip("no IPv6")
    with listener:
        assert re.fullmatch(r"http://\[::1\]:\d+", address_of(listener))


def test_a_port_that_is_taken() -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        done = hub("serve", DEMO_MODEL, "--port", str(port))
    assert done.code == 2
    assert "the server cannot listen there" in done.err
    assert f"127.0.0.1:{port}" in done.err


def test_models_that_it_does_not_serve(tmp_path: Path) -> None:
    assert hub("serve", "en/no_such_model", "--port", "0").code == 4
    assert hub("serve", DEMO_MODEL, "--port", "0", "--precision", "float8").code == 2


def test_it_runs_in_a_thread_too() -> None:
    """Where signals cannot be listened to."""
    from hubclient.serve import run

    assert threading.current_thread() is threading.main_thread()
    address: list[str] = []
    ready = threading.Event()

    def told(where: str) -> None:
        address.append(where)
        ready.set()

    desk = Desk({DEMO_MODEL: pretrained(DEMO, "en")})
    thread = threading.Thread(target=run, args=(desk,), kwargs={"port": 0, "ready": told}, daemon=True)
    thread.start()
    assert ready.wait(30)
    port = int(address[0].rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/readyz")
    assert connection.getresponse().status == 200
    connection.close()
    assert sys.version_info >= (3, 11)
