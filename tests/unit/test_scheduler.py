"""Threads between tokens and answers: order, overlap, bounds, errors, and nothing left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Any

import numpy as np
import pytest

from hubclient.engines import Batch
from hubclient.padding import Padding
from hubclient.scheduler import Lanes, Parts, Scheduler, grouped


@dataclass
class Words:
    number: int
    length: int = 4

    @property
    def ids(self) -> list[int]:
        return [self.number] * self.length

    @property
    def type_ids(self) -> list[int]:
        return [0] * self.length

    def __len__(self) -> int:
        return self.length


@dataclass
class Echo:
    """An engine that answers with each text's first id, and does `work` first; it counts who is inside at once."""

    lanes: int = 2
    work: Callable[[Batch], object] = lambda batch: None
    per_token: bool = False
    name: str = "echo"
    tokens: int = 8  # two texts of four
    inside: int = 0
    most: int = 0
    alone: list[bool] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def logits(self, batch: Batch, *, alone: bool = False) -> np.ndarray:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.alone.append(alone)
        try:
            self.work(batch)
            ids = batch.input_ids.astype(np.float32)
            return ids[..., None] if self.per_token else ids[:, :1]
        finally:
            with self.lock:
                self.inside -= 1


def scheduler(engine: Echo) -> Scheduler:
    return Scheduler(engine, Padding(0, "right"))  # type: ignore[arg-type]


def chunk(first: int, texts: int = 100, *, ahead: bool = True) -> tuple[int, Parts]:
    return first, Parts([Words(first + number, 1 + (number * 7) % 40) for number in range(texts)], ahead=ahead)


def own_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("hubclient")]


@pytest.mark.parametrize("lanes", [1, 2, 5])
@pytest.mark.parametrize("ahead", [False, True])
def test_answers_in_order(lanes: int, ahead: bool) -> None:
    engine = Echo(lanes, lambda batch: time.sleep(batch.input_ids[0, 0] % 3 / 1000))
    chunks = (chunk(first, ahead=ahead) for first in range(0, 300, 100))
    found = list(scheduler(engine).stream(chunks))
    assert [first for first, _ in found] == [0, 100, 200]
    assert [answer.tolist() for _, answers in found for answer in answers] == [[float(number)] for number in range(300)]
    assert engine.most <= lanes


def test_lanes_run_at_once() -> None:
    both = threading.Barrier(2, timeout=20)
    engine = Echo(2, lambda batch: both.wait(), tokens=128)
    ((_, answers),) = scheduler(engine).stream([(None, Parts([Words(number, 128) for number in range(2)]))])
    assert len(answers) == engine.most == 2


def test_the_next_chunk_is_read_while_one_is_run() -> None:
    read = threading.Event()

    def chunks() -> Iterator[tuple[int, Parts]]:
        yield chunk(0)
        read.set()
        yield chunk(100)

    engine = Echo(2, lambda batch: read.wait(20) or pytest.fail("nothing was read"))
    assert len(list(scheduler(engine).stream(chunks()))) == 2


def test_no_more_is_read_ahead_than_a_chunk() -> None:
    read: list[int] = []

    def chunks() -> Iterator[tuple[int, Parts]]:
        for number in count():
            read.append(number)
            yield chunk(0)

    stream = scheduler(Echo()).stream(chunks())
    for done, _ in enumerate(islice(stream, 20), 1):
        assert len(read) <= done + 1
    stream.close()  # type: ignore[attr-defined]


def test_a_chunk_may_have_to_be_answered_first() -> None:
    read: list[int] = []

    def chunks() -> Iterator[tuple[int, Parts]]:
        for number in range(3):
            read.append(number)
            yield chunk(0, ahead=False)

    for done, _ in enumerate(scheduler(Echo()).stream(chunks()), 1):
        assert len(read) == done


def test_answers_for_tokens_come_without_padding() -> None:
    engine = Echo(per_token=True, tokens=1000)
    ((_, answers),) = scheduler(engine).stream([(None, Parts([Words(7, 3), Words(9, 5)]))])
    assert [answer.shape for answer in answers] == [(3, 1), (5, 1)]
    left = Scheduler(engine, Padding(0, "left"))  # type: ignore[arg-type]
    assert left.one(Words(7, 3)).ravel().tolist() == [7, 7, 7]
    ((_, answers),) = left.stream([(None, Parts([Words(7, 3), Words(9, 5)]))])
    assert [answer.ravel().tolist() for answer in answers] == [[7] * 3, [9] * 5]


def test_progress_tells_of_texts_whose_parts_are_all_done() -> None:
    parts = Parts.of([[Words(1)], [Words(2)] * 5, [Words(3)] * 2], ahead=False)
    told: list[int] = []
    ((_, answers),) = scheduler(Echo()).stream([(None, parts)], size=1, progress=told.append)
    assert sum(told) == 3
    assert len(told) == len(answers) == 8
    assert [len(some) for some in grouped(answers, parts.counts or ())] == [1, 5, 2]


def test_one_batch_is_run_by_the_caller_with_every_core() -> None:
    threads: list[threading.Thread] = []
    engine = Echo(4, lambda batch: threads.append(threading.current_thread()))
    assert scheduler(engine).one(Words(5)).tolist() == [5.0]
    list(scheduler(engine).stream([(None, Parts([Words(5), Words(6)]))]))
    assert threads == [threading.current_thread()] * 2
    assert engine.alone == [True, True]


def test_with_one_lane_there_are_no_threads() -> None:
    threads: set[threading.Thread] = set()
    engine = Echo(1, lambda batch: threads.add(threading.current_thread()))
    list(scheduler(engine).stream([chunk(0), chunk(100)]))
    assert threads == {threading.current_thread()}
    assert not any(engine.alone)


def test_an_error_of_the_engine_reaches_the_caller_and_leaves_no_thread() -> None:
    def fail(batch: Batch) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(scheduler(Echo(3, fail)).stream([chunk(0), chunk(100)]))
    assert own_threads() == []


def test_an_error_of_the_source_reaches_the_caller_and_leaves_no_thread() -> None:
    def chunks() -> Iterator[tuple[int, Parts]]:
        yield chunk(0)
        raise ZeroDivisionError

    engine = Echo(2, lambda batch: time.sleep(0.001))
    with pytest.raises(ZeroDivisionError):
        list(scheduler(engine).stream(chunks()))
    assert own_threads() == []
    assert engine.inside == 0


def test_a_generator_that_is_left_leaves_no_thread_and_no_work() -> None:
    engine = Echo(2, lambda batch: time.sleep(0.01))
    stream = scheduler(engine).stream(chunk(first) for first in count(0, 100))
    next(stream)
    assert own_threads()
    begun = time.monotonic()
    stream.close()  # type: ignore[attr-defined]
    assert own_threads() == []
    assert time.monotonic() - begun < 5
    assert engine.inside == 0


def test_however_many_ask_no_more_than_the_lanes_are_inside() -> None:
    engine = Echo(2, lambda batch: time.sleep(0.0005))
    shared = scheduler(engine)
    found: dict[int, list[float]] = {}

    def ask(first: int) -> None:
        found[first] = [float(answer[0]) for _, answers in shared.stream([chunk(first)]) for answer in answers]

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(0, 800, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {first: [float(first + number) for number in range(100)] for first in range(0, 800, 100)}
    assert engine.most == 2


def test_who_asks_beside_another_has_not_every_core() -> None:
    lanes = Lanes(2)
    with lanes.one() as first, lanes.one() as second:
        assert (first, second) == (True, False)
    with lanes.one() as again:
        assert again
