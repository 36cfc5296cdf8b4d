"""Checkpoints exported to ONNX in several ways: rebuilt from their tensors, they answer as torch does on the original."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from hubclient import Classifier, from_archive
from hubclient.archive.onnxmodel import OnnxModel
from hubclient.errors import HubError
from hubclient.models.bert import BERT
from hubclient.native import read_manifest
from tests.models.exports import INPUTS, TINY, answer, archive, checkpoint, export, narrowed

TEXTS = ["a b c", "", "abc pond lim", "a " * 500, "[MASK] z", "p o n m l k"]
EAGER_OLD = {"opset": 14}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "one_head_relu_wide_epsilon": ({"num_attention_heads": 1, "hidden_act": "relu", "layer_norm_eps": 1e-3}, {}),
    "five_heads_odd_width": ({"hidden_size": 35, "num_attention_heads": 5, "intermediate_size": 9, "hidden_act": "gelu_new"}, EAGER_OLD),
    "sdpa_many_positions_and_labels": ({"attention": "sdpa", "max_position_embeddings": 300, "num_labels": 27, "hidden_act": "silu"}, {}),
    "sdpa_one_output": ({"attention": "sdpa", "num_attention_heads": 3, "num_labels": 1, "num_hidden_layers": 3}, EAGER_OLD),
    "no_constant_folding": ({"hidden_act": "quick_gelu", "type_vocab_size": 1}, {"do_constant_folding": False}),
    "sdpa_no_constant_folding": ({"attention": "sdpa", "hidden_size": 20, "num_attention_heads": 5}, {"do_constant_folding": False}),
    "dynamo_eager": ({"hidden_size": 15, "num_attention_heads": 5, "hidden_act": "gelu_pytorch_tanh"}, {"dynamo": True}),
    "dynamo_not_optimized": ({"attention": "sdpa", "hidden_act": "sigmoid"}, {"dynamo": True, "optimize": False}),
    "attention_operator": ({"attention": "sdpa", "num_attention_heads": 4}, {"dynamo": True, "opset_version": 23}),
    "dynamo_sdpa": ({"attention": "sdpa", "layer_norm_eps": 1e-6}, {"dynamo": True}),
}


def convert(tmp_path: Path, path: Path) -> Classifier:
    return from_archive(path, cache_dir=tmp_path / "cache")


def check(classifier: Classifier, model: Any) -> None:
    expected = np.concatenate([answer(model, classifier.encode(text)) for text in TEXTS])
    assert np.abs(classifier.logits(TEXTS) - expected).max() <= 1e-4
    assert np.abs(np.concatenate([classifier.logits([text]) for text in TEXTS]) - expected).max() <= 1e-4


@pytest.mark.parametrize("case", CASES)
def test_exports_are_rebuilt(case: str, tmp_path: Path) -> None:
    settings, options = CASES[case]
    if options.get("dynamo"):
        pytest.importorskip("onnxscript")
    model = checkpoint(**settings)
    classifier = convert(
        tmp_path, archive(tmp_path / "a.zip", export(model, tmp_path / "m.onnx", **options), settings.get("num_labels", 2))
    )
    assert read_manifest(classifier.path).graph == "built"
    check(classifier, model)
    check(Classifier(classifier.path, engine="torch"), model)
    config = json.loads((classifier.path / "config.json").read_text(encoding="utf-8"))
    wanted = {"hidden_act": "gelu", "layer_norm_eps": 1e-12, **TINY, **settings}
    wanted["hidden_act"] = wanted["hidden_act"].replace("gelu_pytorch_tanh", "gelu_new")
    assert {key: config[key] for key in wanted if key not in ("attention", "num_labels")} == {
        key: value for key, value in wanted.items() if key not in ("attention", "num_labels")
    }
    assert classifier.max_length == min(128, wanted["max_position_embeddings"])


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, bytes]:
    model = checkpoint()
    return model, export(model, tmp_path_factory.mktemp("plain") / "m.onnx")


def test_second_segments_are_the_same(plain: tuple[Any, bytes], tmp_path: Path) -> None:
    model, data = plain
    classifier = convert(tmp_path, archive(tmp_path / "a.zip", data, 2))
    ids = classifier.encode(("a b", "c d e"))
    types = [0] * (ids.index(3) + 1) + [1] * (len(ids) - ids.index(3) - 1)
    assert np.abs(classifier.logits([("a b", "c d e")]) - answer(model, ids, types)).max() <= 1e-4


def test_the_model_may_be_named_as_spark_nlp_names_it(plain: tuple[Any, bytes], tmp_path: Path) -> None:
    model, data = plain
    check(convert(tmp_path, archive(tmp_path / "a.zip", data, 2, member="bert_classification_onnx")), model)


def test_int32_inputs_are_rebuilt_as_int64(plain: tuple[Any, bytes], tmp_path: Path) -> None:
    model, data = plain
    classifier = convert(tmp_path, archive(tmp_path / "a.zip", narrowed(data), 2))
    assert read_manifest(classifier.path).graph == "built"
    check(classifier, model)


def test_names_are_not_needed(plain: tuple[Any, bytes], tmp_path: Path) -> None:
    """Values and nodes renamed to numbers, as optimizers do."""
    model, data = plain
    graph = onnx.load_from_string(data)
    names: dict[str, str] = {}

    def renamed(name: str) -> str:
        return name if name in (*INPUTS, "logits", "") else names.setdefault(name, f"v{len(names)}")

    for tensor in graph.graph.initializer:
        tensor.name = renamed(tensor.name)
    for node in graph.graph.node:
        node.name = ""
        node.input[:] = [renamed(name) for name in node.input]
        node.output[:] = [renamed(name) for name in node.output]
    del graph.graph.value_info[:]
    classifier = convert(tmp_path, archive(tmp_path / "a.zip", graph.SerializeToString(), 2))
    assert read_manifest(classifier.path).graph == "built"
    check(classifier, model)


def external(data: bytes, **options: Any) -> tuple[bytes, bytes]:
    """The model with its tensors in a file, and the file."""
    graph = onnx.load_from_string(data)
    file = io.BytesIO()
    for tensor in graph.graph.initializer:
        raw = tensor.raw_data
        tensor.ClearField("raw_data")
        tensor.data_location = tensor.EXTERNAL
        for key, value in {"location": "model.onnx_data", "offset": file.tell(), "length": len(raw), **options}.items():
            tensor.external_data.add(key=key, value=str(value))
        file.write(raw)
    return graph.SerializeToString(), file.getvalue()


@pytest.mark.parametrize("place", ["weights", "beside"])
def test_external_data(place: str, plain: tuple[Any, bytes], tmp_path: Path) -> None:
    model, data = plain
    head, tail = external(data)
    files: dict[str, Any] = {place: {"model.onnx_data": tail}}
    classifier = convert(tmp_path, archive(tmp_path / "a.zip", head, 2, **files))
    assert read_manifest(classifier.path).graph == "built"
    check(classifier, model)


def test_no_damaged_graph_breaks_the_reader(tmp_path: Path) -> None:
    """Flipped bits all over the graph's nodes: what cannot be read is refused, whatever it is."""
    data = export(checkpoint(num_hidden_layers=1), tmp_path / "m.onnx", opset=14)
    graph = onnx.load_from_string(data)
    del graph.graph.value_info[:]
    for node in graph.graph.node:
        node.name = ""
    data = graph.SerializeToString()
    end = data.index(graph.graph.initializer[0].SerializeToString())
    read = 0
    for position in range(0, end, 43):
        damaged = bytearray(data)
        damaged[position] ^= 1 << (position % 8)
        with suppress(HubError):
            BERT.from_onnx(OnnxModel(damaged, label="damaged").trace("logits", {}), "sequence")
            read += 1
    assert 0 < read < end / 43
