"""A process that fetches is killed again and again: what it had brought is not asked for once more, and the file is right in the end."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from hubclient.transfer.pieces import Span
from tests.servers.script import Reply, Request, ScriptedServer, file_reply
from tests.transfer.faults import LARGE, etag_of
from tests.transfer.nursery import asked, finished, nursery, overlapping

PIECE = 4 << 20


class Door:
    """Serves the content; the so-manyth answer from now on stops after so many bytes, and `reached` says so."""

    def __init__(self, script: ScriptedServer) -> None:
        self._lock, self._countdown, self._cut = threading.Lock(), 0, 0
        self.reached, self._opened = threading.Event(), threading.Event()
        script.answer = self._answer

    def shut(self, answer: int, cut: int) -> None:
        with self._lock:
            self._countdown, self._cut = answer, cut
            self.reached, self._opened = threading.Event(), threading.Event()

    def open(self) -> None:
        self._countdown = 0
        self._opened.set()

    def _answer(self, request: Request) -> Reply:
        reply = file_reply(request, LARGE, etag_of(LARGE))
        if request.method == "HEAD":
            return reply
        with self._lock:
            self._countdown -= 1
            if self._countdown != 0:
                return reply
            self.reached.set()
            return Reply(reply.status, reply.body, reply.headers, cut=self._cut, hold=self._opened, body_length=len(reply.body))


def test_killed_at_any_moment(script: ScriptedServer, tmp_path: Path) -> None:
    kill_again_and_again(script, tmp_path, times=20)


@pytest.mark.slow
def test_killed_two_hundred_times(script: ScriptedServer, tmp_path: Path) -> None:
    for _ in range(10):
        kill_again_and_again(script, tmp_path, times=20)
        (tmp_path / "target").unlink()


def kill_again_and_again(script: ScriptedServer, folder: Path, *, times: int) -> None:
    door = Door(script)
    with nursery("fetch", script.endpoint, folder) as children:
        for _ in range(times):
            there = there_in(folder, script)
            script.requests.clear()
            at_work = pieces_missing(there)
            door.shut(random.randint(1, max(1, at_work)), random.randrange(0, 1 << 21))
            child = children.start()
            # While an answer is in the middle, or some time after the start.
            if at_work and random.random() < 0.5:
                assert door.reached.wait(60)
            else:
                time.sleep(random.uniform(0, 0.1))
            os.kill(child, signal.SIGKILL)
            door.open()
            if children.end() == 0:
                (folder / "target").unlink()
            assert not overlapping(asked(script, len(LARGE)), there)
        there = there_in(folder, script)
        script.requests.clear()
        children.start()
        assert children.end() == 0
    assert not overlapping(asked(script, len(LARGE)), there)
    assert (folder / "target").read_bytes() == LARGE
    assert list((folder / "transfers").iterdir()) == []


def there_in(folder: Path, script: ScriptedServer) -> list[Span]:
    return finished(folder, script.endpoint, LARGE, etag_of(LARGE))


def pieces_missing(there: list[Span]) -> int:
    edges = [0, *(edge for span in sorted(there) for edge in (span.start, span.end)), len(LARGE)]
    return sum(-(-(end - start) // PIECE) for start, end in zip(edges[::2], edges[1::2], strict=True))
