"""What the graphs of real archives answer when they are worked out: the golden logits of the original checkpoints."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hubclient.archive.bundle import TensorBundle
from hubclient.archive.calculate import calculate
from hubclient.archive.graph import Graph
from hubclient.archive.location import open_archive
from hubclient.archive.sparknlp import read_archive
from hubclient.archive.weights import tensorflow_files, unpack
from tests.archive.builders import DEMO

_ROOT = Path(__file__).parents[2]
_FOLDERS = (_ROOT / "tests" / "models" / "data", _ROOT / "tests" / "data", _ROOT.parent / "shared" / "archives")


def _has_tensorflow(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("_tensorflow") for name in archive.namelist())


ARCHIVES = sorted({path.stem: path for folder in _FOLDERS for path in folder.glob("*.zip") if _has_tensorflow(path)}.values())
_LIMIT = 1 << 30
_ROWS = 8
_PADS = {"xlnet": 5, "roberta": 1, "xlm-roberta": 1, "camembert": 1, "longformer": 1}
Feeds = dict[str, np.ndarray]


class Opened:
    """An archive's graph, the name of its logits, and its variables."""

    def __init__(self, data: bytes, output: str, bundle: TensorBundle) -> None:
        keys = bundle.variables()
        self.data = data
        self.output = output
        self.variable: Callable[[str], np.ndarray] = cache(lambda name: bundle.array(keys[name]))
        self._flow = Graph(data).trace(output)

    def __call__(self, feeds: Feeds) -> np.ndarray:
        return calculate(self._flow, feeds, self.variable)


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    with open_archive(path) as members, tempfile.TemporaryFile() as file:
        archive = read_archive(members)
        inner = unpack(archive.members, archive.weights, file)
        files = tensorflow_files(inner)
        assert archive.signatures
        bundle = TensorBundle(inner.read(files.index, _LIMIT), *(inner.read(shard, _LIMIT) for shard in files.shards))
        yield Opened(inner.read(files.graph, _LIMIT), archive.signatures["logits"], bundle)


def golden(path: Path) -> tuple[str, list[dict[str, Any]]]:
    """The architecture, and rows with `input_ids` and `logits`, some with `token_type_ids`."""
    file = path.with_suffix(".golden.jsonl")
    if not file.exists():
        file = _ROOT / "tests" / "data" / file.name
    facts, *lines = map(json.loads, file.read_text("utf-8").splitlines())
    return facts.get("architecture", "bert"), [row for line in lines for row in line.get("pairs", [line])]


def feeds(row: dict[str, Any], architecture: str) -> Feeds:
    ids = np.array([row["input_ids"]])
    types = np.array([row.get("token_type_ids", [0] * ids.size)])
    if architecture == "xlnet":
        types[0, -1] = 2  # its tokenizer's type of <cls>, which comes last
    return {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": types}


def padded(texts: list[Feeds], architecture: str) -> Feeds:
    """In one batch, as long as the longest; XLNet pads on the left, with a token type of its own."""
    fill = {"input_ids": _PADS.get(architecture, 0), "attention_mask": 0, "token_type_ids": 3 if architecture == "xlnet" else 0}
    width = max(text["input_ids"].shape[1] for text in texts)

    def one(name: str, value: np.ndarray) -> np.ndarray:
        missing = width - value.shape[1]
        return np.pad(value, ((0, 0), (missing, 0) if architecture == "xlnet" else (0, missing)), constant_values=fill[name])

    return {name: np.concatenate([one(name, text[name]) for text in texts]) for name in fill}


def agree(found: np.ndarray, row: dict[str, Any]) -> bool:
    """Equal but for rounding, whose errors grow with the values; a token's logits are those of its place."""
    wanted = np.array(row["logits"])
    given = found[: len(wanted)] if wanted.ndim == 2 else found
    return given.shape == wanted.shape and bool(np.abs(given - wanted).max() <= 1e-4 * max(1, np.abs(wanted).max()))


@pytest.mark.parametrize("path", ARCHIVES, ids=lambda path: path.stem)
def test_the_graph_answers_as_the_original_does(path: Path) -> None:
    architecture, rows = golden(path)
    rows = rows[:_ROWS]
    texts = [feeds(row, architecture) for row in rows]
    with opened(path) as graph:
        alone = [graph(text)[0] for text in texts]
        batches = [found for start in range(0, len(texts), 4) for found in graph(padded(texts[start : start + 4], architecture))]
    assert len({text["input_ids"].shape for text in texts}) > 1
    assert [agree(found, row) for found, row in zip(alone, rows, strict=True)] == [True] * len(rows)
    assert [agree(found, row) for found, row in zip(batches, rows, strict=True)] == [True] * len(rows)


def test_the_embedded_archive_is_one_of_them() -> None:
    with opened(DEMO) as graph:
        logits = graph({"input_ids": np.array([[2, 3]]), "attention_mask": np.ones((1, 2)), "token_type_ids": np.zeros((1, 2))})
    assert logits.shape == (1, 2)
    assert logits.dtype == np.float32
