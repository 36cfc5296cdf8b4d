"""A process that fetches is killed again and again: what it had brought is not asked for once more, and the file is right in the end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hubclient.transfer.journal import Content, read_journal
from hubclient.transfer.pieces import Span
from tests.servers.script import Reply, Request, ScriptedServer, file_reply
from tests.transfer.faults import LARGE, etag_of

PIECE = 4 << 20
ROOT = Path(__file__).resolve().parents[2]


class Nursery:
    """Starts processes that fetch into `folder`."""

    def __init__(self, zygote: subprocess.Popen[str], endpoint: str, folder: Path) -> None:
        assert zygote.stdin
        assert zygote.stdout
        self._order, self._answers = zygote.stdin, zygote.stdout
        self._errand = f"{endpoint} {folder}\n"

    def start(self) -> int:
        """The process's id."""
        self._order.write(self._errand)
        self._order.flush()
        return int(self._answers.readline())

    def end(self) -> int:
        """How the last one ended."""
        self._order.write("\n")
        self._order.flush()
        return int(self._answers.readline())


@contextmanager
def nursery(endpoint: str, folder: Path) -> Iterator[Nursery]:
    command = [sys.executable, "-m", "tests.transfer.killable"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as zygote:
        yield Nursery(zygote, endpoint, folder)
        assert zygote.stdin
        zygote.stdin.close()


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


def finished(folder: Path, endpoint: str) -> list[Span]:
    """The ranges that the journal says are there."""
    content = Content(f"{endpoint}/b/k.zip", len(LARGE), etag_of(LARGE), etag_of(LARGE).strip('"'))
    journals = list((folder / "transfers").glob("*/journal"))
    return [arrived.span for journal in journals for arrived in read_journal(journal.read_bytes(), content)]


def asked(script: ScriptedServer) -> list[Span]:
    spans = []
    for request in script.asked("GET"):
        first, _, last = request.headers["Range"].removeprefix("bytes=").partition("-")
        spans.append(Span(int(first), int(last) + 1))
    return spans


def test_killed_at_any_moment(script: ScriptedServer, tmp_path: Path) -> None:
    kill_again_and_again(script, tmp_path, times=20)


@pytest.mark.slow
def test_killed_two_hundred_times(script: ScriptedServer, tmp_path: Path) -> None:
    for _ in range(10):
        kill_again_and_again(script, tmp_path, times=20)
        (tmp_path / "target").unlink()


def kill_again_and_again(script: ScriptedServer, folder: Path, *, times: int) -> None:
    door = Door(script)
    with nursery(script.endpoint, folder) as children:
        for _ in range(times):
            there = finished(folder, script.endpoint)
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
            assert not overlapping(asked(script), there)
        there = finished(folder, script.endpoint)
        script.requests.clear()
        children.start()
        assert children.end() == 0
    assert not overlapping(asked(script), there)
    assert (folder / "target").read_bytes() == LARGE
    assert list((folder / "transfers").iterdir()) == []


def pieces_missing(there: list[Span]) -> int:
    edges = [0, *(edge for span in sorted(there) for edge in (span.start, span.end)), len(LARGE)]
    return sum(-(-(end - start) // PIECE) for start, end in zip(edges[::2], edges[1::2], strict=True))


def overlapping(some: list[Span], others: list[Span]) -> list[tuple[Span, Span]]:
    return [(one, other) for one in some for other in others if one.start < other.end and other.start < one.end]
