"""Callers of asyncio: common batches, and each caller gets its own answer, or its own error."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hubclient import Classifier, TokenClassifier, ZeroShotClassifier, from_folder
from hubclient.errors import InvalidText, ModelError
from hubclient.gathering import Gathering
from hubclient.prediction import Prediction

TEXTS = [f"a {word} film " * (1 + number % 9) for number, word in enumerate(["good", "bad", "zz", "this"] * 30)]


def close(found: Sequence[Prediction], wanted: Sequence[Prediction]) -> bool:
    pairs = list(zip(found, wanted, strict=True))
    return all(a.label == b.label and a.selected == b.selected and abs(a.score - b.score) < 1e-5 for a, b in pairs)


def test_many_callers_get_the_answers_that_one_gets(classifier: Classifier) -> None:
    async def ask() -> list[Prediction]:
        return await asyncio.gather(*(classifier.apredict(text) for text in TEXTS))

    assert close(asyncio.run(ask()), classifier(TEXTS))
    assert close(asyncio.run(ask()), classifier(TEXTS)), "in a second loop"


def test_lists_long_ones_too_and_none(classifier: Classifier) -> None:
    async def ask(texts: list[str]) -> list[Prediction]:
        return await classifier.apredict(texts)

    for count in (0, 1, 5, len(TEXTS)):
        assert close(asyncio.run(ask(TEXTS[:count])), classifier(TEXTS[:count]))


def test_options_are_each_callers_own(nli_repository: Path, tasks_cache: Path) -> None:
    opened = from_folder(nli_repository, cache_dir=tasks_cache, activation="sigmoid")
    wanted = [opened(TEXTS[0], threshold=0.0, top_k=1), opened(TEXTS[0], threshold=1.0), opened(TEXTS[0])]

    async def ask() -> list[Prediction]:
        answers = (opened.apredict(TEXTS[0], threshold=0.0, top_k=1), opened.apredict(TEXTS[0], threshold=1.0), opened.apredict(TEXTS[0]))
        return list(await asyncio.gather(*answers))

    found = asyncio.run(ask())
    assert close(found, wanted)
    assert [len(one.scores) for one in found] == [1, 3, 3]


def test_other_tasks(zero_shot: ZeroShotClassifier, tagger: TokenClassifier) -> None:
    async def ask() -> tuple[list[Prediction], list[Any]]:
        labels = (zero_shot.apredict(text, ["film", "phone"]) for text in TEXTS[:10])
        return await asyncio.gather(*labels), await asyncio.gather(*(tagger.apredict(text) for text in TEXTS[:10]))

    predictions, entities = asyncio.run(ask())
    assert close(predictions, zero_shot(TEXTS[:10], ["film", "phone"]))
    wanted = tagger(TEXTS[:10])
    assert [[(e.label, e.start, e.end) for e in some] for some in entities] == [
        [(e.label, e.start, e.end) for e in some] for some in wanted
    ]


def test_what_is_no_text_is_the_fault_of_its_caller_alone(classifier: Classifier) -> None:
    async def ask() -> list[Any]:
        wrong: Any = 5
        answers = (classifier.apredict("a"), classifier.apredict(wrong), classifier.apredict("b"))
        return list(await asyncio.gather(*answers, return_exceptions=True))

    found = asyncio.run(ask())
    assert isinstance(found[1], InvalidText)
    assert close([found[0], found[2]], classifier(["a", "b"]))


class Slow:
    """Answers after a while with the text and how many were asked together; not to one text."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.inside = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, texts: Sequence[Any], options: Any) -> Sequence[Any]:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.batches.append(len(texts))
        time.sleep(0.05)
        self.inside -= 1
        if "wrong" in texts:
            raise ModelError("wrong")
        return [(text, options) for text in texts]


def test_what_waits_makes_a_batch_and_no_more_run_than_there_are_lanes() -> None:
    slow = Slow()

    async def ask() -> list[Any]:
        gathering = Gathering(slow, 2)
        first = [asyncio.ensure_future(gathering.ask([f"{n}"], None)) for n in range(2)]
        await asyncio.sleep(0.01)
        rest = [asyncio.ensure_future(gathering.ask([f"{n}"], None)) for n in range(2, 32)]
        return [answer for answers in await asyncio.gather(*first, *rest) for answer in answers]

    assert asyncio.run(ask()) == [(f"{n}", None) for n in range(32)]
    assert slow.most == 2
    assert slow.batches[:2] == [1, 1]
    assert sorted(slow.batches[2:])[-1] >= 15


def test_an_error_is_for_whoever_caused_it() -> None:
    slow = Slow()

    async def ask() -> list[Any]:
        gathering = Gathering(slow, 1)
        return list(await asyncio.gather(*(gathering.ask([text], None) for text in ("a", "wrong", "b")), return_exceptions=True))

    found = asyncio.run(ask())
    assert [found[0], found[2]] == [[("a", None)], [("b", None)]]
    assert isinstance(found[1], ModelError)


def test_whoever_stops_waiting_is_left_out() -> None:
    slow = Slow()

    async def ask() -> Any:
        gathering = Gathering(slow, 1)
        first = asyncio.ensure_future(gathering.ask(["a"], None))
        await asyncio.sleep(0.01)
        left, kept = (asyncio.ensure_future(gathering.ask([text], None)) for text in ("b", "c"))
        await asyncio.sleep(0)
        left.cancel()
        return await first, await kept

    assert asyncio.run(ask()) == ([("a", None)], [("c", None)])
    assert slow.batches == [1, 1]


def test_what_nobody_expects_reaches_every_caller() -> None:
    def broken(texts: Sequence[Any], options: Any) -> Sequence[Any]:
        raise ZeroDivisionError

    async def ask() -> list[Any]:
        gathering = Gathering(broken, 1)
        return list(await asyncio.gather(*(gathering.ask([text], None) for text in ("a", "b")), return_exceptions=True))

    assert [type(error) for error in asyncio.run(ask())] == [ZeroDivisionError] * 2
