"""Unusual models from TensorFlow itself: heads, widths, activation functions, epsilons, positions and labels come out of the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hubclient import Classifier, from_archive

DATA = Path(__file__).parent / "data"
EXPECTED: dict[str, dict[str, Any]] = {
    "one_head_relu": {"hidden_size": 20, "num_attention_heads": 1, "hidden_act": "relu", "layer_norm_eps": 1e-3, "activation": "softmax"},
    "five_heads_gelu_fast": {
        "hidden_size": 40,
        "num_attention_heads": 5,
        "hidden_act": "gelu_new",
        "layer_norm_eps": 1e-5,
        "activation": "sigmoid",
    },
    "three_heads_silu": {
        "hidden_size": 24,
        "num_attention_heads": 3,
        "hidden_act": "silu",
        "layer_norm_eps": 1e-7,
        "activation": "sigmoid",
    },
    "two_heads_quick_gelu": {
        "hidden_size": 16,
        "num_attention_heads": 2,
        "hidden_act": "quick_gelu",
        "layer_norm_eps": 1e-12,
        "activation": "none",
    },
}


@pytest.fixture(params=EXPECTED, scope="module")
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def classifier(case: str, tmp_path: Path) -> Classifier:
    return from_archive(DATA / f"{case}.zip", cache_dir=tmp_path)


def golden(case: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    head, *rows = map(json.loads, (DATA / f"{case}.golden.jsonl").read_text(encoding="utf-8").splitlines())
    return head, rows


def test_settings_are_read_off_the_graph(case: str, classifier: Classifier) -> None:
    config = json.loads((classifier.path / "config.json").read_text(encoding="utf-8"))
    expected = EXPECTED[case]
    assert {key: config[key] for key in expected if key != "activation"} == {k: v for k, v in expected.items() if k != "activation"}
    assert classifier.activation == expected["activation"]


def test_labels_and_length(case: str, classifier: Classifier) -> None:
    head, _ = golden(case)
    assert list(classifier.labels) == head["labels"]
    assert classifier.max_length == head["max_length"]


@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_logits_are_tensorflows(case: str, classifier: Classifier, engine: str) -> None:
    _, rows = golden(case)
    opened = Classifier(classifier.path, engine=engine)
    texts = [row["text"] for row in rows]
    assert [opened.encode(text) for text in texts] == [row["input_ids"] for row in rows]
    expected = np.array([row["logits"] for row in rows])
    assert np.abs(opened.logits(texts) - expected).max() <= 1e-4
    alone = np.concatenate([opened.logits([text]) for text in texts])
    assert np.abs(alone - expected).max() <= 1e-4
