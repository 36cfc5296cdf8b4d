"""A classifier in many threads at once, in forked processes, and left in the middle."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from hubclient import Classifier, TokenClassifier, ZeroShotClassifier, from_folder
from hubclient.errors import ModelError, UsageError
from hubclient.native import GRAPH

TEXTS = [f"a {word} film " * (1 + number % 9) for number, word in enumerate(["good", "bad", "zz", "this"] * 60)]
ENGINES = ("onnx", "torch")


@pytest.fixture(scope="module", params=ENGINES)
def several(request: pytest.FixtureRequest, nli_repository: Path, tasks_cache: Path) -> Classifier:
    return from_folder(nli_repository, cache_dir=tasks_cache, engine=request.param, threads=3)


def own_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("hubclient")]


def test_threads_change_nothing(several: Classifier, nli_repository: Path, tasks_cache: Path) -> None:
    one = from_folder(nli_repository, cache_dir=tasks_cache, engine=several.engine, threads=1)
    assert np.abs(several.logits(TEXTS) - one.logits(TEXTS)).max() < 1e-5
    assert np.abs(several.logits(iter(TEXTS)) - one.logits(TEXTS)).max() < 1e-5
    assert np.abs(several.logits(TEXTS[:1]) - one.logits(TEXTS)[:1]).max() < 1e-5
    assert own_threads() == []


def test_many_callers(several: Classifier) -> None:
    wanted = several.logits(TEXTS)
    singles = [several(text).label for text in TEXTS[:20]]

    def ask(number: int) -> bool:
        if number % 2:
            return [several(text).label for text in TEXTS[:20]] == singles
        return bool(np.abs(several.logits(iter(TEXTS)) - wanted).max() < 1e-5)

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(ask, range(12)))
    assert own_threads() == []


def test_a_stream_that_is_left(several: Classifier) -> None:
    stream = several.stream(TEXTS[number % len(TEXTS)] for number in count())
    for _ in range(500):
        next(stream)
    del stream
    assert own_threads() == []


def test_a_stream_whose_source_fails(several: Classifier) -> None:
    def texts() -> Iterator[str]:
        yield from TEXTS * 3
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(several.stream(texts()))
    assert own_threads() == []


def test_every_task(nli_repository: Path, token_repository: Path, tasks_cache: Path) -> None:
    def alike(opened: Callable[[int], Callable[[list[str]], object]]) -> bool:
        return opened(1)(TEXTS) == opened(3)(TEXTS)

    def zero_shot(threads: int) -> Callable[[list[str]], object]:
        model = from_folder(nli_repository, task="zero-shot-classification", cache_dir=tasks_cache, threads=threads)
        assert isinstance(model, ZeroShotClassifier)
        return lambda texts: [one.label for one in model(texts, ["film", "phone", "bad"])]

    def tagger(threads: int) -> Callable[[list[str]], object]:
        model = from_folder(token_repository, task="token-classification", cache_dir=tasks_cache, threads=threads)
        assert isinstance(model, TokenClassifier)
        return lambda texts: [[(one.label, one.start, one.end) for one in entities] for entities in model(texts)]

    assert alike(zero_shot)
    assert alike(tagger)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("ending", ["sys.exit()", "os._exit(0)"])
def test_a_forked_process_answers_and_ends(nli_repository: Path, tasks_cache: Path, engine: str, ending: str) -> None:
    """The parent has used every session, with threads, while it forks; and it goes on."""
    code = f"""
import os, sys, signal, threading
from hubclient import from_folder
texts = ["a good film", "a bad film " * 5] * 100
opened = from_folder({str(nli_repository)!r}, cache_dir={str(tasks_cache)!r}, engine={engine!r}, threads=2)
wanted = [one.label for one in opened(texts)]
single = [opened(texts[1]).label for _ in range(30)][0]
busy = threading.Thread(target=lambda: [opened(texts) for _ in range(5)])
busy.start()
child = os.fork()
if not child:
    signal.alarm(60)
    assert opened(texts[1]).label == single
    assert [one.label for one in opened(texts)] == wanted
    {ending}
_, status = os.waitpid(child, 0)
busy.join()
assert [one.label for one in opened(texts)] == wanted
sys.exit(os.waitstatus_to_exitcode(status))
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TOKENIZERS_PARALLELISM": "true"}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, env=env, timeout=200)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", True])
def test_threads_that_cannot_be(classifier: Classifier, threads: int) -> None:
    with pytest.raises(UsageError, match="threads"):
        Classifier(classifier.path, threads=threads)


def test_a_graph_that_is_damaged_is_refused_when_it_is_opened(classifier: Classifier, tmp_path: Path) -> None:
    for file in classifier.path.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / GRAPH).write_bytes((classifier.path / GRAPH).read_bytes()[:-40])
    with pytest.raises(ModelError):
        Classifier(tmp_path)
