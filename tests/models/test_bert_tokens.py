"""BERT that labels each token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hubclient.models.bert import BERT
from tests.models import encoders

TINY: dict[str, Any] = {
    "vocab_size": 40,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 32,
}
KIND = "BertForTokenClassification"
CASES: dict[str, dict[str, Any]] = {
    "one_head_one_layer": {"num_attention_heads": 1, "num_hidden_layers": 1, "hidden_act": "relu", "layer_norm_eps": 1e-3},
    "five_heads_many_labels": {"hidden_size": 35, "num_attention_heads": 5, "num_labels": 27, "hidden_act": "gelu_new"},
    "one_output": {"num_labels": 1, "max_position_embeddings": 300, "type_vocab_size": 5},
}


@pytest.mark.parametrize("case", CASES)
def test_checkpoints(case: str, tmp_path: Path) -> None:
    encoders.check_checkpoint(BERT, KIND, TINY | CASES[case], tmp_path)


def test_a_graph_of_tensorflow(tmp_path: Path) -> None:
    encoders.check_graph(BERT, "bert_tokens", tmp_path)


def test_wrong_heads_give_other_answers(tmp_path: Path) -> None:
    encoders.check_noticed(BERT, "bert_tokens", {"num_attention_heads": 6}, tmp_path)


@pytest.mark.parametrize("way", encoders.EXPORTS)
def test_exports_are_read(way: str, tmp_path: Path) -> None:
    encoders.check_export(BERT, KIND, TINY | {"num_attention_heads": 3, "hidden_act": "silu", "num_labels": 7}, way, tmp_path)


@pytest.mark.parametrize("path", encoders.archives("bert_tiny_token_classifier_"))
def test_archives(path: Path, tmp_path: Path) -> None:
    encoders.check_archive(BERT, path, None, tmp_path, "token")
