"""Reading many card files, in several processes where that pays.

A process that runs `main` takes a JSON list of tasks on stdin and sends the answers, portion by portion, as Python's own marshalled values.
It is started as a program of its own: what `multiprocessing` starts would run the user's main script once more, or copy a process whose
threads hold locks.
"""

from __future__ import annotations

import gc
import hashlib
import json
import marshal
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hubclient.catalog.folder import facts_from, read_bytes
from hubclient.catalog.row import Row, row_of
from hubclient.errors import CardError

if TYPE_CHECKING:
    import subprocess
    from queue import SimpleQueue

# Below it, starting processes takes longer than they save.
_MANY = 400
_PORTION = 50  # answers that are sent together
# What comes before it is not ours: Python may be set up to print when it starts.
_BEGIN = b"answers\n"
_PROGRAM = f"from {__name__} import main; main()"

_Portion = list[tuple[str, str, tuple[Any, ...] | None, list[str | None] | None]]


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
    sys.stdout.buffer.write(b"\n" + _BEGIN)
    for start in range(0, len(tasks), _PORTION):
        answers = map(_read, starmap(Task, tasks[start : start + _PORTION]))
        marshal.dump([(path, digest, row and tuple(row), problem) for path, digest, row, problem in answers], sys.stdout.buffer)


def _read(task: Task) -> Answer:
    path = Path(task.path)
    digest = ""
    try:
        data = read_bytes(path)
        digest = hashlib.sha256(data).hexdigest()
        return Answer(task.path, digest) if digest == task.digest else Answer(task.path, digest, row_of(facts_from(data, path)))
    except CardError as error:
        return Answer(task.path, digest, None, [error.what, error.where, error.why, error.hint])


def _read_in_processes(shares: Sequence[Sequence[Task]]) -> Iterator[Answer]:
    from queue import SimpleQueue
    from threading import Thread

    portions: SimpleQueue[_Portion | None] = SimpleQueue()
    with ExitStack() as ends:
        running = 0
        for share in shares:
            with suppress(OSError):  # where no process starts, its files are read here
                process = _started()
                thread = Thread(target=_ask, args=(process, share, portions), daemon=True)
                thread.start()
                running += 1
                # The other way around: whoever does not want the rest waits for nobody.
                ends.callback(thread.join)
                ends.callback(process.kill)
        while running:
            portion = portions.get()
            if portion is None:
                running -= 1
            for path, digest, row, problem in portion or ():
                yield Answer(path, digest, Row(*row) if row else None, problem)


def _started() -> subprocess.Popen[bytes]:
    import subprocess

    path = os.pathsep.join(entry for entry in sys.path if isinstance(entry, str))
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
    )


def _ask(process: subprocess.Popen[bytes], share: Sequence[Task], portions: SimpleQueue[_Portion | None]) -> None:
    """Have a process read, and hand its answers on; None comes last."""
    try:
        with process:
            assert process.stdin is not None
            assert process.stdout is not None
            with process.stdin as stdin:
                stdin.write(json.dumps(share).encode())
            for line in process.stdout:
                if line == _BEGIN:
                    break
            while True:
                portions.put(marshal.load(process.stdout))  # noqa: S302 - from a process of this very program
    except (OSError, EOFError, ValueError, TypeError):  # it is done, or went away: what it left is read here
        pass
    finally:
        portions.put(None)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
