"""Reading many card files, in several processes where that pays.

A process that runs `main` takes a JSON list of tasks on stdin and answers them in lines of JSON. It is started as a program of its own:
what `multiprocessing` starts would run the user's main script once more, or copy a process whose threads hold locks.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple

from hubclient.catalog.folder import card_from, read_bytes
from hubclient.catalog.row import Row, row_of
from hubclient.errors import CardError

# Below it, starting processes takes longer than they save.
_MANY = 400
_LINE = 50  # answers
_PROGRAM = f"from {__name__} import main; main()"


class Task(NamedTuple):
    """A file, and the digest of what was last read there (None: it is new)."""

    path: str
    digest: str | None = None


class Answer(NamedTuple):
    """What a file holds now: a row, or why there is none (a CardError's what, where, why and hint), or neither if nothing changed."""

    path: str
    digest: str
    row: Row | None = None
    problem: list[str | None] | None = None


def read_files(tasks: Sequence[Task]) -> Iterator[Answer]:
    """An answer to each task, in any order."""
    workers = min(_processors(), 8)
    if len(tasks) < _MANY or workers < 2 or not sys.executable or getattr(sys, "frozen", False):
        yield from map(_read, tasks)
        return
    left = {task.path: task for task in tasks}
    for answer in _read_in_processes([tasks[number::workers] for number in range(workers)]):
        del left[answer.path]
        yield answer
    # What a process left undone that was killed or could not start.
    yield from map(_read, left.values())


def main() -> None:
    """Answer the tasks on stdin."""
    gc.disable()  # a card holds no circles, and looking for some takes a tenth of the time
    tasks = json.load(sys.stdin)
    for start in range(0, len(tasks), _LINE):
        answers = [_read(Task(*task)) for task in tasks[start : start + _LINE]]
        sys.stdout.write(json.dumps(answers) + "\n")


def _read(task: Task) -> Answer:
    path = Path(task.path)
    digest = ""
    try:
        data = read_bytes(path)
        digest = hashlib.sha256(data).hexdigest()
        return Answer(task.path, digest) if digest == task.digest else Answer(task.path, digest, row_of(card_from(data, path)))
    except CardError as error:
        return Answer(task.path, digest, None, [error.what, error.where, error.why, error.hint])


def _read_in_processes(shares: Sequence[Sequence[Task]]) -> Iterator[Answer]:
    lines: SimpleQueue[bytes | None] = SimpleQueue()
    for share in shares:
        Thread(target=_ask, args=(share, lines), daemon=True).start()
    ended = 0
    while ended < len(shares):
        line = lines.get()
        if line is None:
            ended += 1
        elif line.endswith(b"\n"):
            for path, digest, row, problem in json.loads(line.decode()):
                yield Answer(path, digest, Row(*row) if row else None, problem)


def _ask(share: Sequence[Task], lines: SimpleQueue[bytes | None]) -> None:
    """Have one process read, and hand its lines on; None comes last."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        with subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            with process.stdin as stdin:
                stdin.write(json.dumps(share).encode())
            for line in process.stdout:
                lines.put(line)
    except OSError:  # it did not start, or went away: its files are read here
        pass
    finally:
        lines.put(None)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
