"""Servers, each in a process of its own, and what is said to them byte by byte."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hubclient import Hub
from hubclient.settings import Settings
from tests.e2e.material import DEMO, PUBMED, PUBMED_KEY, PUBMED_ZIP, ROOT, make_mirror

pytest.importorskip("fastapi")
DEMO_MODEL, PUBMED_MODEL = f"en/{DEMO}", f"en/{PUBMED}"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Served:
    process: subprocess.Popen[str]
    port: int

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
        finally:
            connection.close()

    def predict(self, **question: Any) -> Answer:
        return self.send(json.dumps(question).encode())

    def send(self, body: Any, kind: str = "application/json") -> Answer:
        return self.ask("POST", "/v1/predict", body, {"Content-Type": kind})

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def is_well(self) -> bool:
        return self.process.poll() is None and self.predict(texts=["fine"]).status == 200


def received(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    data = b""
    with suppress(ConnectionError):
        while part := connection.recv(1 << 16):
            data += part
    return data


@pytest.fixture(scope="session")
def served_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    mirror = make_mirror(folder / "mirror", {PUBMED_KEY: PUBMED_ZIP})
    hub = Hub(settings=Settings(cache_dir=folder / "cache", mirrors=(mirror,), offline=True, live_index=None), progress=False)
    for name in (DEMO_MODEL, PUBMED_MODEL):
        hub.pull(name)
    return folder / "cache"


@pytest.fixture(autouse=True)
def _environment(served_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBCLIENT_CACHE", str(served_models))
    monkeypatch.setenv("HUBCLIENT_OFFLINE", "1")


Start = Callable[..., Served]


def start(cache: Path, *models: str, slow: float = 0, batching: bool = True, **limits: Any) -> Served:
    settings = {"models": models or [DEMO_MODEL], "slow": slow, "batching": batching, "limits": limits}
    env = {**os.environ, "HUBCLIENT_CACHE": str(cache), "HUBCLIENT_OFFLINE": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command = [sys.executable, "-W", "error", "-m", "tests.serve.program", json.dumps(settings)]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    address = process.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:"), process.wait()
    return Served(process, int(address.rpartition(":")[2]))


def stop(served: Served) -> None:
    served.process.kill()
    served.process.wait()
    assert served.process.stdout
    served.process.stdout.close()


@pytest.fixture(scope="session")
def server(served_models: Path) -> Iterator[Served]:
    """With limits that are soon reached, and two models."""
    limits: dict[str, Any] = {
        "body": 20_000,
        "texts": 100,
        "characters": 1000,
        "head_seconds": 1,
        "body_seconds": 1,
        "linger_seconds": 1,
        "head_bytes": 4096,
    }
    served = start(served_models, DEMO_MODEL, PUBMED_MODEL, **limits)
    yield served
    stop(served)


@pytest.fixture
def starting(served_models: Path) -> Iterator[Start]:
    """Starts others."""
    started: list[Served] = []

    def begin(*models: str, **options: Any) -> Served:
        started.append(start(served_models, *models, **options))
        return started[-1]

    yield begin
    for served in started:
        stop(served)
