"""Graphs whose variables are BERT's and whose arithmetic is not: each is one edit away from a real one, and must be refused.

What is read near the variables is as in BERT; it is the answers, compared with those of the graph itself, that tell.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from hubclient.archive.bundle import TensorBundle
from hubclient.archive.graph import Graph
from hubclient.archive.protobuf import parse_graph
from hubclient.errors import HubError
from hubclient.models.bert import BERT
from tests.models.encoders import proved, read_graph
from tests.models.rebuilt import Graphed, rebuild

ARCHIVE = Path(__file__).parent / "data/three_heads_silu.zip"
EMBEDDED = "bert/embeddings/LayerNorm/batchnorm/add_1"
LAST = "bert/encoder/layer_._1"
SELF = f"{LAST}/attention/self"
# Node, the number of the input that is changed, and the node whose input or output it becomes.
EDITS: dict[str, tuple[str, int, str]] = {
    "no residual": (f"{LAST}/output/add", 1, f"{LAST}/output/dense/BiasAdd:output:0"),
    "residual of another layer": (f"{LAST}/output/add", 1, f"{EMBEDDED}:z:0"),
    "feed-forward beside the attention": (f"{LAST}/intermediate/dense/Tensordot/transpose", 0, f"{EMBEDDED}:z:0"),
    "value of another layer": (f"{SELF}/value/Tensordot/transpose", 0, f"{EMBEDDED}:z:0"),
    "key of another layer": (f"{SELF}/key/Tensordot/transpose", 0, f"{EMBEDDED}:z:0"),
    "no softmax": (f"{SELF}/MatMul_1", 0, f"{SELF}/Add:z:0"),
    "heads not swapped": (f"{SELF}/MatMul_1", 1, f"{SELF}/Reshape_1:output:0"),
    "context not swapped": (f"{SELF}/Reshape_3", 0, f"{SELF}/MatMul_1:output:0"),
    "mask upside down": ("bert/Mul", 0, "bert/Cast:y:0"),
    "pooled before the layer norm": ("bert/pooler/strided_slice", 0, f"{LAST}/output/add:z:0"),
    "norm without its mean": (f"{LAST}/output/LayerNorm/batchnorm/mul_2", 0, f"{LAST}/output/add:z:0"),
    "norm around zero": (f"{LAST}/output/LayerNorm/moments/SquaredDifference", 1, f"{LAST}/output/dense/BiasAdd:output:0"),
    "positions from the second on": ("bert/embeddings/range", 0, "bert/embeddings/range/delta:output:0"),
}


def unpacked() -> tuple[Any, TensorBundle]:
    with zipfile.ZipFile(ARCHIVE) as outer, zipfile.ZipFile(io.BytesIO(outer.read("bert_classification_tensorflow"))) as inner:
        graph = parse_graph(inner.read("saved_model.pb"), "graph")
        data = next(name for name in inner.namelist() if ".data-" in name)
        return graph, TensorBundle(inner.read("variables.index"), inner.read(data), label="variables")


def nodes(graph: Any, name: str) -> list[Any]:
    found = [node for function in graph.library.function for node in function.node_def if node.name.endswith(f"/{name}")]
    assert found
    return found


def is_bert(graph: Any, bundle: TensorBundle, folder: Path) -> bool:
    """Whether the graph can be read, and the model that is built of what was read answers as the graph does."""
    try:
        graphed = Graphed(Graph(graph.SerializeToString()).trace("StatefulPartitionedCall:0"), bundle, {})
        recipe = read_graph(BERT, graphed, "sequence")
        rebuild(BERT, recipe, graphed.shapes, graphed.load, folder)
        return proved(BERT, recipe, graphed, folder)
    except HubError:
        return False


def test_the_graph_as_it_is(tmp_path: Path) -> None:
    assert is_bert(*unpacked(), tmp_path)


@pytest.mark.parametrize("edit", EDITS)
def test_other_wiring_is_refused(edit: str, tmp_path: Path) -> None:
    graph, bundle = unpacked()
    rewire(graph, *EDITS[edit])
    assert not is_bert(graph, bundle, tmp_path)


def rewire(graph: Any, name: str, number: int, target: str) -> None:
    for node in nodes(graph, name):
        node.input[number] = node.name.removesuffix(name) + target


def test_queries_and_keys_that_change_places_are_refused(tmp_path: Path) -> None:
    graph, bundle = unpacked()
    for node in nodes(graph, f"{SELF}/MatMul"):
        node.input[0], node.input[1] = node.input[1], node.input[0]
    assert not is_bert(graph, bundle, tmp_path)


@pytest.mark.parametrize(("table", "other"), [("Gather", "Gather_2"), ("Gather_2", "Gather")])
def test_rows_chosen_by_another_input_are_refused(table: str, other: str, tmp_path: Path) -> None:
    graph, bundle = unpacked()
    for function in graph.library.function:
        inside = {node.name: node for node in function.node_def}
        for name in [name for name in inside if name.endswith(f"bert/embeddings/{table}")]:
            inside[name].input[1] = inside[name.removesuffix(table) + other].input[1]
    assert not is_bert(graph, bundle, tmp_path)


def test_a_mask_of_token_types_is_refused(tmp_path: Path) -> None:
    graph, bundle = unpacked()
    for function in graph.library.function:
        inside = {node.name: node for node in function.node_def}
        for name in [name for name in inside if name.endswith("/bert/Reshape")]:
            inside[name].input[0] = inside[name.removesuffix("Reshape") + "embeddings/Gather_2"].input[1]
    assert not is_bert(graph, bundle, tmp_path)


def test_a_part_of_the_width_is_refused(tmp_path: Path) -> None:
    graph, bundle = unpacked()
    for node in nodes(graph, "bert/pooler/strided_slice"):
        node.attr["end_mask"].i = 0
    assert not is_bert(graph, bundle, tmp_path)


def test_what_changes_no_answer_is_no_matter(tmp_path: Path) -> None:
    """The same added to the scores of all tokens leaves their softmax as it is; a slice that starts at 0 may say so."""
    graph, bundle = unpacked()
    rewire(graph, f"{SELF}/add_1", 1, "bert/Cast:y:0")
    for node in nodes(graph, "bert/pooler/strided_slice"):
        node.attr["begin_mask"].i = 0
    assert is_bert(graph, bundle, tmp_path)
