"""Where requests meet models: which there are, how much waits, and answers in common batches."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from hubclient.classifier import Classifier
from hubclient.errors import InvalidText
from hubclient.prediction import Prediction
from hubclient.serve.limits import Limits
from hubclient.serve.problem import Refusal
from hubclient.texts import Text


class Desk:
    """`models`: by the names that requests call them. `batching`: off, each text is run by itself, one after the other.

    `waiting`: how many texts wait or are worked on. `closing`: the server is about to end.
    """

    def __init__(self, models: Mapping[str, Classifier], limits: Limits | None = None, *, batching: bool = True) -> None:
        self.models = models
        self.limits = limits or Limits()
        self.waiting = 0
        self.closing = False
        self._one_by_one = None if batching else ThreadPoolExecutor(1)

    def choose(self, name: str | None) -> tuple[str, Classifier]:
        """None is the only model there is. Raises Refusal."""
        if name is None:
            return next(iter(self.models.items()))
        if name not in self.models:
            raise Refusal(404, f"there is no model '{name}'", hint=f"there are {', '.join(self.models)}")
        return name, self.models[name]

    async def predict(self, classifier: Classifier, texts: Sequence[Text], **showing: Any) -> Sequence[Prediction]:
        """Raises Refusal."""
        with self._room_for(len(texts)):
            try:
                async with asyncio.timeout(self.limits.seconds):
                    if self._one_by_one:
                        return await self._in_turn(self._one_by_one, classifier, texts, showing)
                    return await classifier.apredict(texts, **showing)
            except TimeoutError:
                raise Refusal(504, f"there was no answer within {self.limits.seconds:g} seconds", hint="send fewer texts") from None
            except InvalidText as error:
                raise Refusal.of(422, error) from error

    @contextmanager
    def _room_for(self, count: int) -> Iterator[None]:
        if self.waiting + count > self.limits.queue:
            raise Refusal(503, "too many texts are waiting", why=f"there are {self.waiting}", hint="try again later")
        self.waiting += count
        try:
            yield
        finally:
            self.waiting -= count

    async def _in_turn(
        self, thread: ThreadPoolExecutor, classifier: Classifier, texts: Sequence[Text], showing: Mapping[str, Any]
    ) -> list[Prediction]:
        loop = asyncio.get_running_loop()
        return [await loop.run_in_executor(thread, partial(classifier, text, **showing)) for text in texts]
