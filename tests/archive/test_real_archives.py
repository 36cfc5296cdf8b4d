"""The readers against archives that Spark NLP itself wrote: the embedded one always, the shared ones where they are."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from hubclient.archive.bundle import TensorBundle
from hubclient.archive.constants import constant, vector
from hubclient.archive.graph import Graph
from hubclient.archive.location import open_archive
from hubclient.archive.members import Members
from hubclient.archive.sparknlp import Archive, read_archive
from hubclient.archive.weights import onnx_files, tensorflow_files, unpack
from hubclient.archive.zipmembers import ZipMembers
from tests.archive.builders import DEMO, by_op
from tests.archive.damage import flips_read, truncations_read

_SHARED = Path(__file__).parents[3] / "shared" / "archives"
ARCHIVES = sorted(_SHARED.glob("*.zip")) or [DEMO]
_LIMIT = 1 << 30


@contextmanager
def opened(path: Path) -> Iterator[tuple[Archive, Members]]:
    with open_archive(path) as members, tempfile.TemporaryFile() as file:
        archive = read_archive(members)
        yield archive, unpack(archive.members, archive.weights, file)


def tensorflow_parts(weights: Members) -> tuple[bytes, bytes, bytes]:
    files = tensorflow_files(weights)
    return weights.read(files.graph, _LIMIT), weights.read(files.index, _LIMIT), weights.read(files.shards[0], _LIMIT)


@pytest.mark.parametrize("path", ARCHIVES, ids=lambda path: path.stem)
def test_archive(path: Path) -> None:
    golden_file = path.with_suffix(".golden.jsonl")
    with opened(path) as (archive, weights):
        if golden_file.exists():
            golden = json.loads(golden_file.read_text("utf-8").partition("\n")[0])
            assert list(archive.labels) == golden["labels"]
            assert archive.metadata.annotator == golden["annotator"]
        if archive.vocabulary:
            assert sorted(archive.vocabulary.values()) == list(range(len(archive.vocabulary)))
        if archive.merges:
            assert sorted(archive.merges.values()) == list(range(len(archive.merges)))
        if archive.engine == "onnx":
            assert weights.size(onnx_files(weights).model) > 0
            return
        assert archive.signatures is not None
        check_tensorflow(*tensorflow_parts(weights), archive.signatures["logits"], len(archive.labels))


def check_tensorflow(graph: bytes, index: bytes, data: bytes, logits: str, labels: int) -> None:
    bundle = TensorBundle(index, data)
    names = bundle.variables()
    assert len(names) == len(set(names.values())) == len(bundle.keys()) - 1
    for key in names.values():
        assert np.isfinite(bundle.array(key)).all()
    flow = Graph(graph).trace(logits)
    assert flow.variables.keys() <= names.keys()
    assert by_op(flow, "Placeholder")
    for name, node in flow.variables.items():
        assert tuple(dim.size for dim in node.attribute("shape").shape.dim) == bundle.entry(names[name]).shape
    for node in by_op(flow, "Const"):
        constant(node)
    outputs = [
        bundle.entry(names[variable]).shape[-1] for variable in flow.variables if variable.endswith(("classifier/bias", "proj/bias"))
    ]
    assert labels in outputs


def test_the_embedded_model_in_detail() -> None:
    with opened(DEMO) as (archive, weights):
        graph, index, data = tensorflow_parts(weights)
        assert len(archive.labels) == 2
        assert archive.metadata.integer("maxSentenceLength") == 128
        assert archive.vocabulary is not None
        assert archive.vocabulary["[PAD]"] == 0
        assert len(archive.vocabulary) == 6_000
    names = TensorBundle(index, data).variables()
    prefix = "tf_bert_for_sequence_classification/bert"
    assert TensorBundle(index, data).array(names[f"{prefix}/embeddings/word_embeddings/weight"]).shape == (6_000, 128)
    flow = Graph(graph).trace("StatefulPartitionedCall:0")
    nodes = {node.name: node for node in flow.nodes}
    query = nodes[f"{prefix}/encoder/layer_._0/attention/self/query/Tensordot/MatMul"]
    assert query.inputs[1].variable == f"{prefix}/encoder/layer_._0/attention/self/query/kernel"
    split = nodes[f"{prefix}/encoder/layer_._0/attention/self/Reshape"]
    assert vector(split.inputs[1]) == (None, -1, 4, 32)


def test_the_embedded_model_cut_off_or_damaged() -> None:
    with opened(DEMO) as (_, weights):
        graph, index, data = tensorflow_parts(weights)

    def read_index(part: bytes) -> None:
        TensorBundle(part, data).variables()

    assert truncations_read(read_index, index) == []
    flips_read(read_index, index, every=17)
    truncations_read(Graph, graph, dense=100, every=len(graph) // 20)
    packed = DEMO.read_bytes()

    def read_zip(part: bytes) -> None:
        read_archive(ZipMembers(io.BytesIO(part), "model.zip"))

    assert truncations_read(read_zip, packed, dense=0, every=len(packed) // 40) == []
