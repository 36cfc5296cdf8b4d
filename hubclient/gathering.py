"""Concurrent callers of an event loop, answered together.

Strategy: nothing is waited for. What is asked while the model is busy makes the next batch, so that batches grow with the load, and a text
that comes alone is answered at once. As many batches are worked off at once as the engine has lanes, in the loop's own threads.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

from hubclient.errors import HubError
from hubclient.texts import Text

# Gives the answers to texts that are asked with the same options.
Answering = Callable[[Sequence[Text], Any], Sequence[Any]]
_MOST = 64


@dataclass(frozen=True, eq=False)
class Asked:
    text: Text
    options: Hashable
    future: asyncio.Future[Any]


class Gathering:
    """What is asked of one model in one event loop."""

    def __init__(self, answer: Answering, lanes: int) -> None:
        self._answer = answer
        self._lanes = lanes
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Asked] = deque()
        self._busy = 0

    async def ask(self, texts: Sequence[Text], options: Hashable) -> list[Any]:
        """Raises what the answering raises."""
        asked = [Asked(text, options, self._loop.create_future()) for text in texts]
        self._waiting.extend(asked)
        # Whoever else asks in the same turn of the loop comes along.
        self._loop.call_soon(self._begin)
        return await asyncio.gather(*(one.future for one in asked))

    def _begin(self) -> None:
        while self._busy < self._lanes and (some := self._take()):
            self._busy += 1
            work = self._loop.run_in_executor(None, self._work, some)
            work.add_done_callback(partial(self._deliver, some))

    def _take(self) -> list[Asked]:
        """A share for each lane that is free. Whoever has stopped waiting is left out."""
        share = min(_MOST, -(-len(self._waiting) // (self._lanes - self._busy)))
        taken: list[Asked] = []
        while self._waiting and len(taken) < share:
            one = self._waiting.popleft()
            if not one.future.done():
                taken.append(one)
        return taken

    def _work(self, some: Sequence[Asked]) -> list[Any]:
        """An answer for each, or the error that it met."""
        numbers = sorted(range(len(some)), key=lambda number: hash(some[number].options))
        answers: dict[int, Any] = {}
        for options, group in groupby(numbers, key=lambda number: some[number].options):
            alike = list(group)
            answers |= zip(alike, self._answers([some[number].text for number in alike], options), strict=True)
        return [answers[number] for number in range(len(some))]

    def _answers(self, texts: Sequence[Text], options: Hashable) -> Sequence[Any]:
        try:
            return self._answer(texts, options)
        except HubError as error:
            if len(texts) == 1:
                return [error]
        # One that cannot be answered is no reason for the others to fail.
        return [self._answers([text], options)[0] for text in texts]

    def _deliver(self, some: Sequence[Asked], work: asyncio.Future[list[Any]]) -> None:
        self._busy -= 1
        failed = work.exception()
        for one, answer in zip(some, [failed] * len(some) if failed else work.result(), strict=True):
            if one.future.done():
                continue
            if isinstance(answer, BaseException):
                one.future.set_exception(answer)
            else:
                one.future.set_result(answer)
        self._begin()
