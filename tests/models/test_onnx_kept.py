"""ONNX graphs that cannot be rebuilt are kept as they are, and answer as they did; those that cannot be used safely are refused."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import pytest

from hubclient import Classifier, from_archive
from hubclient.errors import HubError, InconsistentModel, ModelError, UnsupportedModel
from hubclient.native import read_manifest
from tests.models.exports import PIECES, TINY, MeanPooled, Unmasked, answer, archive, checkpoint, export, narrowed

TEXTS = ["a b c", "", "a " * 500, "p o n m"]


@pytest.fixture(scope="module")
def mean_pooled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, bytes]:
    model = checkpoint(head=MeanPooled, num_labels=3)
    return model, export(model, tmp_path_factory.mktemp("mean") / "m.onnx")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, bytes]:
    model = checkpoint()
    return model, export(model, tmp_path_factory.mktemp("plain") / "m.onnx")


def changed(data: bytes, change: Callable[[onnx.ModelProto], None]) -> bytes:
    model = onnx.load_from_string(data)
    change(model)
    result: bytes = model.SerializeToString()
    return result


def check(classifier: Classifier, model: Any) -> None:
    expected = np.concatenate([answer(model, classifier.encode(text)) for text in TEXTS])
    assert np.abs(classifier.logits(TEXTS) - expected).max() <= 1e-4


def test_another_pooling_is_kept(mean_pooled: tuple[Any, bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model, data = mean_pooled
    with caplog.at_level(logging.WARNING, "hubclient"):
        classifier = from_archive(archive(tmp_path / "a.zip", data, 3), cache_dir=tmp_path / "cache")
    check(classifier, model)
    manifest = read_manifest(classifier.path)
    assert (manifest.graph, manifest.positions, manifest.architecture) == ("kept", 32, "bert")
    assert "the graph cannot be read" in str(manifest.graph_note)
    assert "is kept as it is" in caplog.text
    config = json.loads((classifier.path / "config.json").read_text(encoding="utf-8"))
    assert {key: config.get(key) for key in ("model_type", "vocab_size", "max_position_embeddings", "num_attention_heads")} == {
        "model_type": "bert",
        "vocab_size": TINY["vocab_size"],
        "max_position_embeddings": 32,
        "num_attention_heads": None,
    }
    assert not (classifier.path / "model.safetensors").exists()
    with pytest.raises(UnsupportedModel, match="torch engine cannot open"):
        Classifier(classifier.path, engine="torch")


def test_external_data_of_a_kept_graph_lie_beside_it(mean_pooled: tuple[Any, bytes], tmp_path: Path) -> None:
    model, data = mean_pooled
    graph = onnx.load_from_string(data)
    onnx.save_model(graph, tmp_path / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0)
    weights = {"m.data": (tmp_path / "m.data").read_bytes()}
    path = archive(tmp_path / "a.zip", (tmp_path / "m.onnx").read_bytes(), 3, weights=weights)
    classifier = from_archive(path, cache_dir=tmp_path / "cache")
    assert (classifier.path / "m.data").read_bytes() == weights["m.data"]
    check(classifier, model)


def test_a_graph_that_only_seems_to_be_berts_is_kept(plain: tuple[Any, bytes], tmp_path: Path) -> None:
    """Low ids are masked as well: a reader of weights sees nothing of it, and the answers show it."""

    def change(model: onnx.ModelProto) -> None:
        graph = model.graph
        graph.initializer.append(onnx.numpy_helper.from_array(np.array(20, dtype=np.int64), "limit"))
        graph.node.insert(0, onnx.helper.make_node("Greater", ["input_ids", "limit"], ["high"]))
        graph.node.insert(1, onnx.helper.make_node("Identity", ["high"], ["high_mask"]))
        graph.node.insert(2, onnx.helper.make_node("Cast", ["attention_mask"], ["mask_mask"], to=9))
        graph.node.insert(3, onnx.helper.make_node("And", ["high_mask", "mask_mask"], ["both"]))
        graph.node.insert(4, onnx.helper.make_node("Cast", ["both"], ["mask"], to=7))
        for node in list(graph.node)[5:]:
            node.input[:] = ["mask" if name == "attention_mask" else name for name in node.input]

    classifier = from_archive(archive(tmp_path / "a.zip", changed(plain[1], change), 2), cache_dir=tmp_path / "cache")
    manifest = read_manifest(classifier.path)
    assert manifest.graph == "kept"
    assert "gives other logits" in str(manifest.graph_note)
    assert not (classifier.path / "model.safetensors").exists()


def test_a_graph_that_does_not_heed_the_mask_is_refused(tmp_path: Path) -> None:
    data = export(checkpoint(head=Unmasked), tmp_path / "m.onnx")
    with pytest.raises(UnsupportedModel, match="in a padded batch otherwise than alone"):
        from_archive(archive(tmp_path / "a.zip", data, 2), cache_dir=tmp_path / "cache")


def whole_table(model: onnx.ModelProto) -> None:
    """Positions that go a way that cannot be read: a reader finds no table that says how many there are."""
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(1, dtype=np.int64), "one"))
    for index, node in enumerate(model.graph.node):
        if node.op_type == "Slice":
            model.graph.node.insert(index, onnx.helper.make_node("Mul", [node.input[0], "one"], ["positions"]))
            model.graph.node[index + 1].input[0] = "positions"
            return


def test_a_length_that_the_graph_cannot_do_is_refused(mean_pooled: tuple[Any, bytes], tmp_path: Path) -> None:
    data = changed(mean_pooled[1], whole_table)
    with pytest.raises(ModelError, match="ONNX Runtime cannot run"):
        from_archive(archive(tmp_path / "a.zip", data, 3), cache_dir=tmp_path / "cache")


def test_a_length_that_the_graph_can_do_is_enough(mean_pooled: tuple[Any, bytes], tmp_path: Path) -> None:
    data = changed(mean_pooled[1], whole_table)
    path = archive(tmp_path / "a.zip", data, 3, params={"maxSentenceLength": 32})
    assert read_manifest(from_archive(path, cache_dir=tmp_path / "cache").path).positions == 32


def test_labels_and_vocabulary_must_fit_a_kept_graph(mean_pooled: tuple[Any, bytes], tmp_path: Path) -> None:
    with pytest.raises(InconsistentModel, match="4 labels, and its classifier 3 outputs"):
        from_archive(archive(tmp_path / "a.zip", mean_pooled[1], 4), cache_dir=tmp_path / "cache")
    pieces = [*PIECES, *(f"##a{letter}" for letter in "abcdefgh")]
    with pytest.raises(InconsistentModel, match="vocabulary does not fit"):
        from_archive(archive(tmp_path / "b.zip", mean_pooled[1], 3, pieces=pieces), cache_dir=tmp_path / "cache")


def renamed_output(model: onnx.ModelProto) -> None:
    model.graph.output[0].name = "scores"
    model.graph.node[-1].output[0] = "scores"


def renamed_input(model: onnx.ModelProto) -> None:
    for holder in model.graph.node:
        holder.input[:] = ["segments" if name == "token_type_ids" else name for name in holder.input]
    model.graph.input[2].name = "segments"


@pytest.mark.parametrize(("change", "words"), [(renamed_output, "no output of float32 logits"), (renamed_input, "segments")])
def test_other_inputs_and_outputs_are_refused(
    change: Callable[[onnx.ModelProto], None], words: str, plain: tuple[Any, bytes], tmp_path: Path
) -> None:
    with pytest.raises(UnsupportedModel) as caught:
        from_archive(archive(tmp_path / "a.zip", changed(plain[1], change), 2), cache_dir=tmp_path / "cache")
    assert words in str(caught.value)


def test_a_kept_graph_must_take_int64(mean_pooled: tuple[Any, bytes], tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="takes int32"):
        from_archive(archive(tmp_path / "a.zip", narrowed(mean_pooled[1]), 3), cache_dir=tmp_path / "cache")


def test_other_architectures_are_refused_by_name(plain: tuple[Any, bytes], tmp_path: Path) -> None:
    data = plain[1].replace(b"bert.", b"mpnt.").replace(b"/bert/", b"/mpnt/")  # of equal length: protobuf counts
    data = changed(
        data, lambda model: model.graph.node.append(onnx.helper.make_node("Identity", ["input_ids"], ["x"], "/m/mobilebert/Identity"))
    )
    with pytest.raises(UnsupportedModel, match="MobileBERT"):
        from_archive(archive(tmp_path / "a.zip", data, 2), cache_dir=tmp_path / "cache")


def test_a_graph_that_onnx_runtime_refuses(plain: tuple[Any, bytes], tmp_path: Path) -> None:
    def change(model: onnx.ModelProto) -> None:
        model.graph.node[-1].op_type = "NoSuchOperator"

    with pytest.raises(HubError, match="cannot open the model"):
        from_archive(archive(tmp_path / "a.zip", changed(plain[1], change), 2), cache_dir=tmp_path / "cache")


@pytest.mark.parametrize("operator", ["Softmax", "Sigmoid"])
def test_scores_that_call_themselves_logits_are_refused(operator: str, plain: tuple[Any, bytes], tmp_path: Path) -> None:
    def score(model: onnx.ModelProto) -> None:
        last = next(node for node in model.graph.node if "logits" in node.output)
        last.output[0] = "before"
        model.graph.node.append(onnx.helper.make_node(operator, ["before"], ["logits"]))

    with pytest.raises(UnsupportedModel, match="not logits"):
        from_archive(archive(tmp_path / "a.zip", changed(plain[1], score), 2), cache_dir=tmp_path / "cache")
