"""Tokenized texts in, logits out, in the order of the texts: the threads between the two.

Strategy: whoever asks reads and tokenizes a chunk of texts, while threads of the call's own run the batches of the chunk before. They live
as long as the call: when it ends, by an error or by leaving a generator too, they are joined. An engine is asked by as many threads at once
as it has lanes, whoever they belong to. What makes one batch is run by the caller itself, with every core.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from hubclient.batches import Tokens, alike, filled
from hubclient.engines import Engine
from hubclient.padding import Padding

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")
U = TypeVar("U")
Progress = Callable[[int], None]
# The numbers of a batch's parts, and what gives their logits, or waits for them.
Batched = tuple[Sequence[int], Callable[[], "Sequence[np.ndarray]"]]


@dataclass(frozen=True)
class Parts:
    """The parts of a chunk's texts. `counts`: how many each text has; None: one.

    `ahead`: whether the next chunk may be asked for before this one is answered. Then none of its batches is run with every core.
    """

    tokens: Sequence[Tokens]
    counts: Sequence[int] | None = None
    ahead: bool = False

    @classmethod
    def of(cls, texts: Iterable[Sequence[Tokens]], *, ahead: bool) -> Parts:
        """Of texts that may have several parts."""
        parts = list(texts)
        return cls([part for text in parts for part in text], [len(text) for text in parts], ahead)


class Scheduler:
    """Safe to be called by many threads at once, and after a fork."""

    def __init__(self, engine: Engine, padding: Padding) -> None:
        self._engine = engine
        self._padding = padding
        self._lanes = Lanes(engine.lanes)

    def one(self, tokens: Tokens) -> np.ndarray:
        """The logits of one part, of shape (labels,) or (tokens, labels)."""
        return self._logits([tokens], alone=True)[0]

    def stream(
        self, chunks: Iterable[tuple[T, Parts]], size: int | None = None, progress: Progress | None = None
    ) -> Iterator[tuple[T, list[np.ndarray]]]:
        """For every chunk what came with it, and the logits of each part: of shape (labels,), or (tokens, labels) without those of padding.

        `size`: so many parts a batch, instead of what suits the engine. `progress` is told how many more texts are done.
        """
        begun: deque[tuple[T, Parts, list[Batched]]] = deque()
        with Crew(self._engine.lanes) as crew:
            for label, parts in chunks:
                begun.append((label, parts, self._begin(parts.tokens, size, crew, idle=not begun and not parts.ahead)))
                while len(begun) > parts.ahead:
                    yield _finished(*begun.popleft(), progress)
            while begun:
                yield _finished(*begun.popleft(), progress)

    def _begin(self, tokens: Sequence[Tokens], size: int | None, crew: Crew, *, idle: bool) -> list[Batched]:
        lanes = self._engine.lanes
        batches = alike(tokens, tokens=self._engine.tokens, lanes=lanes, size=size)
        single = len(batches) == 1
        hand_out = partial if lanes == 1 or (idle and single) else crew.hand_out
        return [(batch, hand_out(self._logits, [tokens[number] for number in batch], alone=idle and single)) for batch in batches]

    def _logits(self, parts: Sequence[Tokens], *, alone: bool = False) -> Sequence[np.ndarray]:
        batch = filled(parts, self._padding)
        with self._lanes.one() as only:
            logits = self._engine.logits(batch, alone=alone and only)
        if logits.ndim == 2:
            return list(logits)
        return [answers[mask != 0] for answers, mask in zip(logits, batch.attention_mask, strict=True)]


class Crew:
    """Threads for one call, started when there is work for them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._pool: ThreadPoolExecutor | None = None

    def hand_out(self, work: Callable[..., T], *arguments: Any, **options: Any) -> Callable[[], T]:
        """Gives what waits for the result."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._size, thread_name_prefix="hubclient")
        return self._pool.submit(work, *arguments, **options).result

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *error: object) -> None:
        """What nobody has begun is left undone."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)


class Lanes:
    """Lets so many threads at once into an engine. What threads of the parent held when a process was forked is free in the child."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._open()

    @contextmanager
    def one(self) -> Iterator[bool]:
        """Whether nobody else is inside."""
        if self._process != os.getpid():
            self._open()
        free, inside = self._free, self._inside
        with free:
            inside.append(None)
            try:
                yield len(inside) == 1
            finally:
                inside.pop()

    def _open(self) -> None:
        self._free, self._inside = threading.Semaphore(self._count), list[None]()
        self._process = os.getpid()


def _finished(label: T, parts: Parts, batches: Iterable[Batched], progress: Progress | None) -> tuple[T, list[np.ndarray]]:
    answers: dict[int, np.ndarray] = {}
    tell = _by_text(parts.counts, progress) if progress else None
    for numbers, logits in batches:
        answers.update(zip(numbers, logits(), strict=True))
        if tell:
            tell(numbers)
    return label, [answers[number] for number in range(len(parts.tokens))]


def _by_text(counts: Sequence[int] | None, progress: Progress) -> Callable[[Sequence[int]], None]:
    """Tells of texts where parts are counted: one is done when its last part is."""
    if counts is None:
        return lambda numbers: progress(len(numbers))
    owners = [text for text, count in enumerate(counts) for _ in range(count)]
    left = list(counts)

    def tell(numbers: Sequence[int]) -> None:
        for number in numbers:
            left[owners[number]] -= 1
        progress(sum(left[text] == 0 for text in {owners[number] for number in numbers}))

    return tell


def grouped(answers: Iterable[U], counts: Iterable[int]) -> Iterator[list[U]]:
    """Those of each text."""
    each = iter(answers)
    return (list(islice(each, count)) for count in counts)
