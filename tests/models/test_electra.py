"""ELECTRA: embeddings narrower than the layers, and a head that always has gelu."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from hubclient.errors import UnsupportedModel
from hubclient.models import family_of
from hubclient.models.electra import ELECTRA
from tests.models import encoders
from tests.models.exports import Named, export
from tests.models.rebuilt import committed_graph, rebuild_onnx

TINY: dict[str, Any] = {
    "vocab_size": 40,
    "embedding_size": 8,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 32,
}
SEQUENCE, TOKEN = "ElectraForSequenceClassification", "ElectraForTokenClassification"
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "one_head": (SEQUENCE, {"num_attention_heads": 1, "hidden_act": "relu", "layer_norm_eps": 1e-3}),
    "five_heads_wider_embeddings": (
        SEQUENCE,
        {"embedding_size": 37, "hidden_size": 35, "num_attention_heads": 5, "hidden_act": "gelu_new"},
    ),
    "embeddings_of_the_same_width": (SEQUENCE, {"embedding_size": 12, "num_labels": 27, "max_position_embeddings": 300}),
    "one_output": (SEQUENCE, {"num_labels": 1, "hidden_act": "silu", "type_vocab_size": 5}),
    "tokens": (TOKEN, {"num_labels": 9, "num_hidden_layers": 1}),
}
CONFIG = {**ELECTRA.defaults, **TINY, "architectures": [SEQUENCE]}


@pytest.mark.parametrize("case", CASES)
def test_checkpoints(case: str, tmp_path: Path) -> None:
    kind, settings = CASES[case]
    encoders.check_checkpoint(ELECTRA, kind, TINY | settings, tmp_path)


@pytest.mark.parametrize("name", ["electra_narrow", "electra_tokens"])
def test_graphs_of_tensorflow(name: str, tmp_path: Path) -> None:
    encoders.check_graph(ELECTRA, name, tmp_path)


@pytest.mark.parametrize(
    "changes", [{"num_attention_heads": 6}, {"layer_norm_eps": 1e-3}, {"hidden_act": "gelu"}], ids=lambda changes: str(*changes)
)
def test_wrong_settings_give_other_answers(changes: dict[str, Any], tmp_path: Path) -> None:
    encoders.check_noticed(ELECTRA, "electra_narrow", changes, tmp_path)


@pytest.mark.parametrize("way", encoders.EXPORTS)
def test_exports_are_read(way: str, tmp_path: Path) -> None:
    settings = {"num_attention_heads": 3, "hidden_act": "relu", "layer_norm_eps": 1e-4, "num_labels": 4}
    encoders.check_export(ELECTRA, SEQUENCE, TINY | settings, way, tmp_path)


@pytest.mark.parametrize(("kind", "width"), [(SEQUENCE, 12), (TOKEN, 12), (TOKEN, 5)])
def test_exports_of_other_shapes_are_read(kind: str, width: int, tmp_path: Path) -> None:
    encoders.check_export(ELECTRA, kind, TINY | {"embedding_size": width, "num_hidden_layers": 1, "num_labels": 3}, "eager", tmp_path)


@pytest.mark.parametrize("path", encoders.archives("bert_classifier_electra_"))
def test_archives(path: Path, tmp_path: Path) -> None:
    encoders.check_archive(ELECTRA, path, "tiny_electra_open", tmp_path)


def test_variables_tell_what_it_is() -> None:
    assert family_of(committed_graph("electra_narrow").shapes, "bert") is ELECTRA


def test_another_function_in_the_head_is_refused(tmp_path: Path) -> None:
    model = encoders.random_model(SEQUENCE, TINY)
    model.classifier.activation = torch.nn.Tanh()
    data = export(Named(model, ELECTRA.anatomy.inputs).eval(), tmp_path / "m.onnx")
    with pytest.raises(UnsupportedModel, match="the head's activation function is tanh and not gelu"):
        rebuild_onnx(ELECTRA, data, "sequence", tmp_path)


@pytest.mark.parametrize(("key", "value"), [("position_embedding_type", "relative_key_query"), ("add_cross_attention", True)])
def test_what_the_graph_does_not_honour_is_refused(key: str, value: Any) -> None:
    with pytest.raises(UnsupportedModel, match=key):
        ELECTRA.check_config({**CONFIG, key: value})
