"""How much is taken at once: more and more, but never too much, and no more than there is time for."""

from __future__ import annotations

import math
from collections.abc import Iterator

from hubclient.chunks import CHUNK, chunks
from hubclient.texts import checked


def test_chunks_are_bounded_by_texts_and_by_letters() -> None:
    assert [len(chunk) for chunk in chunks(["a"] * 100, 8, math.inf)] == [8, 16, 32, 44]
    assert [len(chunk) for chunk in chunks(["a"] * (2 * CHUNK + 1), CHUNK, math.inf)] == [CHUNK, CHUNK, 1]
    huge = "a" * 600_000
    assert [len(chunk) for chunk in chunks([huge, (huge, huge), huge, "b"], CHUNK, math.inf)] == [2, 2]


def test_no_more_is_read_than_is_needed() -> None:
    read: list[int] = []

    def texts() -> Iterator[str]:
        for number in range(100):
            read.append(number)
            yield "a"

    next(chunks(checked(texts()), 5))
    assert len(read) == 5


def test_who_is_slow_is_not_waited_for() -> None:
    now = 0.0

    def texts() -> Iterator[str]:
        nonlocal now
        for number in range(12):
            now += 1 if 4 <= number < 8 else 0
            yield "a"

    found = list(chunks(texts(), 4, 0.5, lambda: now))
    assert sum(map(len, found)) == 12
    assert [len(chunk) for chunk in found[:5]] == [4, 1, 1, 1, 1]
    assert [len(chunk) for chunk in found[5:]] == [1, 2, 1]
    assert not any(chunk.ahead for chunk in found[:5])


def test_the_first_of_a_stream_is_answered_before_more_is_read() -> None:
    assert [chunk.ahead for chunk in chunks(["a"] * 24, 8, math.inf)] == [False, True]
    assert [chunk.ahead for chunk in chunks(["a"] * (2 * CHUNK + 1), CHUNK, math.inf)] == [True, True, False]
