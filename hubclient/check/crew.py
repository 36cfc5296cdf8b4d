"""The threads that ask: one for the headers of everything, a few for what takes several requests or much work.

What they find comes back through a queue, in the order in which it is done, and many at once where there are many: threads that wake each
other for every answer spend their time waiting. What is one model's trouble is no other's, and a failure of our own is raised where
somebody waits for the answers.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Generic, TypeVar

from hubclient.check.aim import Aim
from hubclient.check.asking import Asking
from hubclient.check.existence import Existence
from hubclient.check.found import Answer
from hubclient.errors import HubError

R = TypeVar("R")

JOBS = 8
# Of models that are fetched, converted and opened at once.
HEAVY = 2
_MANY, _OFTEN = 256, 0.1  # answers, and seconds


class Crew(Generic[R]):
    """`act` makes something of an answer; without `workers` where the answer comes in, which must not take long. `jobs`: connections to a
    host, and threads that ask. `lists`: whether the lists of buckets may be asked."""

    def __init__(
        self, asking: Asking, act: Callable[[Aim, Answer], R], *, jobs: int = JOBS, workers: int | None = None, lists: bool = True
    ) -> None:
        self._asking, self._act, self._jobs, self._lists = asking, act, jobs, lists
        self._count = workers
        self._done: queue.SimpleQueue[list[tuple[Aim, R]] | BaseException] = queue.SimpleQueue()
        self._batch: list[tuple[Aim, R]] = []
        self._sent = 0.0

    def work(self, aims: Sequence[Aim]) -> Iterator[tuple[Aim, R]]:
        """One result for each aim. What has not begun when nobody waits any more is not begun."""
        stopped = threading.Event()
        with ExitStack() as stack:
            self._asks = stack.enter_context(_threads(self._jobs))
            self._works = stack.enter_context(_threads(self._count)) if self._count else None
            stack.callback(stopped.set)
            existence = Existence(self._asking, self._tell, self._submit, jobs=self._jobs, lists=self._lists, stopped=stopped.is_set)
            self._scout = threading.Thread(target=self._guarded, args=(lambda: self._look(existence, aims),), daemon=True)
            self._scout.start()
            left = len(aims)
            while left:
                results = self._done.get()
                if isinstance(results, BaseException):
                    raise results
                left -= len(results)
                yield from results

    def _look(self, existence: Existence, aims: Sequence[Aim]) -> None:
        try:
            existence.look(aims)
        finally:
            self._send()

    def _submit(self, action: Callable[[], None]) -> None:
        self._asks.submit(self._guarded, action)

    def _tell(self, aim: Aim, answer: Answer) -> None:
        if self._works is None or isinstance(answer, HubError):
            self._guarded(lambda: self._settle(aim, answer))
        else:
            self._works.submit(self._guarded, lambda: self._settle(aim, answer))

    def _settle(self, aim: Aim, answer: Answer) -> None:
        result = (aim, self._act(aim, answer))
        if threading.current_thread() is not self._scout:
            self._done.put([result])
            return
        self._batch.append(result)
        if len(self._batch) >= _MANY or time.monotonic() - self._sent > _OFTEN:
            self._send()

    def _send(self) -> None:
        batch, self._batch, self._sent = self._batch, [], time.monotonic()
        self._done.put(batch)

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except BaseException as error:  # noqa: BLE001
            self._done.put(error)


@contextmanager
def _threads(count: int) -> Iterator[ThreadPoolExecutor]:
    executor = ThreadPoolExecutor(count, thread_name_prefix="hub-check")
    try:
        yield executor
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
