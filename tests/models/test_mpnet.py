"""MPNet: what each head adds to the scores for each distance, and positions that are counted from 2 on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from transformers.models.mpnet.modeling_mpnet import MPNetEncoder

from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models import distances, family_of, mpnet_graph
from hubclient.models.builder import GraphBuilder
from hubclient.models.family import Recipe
from hubclient.models.mpnet import MPNET
from tests.models import encoders
from tests.models.exports import Named, export
from tests.models.rebuilt import Rebuilt, committed_graph, rebuild_checkpoint, rebuild_onnx

TINY: dict[str, Any] = {
    "vocab_size": 40,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 32,
}
SEQUENCE, TOKEN = "MPNetForSequenceClassification", "MPNetForTokenClassification"
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "one_head": (SEQUENCE, {"num_attention_heads": 1, "hidden_act": "relu", "layer_norm_eps": 1e-3}),
    "five_heads_odd_width": (SEQUENCE, {"hidden_size": 35, "num_attention_heads": 5, "intermediate_size": 9, "hidden_act": "gelu_new"}),
    "more_rows_than_buckets": (SEQUENCE, {"relative_attention_num_buckets": 40, "num_labels": 27, "max_position_embeddings": 300}),
    "one_output": (SEQUENCE, {"num_labels": 1, "hidden_act": "silu", "num_hidden_layers": 1}),
    "tokens": (TOKEN, {"num_labels": 9}),
}
CONFIG = {**MPNET.defaults, **TINY, "architectures": [SEQUENCE]}
FURTHEST = 1_100
# transformers has no other attention for MPNet than the eager one.
WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "old": {"opset": 14},
    "not_folded": {"do_constant_folding": False},
    "dynamo": {"dynamo": True},
    "dynamo_not_optimized": {"dynamo": True, "optimize": False},
}


@pytest.mark.parametrize("case", CASES)
def test_checkpoints(case: str, tmp_path: Path) -> None:
    kind, settings = CASES[case]
    encoders.check_checkpoint(MPNET, kind, TINY | settings, tmp_path)


def test_long_texts(tmp_path: Path) -> None:
    """Of more tokens than there are distances with a bucket of their own."""
    model = encoders.random_model(SEQUENCE, TINY | {"max_position_embeddings": 700})
    rebuilt = rebuild_checkpoint(MPNET, model, tmp_path)
    for length in (127, 129, 640):
        ids = np.random.default_rng(3).integers(2, 40, (1, length))
        wanted = encoders.reference(MPNET, model, ids[0], np.zeros_like(ids[0]))
        assert np.abs(rebuilt.logits(ids)[0] - wanted).max() <= encoders.TOLERANCE


def test_distances_are_put_into_transformers_buckets() -> None:
    graph = GraphBuilder({}, "")
    after = distances.ascending(graph)
    row = graph.node("Unsqueeze", graph.node("Cast", mpnet_graph.buckets(graph, after), to=onnx.TensorProto.FLOAT), graph.integers(0))
    session = onnxruntime.InferenceSession(graph.finish(["input_ids"], row, 2 * FURTHEST))
    (found,) = session.run(None, {"input_ids": np.zeros((1, FURTHEST), np.int64)})
    wanted = MPNetEncoder.relative_position_bucket(torch.arange(1 - FURTHEST, FURTHEST + 1))
    assert found[0].tolist() == wanted.tolist()


def test_tensorflow_weights_are_known_and_refused() -> None:
    graphed = committed_graph("mpnet_tokens")
    assert family_of(graphed.shapes, "bert") is MPNET
    with pytest.raises(UnsupportedModel, match="MPNet with TensorFlow weights"):
        MPNET.from_tensorflow(graphed.flow, graphed.shapes, "token")


@pytest.mark.parametrize("way", WAYS)
def test_exports_are_read(way: str, tmp_path: Path) -> None:
    settings = {"num_attention_heads": 3, "hidden_act": "relu", "layer_norm_eps": 1e-4, "num_labels": 4}
    check_export(SEQUENCE, TINY | settings, tmp_path, **WAYS[way])


@pytest.mark.parametrize("changes", [{"layer_norm_eps": 1e-2}, {"hidden_act": "gelu"}], ids=str)
def test_wrong_settings_give_other_answers(changes: dict[str, Any], tmp_path: Path) -> None:
    model = encoders.random_model(SEQUENCE, TINY | {"hidden_act": "relu"})
    model.save_pretrained(tmp_path)
    config = {**MPNET.defaults, **model.config.to_dict(), "architectures": [SEQUENCE], **changes}
    with pytest.raises(AssertionError):
        encoders.check_answers(MPNET, Rebuilt(MPNET, config, tmp_path), model)


@pytest.mark.parametrize("rows", [32, 40])
def test_exports_for_tokens_are_read(rows: int, tmp_path: Path) -> None:
    recipe = check_export(TOKEN, TINY | {"relative_attention_num_buckets": rows, "num_hidden_layers": 1, "num_labels": 3}, tmp_path)
    assert recipe.config["relative_attention_num_buckets"] == rows


def check_export(kind: str, settings: dict[str, Any], folder: Path, **options: Any) -> Recipe:
    if options.get("dynamo"):
        pytest.importorskip("onnxscript")
    model = encoders.random_model(kind, settings)
    data = export(Named(model, MPNET.anatomy.inputs).eval(), folder / "m.onnx", inputs=MPNET.anatomy.inputs, **options)
    recipe, rebuilt = rebuild_onnx(MPNET, data, encoders.head_of(kind), folder)
    encoders.check_config(MPNET, recipe, model.config.to_dict())
    encoders.check_answers(MPNET, rebuilt, model)
    return recipe


@pytest.mark.parametrize("path", encoders.archives("mpnet_"))
def test_archives(path: Path, tmp_path: Path) -> None:
    encoders.check_archive(MPNET, path, "tiny_mpnet_open", tmp_path)


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"is_decoder": True}, UnsupportedModel, "is_decoder"),
        ({"hidden_act": "mish"}, UnsupportedModel, "mish"),
        ({"num_attention_heads": 5}, InconsistentModel, "5 heads do not divide a width of 12"),
        ({"relative_attention_num_buckets": 31}, InconsistentModel, "is 31, and MPNet looks up 32"),
    ],
    ids=str,
)
def test_what_the_graph_does_not_honour_is_refused(changes: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        MPNET.build_graph({**CONFIG, **changes}, {}, "model.safetensors")
