"""Weights under transformers' names, out of exports that lost some: each must have the bytes that the checkpoint has."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from transformers import AlbertConfig, AlbertForSequenceClassification

from hubclient.archive.onnxmodel import OnnxModel
from hubclient.errors import HubError, UnsupportedModel
from hubclient.models.onnx_names import NamedWeights
from tests.models.exports import Logits, checkpoint, export

SETTINGS: dict[str, Any] = {"num_attention_heads": 3, "hidden_act": "relu", "layer_norm_eps": 1e-4}
WAYS: dict[str, dict[str, Any]] = {
    "folded": {},
    "old": {"opset": 14},
    "not_folded": {"do_constant_folding": False},
    "dynamo": {"dynamo": True},
    "dynamo_not_optimized": {"dynamo": True, "optimize": False},
}


def read(data: bytes, base: str = "bert") -> NamedWeights:
    return NamedWeights(OnnxModel(data, label="test").trace("logits", {}), base)


def check(found: NamedWeights, model: Any) -> None:
    wanted = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    assert found.tensors.keys() == wanted.keys()
    for name, source in found.tensors.items():
        array = np.asarray(found.flow.array(found.flow.tensors[source.key]))
        assert np.array_equal(array.T if source.transposed else array, wanted[name]), name
        assert found.shape(name) == wanted[name].shape


def untrained(model: Any) -> Any:
    """All biases 0, all scales 1: tensors of equal bytes, which exporters store once."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1:
                parameter.fill_(float(name.endswith("LayerNorm.weight")))
    return model


def changed(data: bytes, change: Callable[[onnx.GraphProto], None]) -> bytes:
    model = onnx.load_from_string(data)
    change(model.graph)
    result: bytes = model.SerializeToString()
    return result


def without_copies(graph: onnx.GraphProto) -> None:
    """As optimizers do."""
    copies = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Identity"}
    kept = [node for node in graph.node if node.op_type != "Identity"]
    for node in kept:
        node.input[:] = [copies.get(name, name) for name in node.input]
    del graph.node[:]
    graph.node.extend(kept)


def without_paths(graph: onnx.GraphProto) -> None:
    """Values have numbers, as older exporters gave them."""
    numbers = {name: str(number) for number, name in enumerate(name for node in graph.node for name in node.output if "/" in name)}
    for node in graph.node:
        node.input[:] = [numbers.get(name, name) for name in node.input]
        node.output[:] = [numbers.get(name, name) for name in node.output]


@pytest.mark.parametrize("way", WAYS)
def test_names_and_settings(way: str, tmp_path: Path) -> None:
    if "dynamo" in way:
        pytest.importorskip("onnxscript")
    model = checkpoint(**SETTINGS)
    found = read(export(model, tmp_path / "m.onnx", **WAYS[way]))
    check(found, model.model)
    layers = ["bert.encoder.layer.0", "bert.encoder.layer.1"]
    assert [found.heads(f"{layer}.attention.self.{part}") for layer in layers for part in ("query", "key", "value")] == [3] * 6
    assert [found.function(f"{layer}.intermediate.dense", f"{layer}.output.dense") for layer in layers] == ["relu"] * 2
    assert found.epsilon(["bert.embeddings.LayerNorm", *(f"{layer}.output.LayerNorm" for layer in layers)]) == 1e-4
    assert found.linear("classifier").width == 2
    assert found.norm("bert.embeddings.LayerNorm").epsilon == 1e-4


def test_equal_tensors_keep_their_names(tmp_path: Path) -> None:
    model = untrained(checkpoint())
    check(read(export(model, tmp_path / "m.onnx")), model.model)


def test_paths_tell_where_copies_are_gone(tmp_path: Path) -> None:
    model = untrained(checkpoint())
    check(read(changed(export(model, tmp_path / "m.onnx"), without_copies)), model.model)


def test_biases_tell_where_there_are_no_paths(tmp_path: Path) -> None:
    model = checkpoint()
    check(read(changed(export(model, tmp_path / "m.onnx"), without_paths)), model.model)


def test_a_layer_that_is_used_again_has_one_name(tmp_path: Path) -> None:
    torch.manual_seed(3)
    config = AlbertConfig(
        vocab_size=40, embedding_size=6, hidden_size=12, num_hidden_layers=3, num_attention_heads=2, intermediate_size=8, num_labels=2
    )
    model = AlbertForSequenceClassification(config)
    found = read(export(Logits(model).eval(), tmp_path / "m.onnx"), "albert")
    check(found, model)
    assert found.epsilon(["albert.encoder.albert_layer_groups.0.albert_layers.0.attention.LayerNorm"]) == 1e-12


def test_no_damaged_graph_breaks_the_reader(tmp_path: Path) -> None:
    """Flipped bits all over the graph's nodes: what cannot be read is refused, whatever it is."""
    data = export(checkpoint(num_hidden_layers=1), tmp_path / "m.onnx")
    end = data.index(onnx.load_from_string(data).graph.initializer[0].SerializeToString())
    read_ones = 0
    for position in range(0, end, 251):
        damaged = bytearray(data)
        damaged[position] ^= 1 << (position % 8)
        with suppress(HubError):
            found = read(bytes(damaged))
            found.heads("bert.encoder.layer.0.attention.self.query")
            found.function("bert.encoder.layer.0.intermediate.dense", "bert.encoder.layer.0.output.dense")
            read_ones += 1
    assert 0 < read_ones < end / 251


def test_two_tensors_of_one_name_are_refused(tmp_path: Path) -> None:
    """Neither copies nor paths: one bias of zeros names all layers."""

    def change(graph: onnx.GraphProto) -> None:
        without_copies(graph)
        without_paths(graph)

    with pytest.raises(UnsupportedModel, match="two tensors of the graph are the weight"):
        read(changed(export(untrained(checkpoint()), tmp_path / "m.onnx"), change))


def test_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="not those of one model named 'roberta'"):
        read(export(checkpoint(), tmp_path / "m.onnx"), "roberta")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    found = read(export(checkpoint(), tmp_path / "m.onnx"))
    with pytest.raises(UnsupportedModel, match=r"no weight named 'bert.x'"):
        found.shape("bert.x")
    with pytest.raises(UnsupportedModel, match=r"no linear layer 'bert.encoder.layer.7.output.dense'"):
        found.heads("bert.encoder.layer.7.output.dense")
    with pytest.raises(UnsupportedModel, match="no layer norm 'classifier'"):
        found.epsilon(["classifier"])
    with pytest.raises(UnsupportedModel, match="heads cannot be read"):
        found.heads("bert.encoder.layer.0.intermediate.dense")
