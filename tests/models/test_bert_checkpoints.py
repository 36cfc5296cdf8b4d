"""Unusual PyTorch checkpoints: the graph that is built for them answers as transformers does, alone and in a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from hubclient import Classifier, from_folder
from hubclient.errors import HubError
from hubclient.texts import Text

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnop", *(f"##{letter}" for letter in "abcdefghijklmnop")]
TEXTS: list[Text] = ["a b c", "", "abc pond lim", "a " * 500, "[MASK] z", ("a b", "c d e f")]
TINY = {"hidden_size": 12, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8, "max_position_embeddings": 32}
CASES: dict[str, dict[str, Any]] = {
    "one_head": TINY | {"num_attention_heads": 1, "hidden_act": "relu", "layer_norm_eps": 1e-3},
    "five_heads_odd_width": TINY | {"hidden_size": 35, "num_attention_heads": 5, "intermediate_size": 9, "hidden_act": "gelu_new"},
    "many_labels": TINY | {"num_labels": 27, "max_position_embeddings": 300, "hidden_act": "silu", "num_hidden_layers": 3},
    "regression": TINY | {"num_labels": 1, "problem_type": "regression", "hidden_act": "tanh"},
    "one_output": TINY | {"num_labels": 1, "hidden_act": "gelu_pytorch_tanh", "type_vocab_size": 5},
    "multi_label": TINY | {"num_labels": 3, "problem_type": "multi_label_classification", "hidden_act": "quick_gelu"},
}


def save(folder: Path, settings: dict[str, Any]) -> Any:
    torch.manual_seed(7)
    model = BertForSequenceClassification(BertConfig(vocab_size=len(PIECES), initializer_range=0.4, **settings)).eval()
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    return model


@pytest.mark.parametrize("case", CASES)
def test_logits_are_transformers(case: str, tmp_path: Path) -> None:
    model = save(tmp_path / "repository", CASES[case])
    classifier = from_folder(tmp_path / "repository", cache_dir=tmp_path / "cache")
    expected = np.concatenate([reference(model, classifier, text) for text in TEXTS])
    assert np.abs(classifier.logits(TEXTS) - expected).max() <= 1e-4
    assert np.abs(np.concatenate([classifier.logits([text]) for text in TEXTS]) - expected).max() <= 1e-4
    assert np.abs(Classifier(classifier.path, engine="torch").logits(TEXTS) - expected).max() <= 1e-4


def reference(model: Any, classifier: Classifier, text: Text) -> np.ndarray:
    ids = classifier.encode(text)
    types = [0] * len(ids)
    if isinstance(text, tuple):
        first = ids.index(3) + 1
        types = [0] * first + [1] * (len(ids) - first)
    with torch.no_grad():
        logits: np.ndarray = model(input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([types])).logits.numpy()
    return logits


@pytest.mark.parametrize(
    ("case", "activation"), [("regression", "none"), ("one_output", "sigmoid"), ("multi_label", "sigmoid"), ("one_head", "softmax")]
)
def test_activation_by_problem_type(case: str, activation: str, tmp_path: Path) -> None:
    save(tmp_path / "repository", CASES[case])
    assert from_folder(tmp_path / "repository", cache_dir=tmp_path / "cache").activation == activation


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hidden_act": "mish"}, "mish"),
        ({"is_decoder": True}, "is_decoder"),
    ],
)
def test_settings_that_change_the_computation_are_refused(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    save(tmp_path / "repository", TINY | changes)
    with pytest.raises(HubError, match=words):
        from_folder(tmp_path / "repository", cache_dir=tmp_path / "cache")
