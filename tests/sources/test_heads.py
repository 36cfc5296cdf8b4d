"""Many addresses asked over few connections: what is plain is settled, and everything else is left to the careful client."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hubclient.sources.heads import Head, ask_heads
from hubclient.sources.manners import POLITE, Manners
from tests.servers.ports import free_port
from tests.servers.script import Reply, ScriptedServer


def asked(*urls: str, jobs: int = 4, manners: Manners | None = None) -> list[Head | None]:
    found: dict[int, Head | None] = {}
    ask_heads(enumerate(urls), found.__setitem__, jobs=jobs, manners=manners or Manners())
    return [found[number] for number in range(len(urls))]


def statuses(*urls: str, jobs: int = 4) -> list[int | None]:
    return [head.status if head else None for head in asked(*urls, jobs=jobs)]


def test_answers_come_to_their_addresses(script: ScriptedServer) -> None:
    script.answer = lambda request: Reply(int(request.path[-3:]), b"x" * 7, {"ETag": f'"{request.path}"'})
    heads = asked(*(f"{script.endpoint}/{number}/{status}" for number in range(50) for status in (200, 404, 302, 503)))
    assert [head.status for head in heads if head] == [200, 404, 302, 503] * 50
    assert heads[0] == Head(200, {**heads[0].headers, "etag": '"/0/200"', "content-length": "7"}) if heads[0] else False
    assert heads[0] is not None
    assert heads[0].length == 7
    assert {request.method for request in script.requests} == {"HEAD"}
    assert script.requests[0].headers["Host"] == script.endpoint.removeprefix("http://")


def test_paths_and_queries_are_asked_for_as_they_are(script: ScriptedServer) -> None:
    script.answer = lambda request: Reply(200)
    asked(f"{script.endpoint}/a%20b/c~d?x=1&y=%2F#part", script.endpoint)
    assert sorted(request.path for request in script.requests) == ["/", "/a%20b/c~d?x=1&y=%2F"]


@contextmanager
def answering(*answers: bytes, close_after_each: bool = True) -> Iterator[tuple[str, list[int]]]:
    """A server that says these bytes, one after the other, whatever it is asked; and how many connections there were."""
    left, connections = list(answers), [0]
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve() -> None:
            while left:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                connections[0] += 1
                with peer:
                    peer.settimeout(10)
                    while left:
                        request = b""
                        while not request.endswith(b"\r\n\r\n"):
                            part = peer.recv(4096)
                            if not part:
                                break
                            request += part
                        else:
                            peer.sendall(left.pop(0))
                            if not close_after_each:
                                continue
                        break

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", connections
        server.close()
        thread.join()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Len",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 999 No\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * (1 << 17) + b"\r\n\r\n",
    ],
    ids=["nothing", "cut", "ssh", "http2", "status", "long"],
)
def test_what_is_no_answer_is_none(answer: bytes) -> None:
    with answering(answer) as (url, _):
        assert asked(url) == [None]


def test_interim_answers_are_passed_over() -> None:
    with answering(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK) as (url, _):
        assert statuses(url) == [200]


def test_a_connection_is_kept_and_a_closed_one_is_opened_again() -> None:
    with answering(OK, OK, OK, close_after_each=False) as (url, connections):
        assert statuses(url, url, url, jobs=1) == [200] * 3
        assert connections == [1]
    with answering(OK, OK, OK) as (url, connections):
        assert statuses(url, url, url, jobs=1) == [200] * 3
        assert connections == [3]


@pytest.mark.parametrize("last", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"])
def test_a_connection_that_is_said_to_end_is_not_used_again(last: bytes) -> None:
    with answering(last, OK) as (url, connections):
        assert statuses(url, url, jobs=1) == [200, 200]
        assert connections == [2]


def test_a_body_that_follows_against_the_rules_is_no_answer_to_the_next() -> None:
    with answering(OK + b"hello", OK, OK.replace(b"200", b"404"), close_after_each=False) as (url, connections):
        assert statuses(url, url, jobs=1) == [200, 404]
        assert connections == [2]


def test_a_host_without_a_server_is_given_up_soon() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert asked(*[f"{url}/{number}" for number in range(500)], jobs=2) == [None] * 500


def test_passwords_and_proxies_are_for_others(script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    script.answer = lambda request: Reply(200)
    assert asked(script.endpoint.replace("://", "://me:secret@")) == [None]
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert asked(script.endpoint) == [None]
    assert script.requests == []


def test_several_hosts_at_once(script: ScriptedServer) -> None:
    script.answer = lambda request: Reply(200)
    nobody = f"http://127.0.0.1:{free_port()}/"
    assert statuses(script.endpoint, nobody, script.endpoint) == [200, None, 200]


def test_tls_with_an_authority_that_is_not_known(script: ScriptedServer) -> None:
    assert asked(script.endpoint.replace("http://", "https://")) == [None]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_turns_of_a_public_host() -> None:
    manners = Manners(clock=Clock())
    assert [round(manners.turn("example.org"), 6) for _ in range(3)] == [0, 1 / POLITE, 2 / POLITE]
    assert [manners.turn("127.0.0.1") for _ in range(3)] == [0, 0, 0]


def test_a_rate_that_was_asked_for_counts_for_every_host() -> None:
    clock = Clock()
    manners = Manners(2, clock=clock)
    assert [manners.turn("localhost") for _ in range(3)] == [0, 0.5, 1]
    clock.now += 10
    assert manners.turn("localhost") == 0


def test_a_host_that_wants_rest_gets_it() -> None:
    clock = Clock()
    manners = Manners(clock=clock)
    manners.rest("localhost", 7)
    manners.rest("localhost", 3)
    assert [manners.turn("localhost"), manners.turn("other")] == [7, 0]
    clock.now += 8
    assert manners.turn("localhost") == 0
