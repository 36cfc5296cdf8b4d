"""Processes that fetch or pull, and can be killed; and what may not be asked for again after that."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hubclient.transfer.journal import Content, read_journal
from hubclient.transfer.pieces import Span
from tests.servers.script import ScriptedServer

ROOT = Path(__file__).resolve().parents[2]


class Nursery:
    """Starts processes that bring `s3://b/k.zip` into `folder`."""

    def __init__(self, zygote: subprocess.Popen[str], errand: str) -> None:
        assert zygote.stdin
        assert zygote.stdout
        self._order, self._answers = zygote.stdin, zygote.stdout
        self._errand = errand

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
def nursery(job: str, endpoint: str, folder: Path) -> Iterator[Nursery]:
    """`job`: `fetch` or `pull`."""
    command = [sys.executable, "-m", "tests.transfer.killable"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as zygote:
        yield Nursery(zygote, f"{job} {endpoint} {folder}\n")
        assert zygote.stdin
        zygote.stdin.close()


def finished(folder: Path, endpoint: str, content: bytes, etag: str) -> list[Span]:
    """The ranges that the journal says are there."""
    about = Content(f"{endpoint}/b/k.zip", len(content), etag, etag.strip('"'))
    journals = [path for path in (folder / "transfers").glob("*/journal") if path.with_name("content").exists()]
    return [arrived.span for journal in journals for arrived in read_journal(journal.read_bytes(), about)]


def asked(script: ScriptedServer, size: int) -> list[Span]:
    """The ranges that were asked for since the requests were cleared."""
    spans = []
    for request in script.asked("GET"):
        first, _, last = request.headers.get("Range", f"bytes=0-{size - 1}").removeprefix("bytes=").partition("-")
        spans.append(Span(int(first), int(last) + 1))
    return spans


def overlapping(some: list[Span], others: list[Span]) -> list[tuple[Span, Span]]:
    return [(one, other) for one in some for other in others if one.start < other.end and other.start < one.end]
