"""The reader of ONNX models: what is hostile or damaged is refused, each by its own error, and copies are left out of the dataflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import pytest

from hubclient.archive.onnxmodel import OnnxModel
from hubclient.errors import CorruptArchive, HubError, UnsafeArchive, UnsupportedModel
from tests.archive.damage import truncations_read

LONG = onnx.TensorProto.INT64
FLOAT = onnx.TensorProto.FLOAT
WEIGHT = np.arange(12, dtype=np.float32).reshape(3, 4)


def small(change: Callable[[onnx.ModelProto], Any] | None = None) -> bytes:
    """logits = Identity(Cast(input_ids)) x weight, by way of a Dropout."""
    nodes = [
        onnx.helper.make_node("Cast", ["input_ids"], ["cast"], to=FLOAT),
        onnx.helper.make_node("Identity", ["cast"], ["same"]),
        onnx.helper.make_node("Dropout", ["same"], ["dropped"]),
        onnx.helper.make_node("MatMul", ["dropped", "weight"], ["logits"]),
    ]
    graph = onnx.helper.make_graph(
        nodes,
        "small",
        [onnx.helper.make_tensor_value_info("input_ids", LONG, ["batch", 3])],
        [onnx.helper.make_tensor_value_info("logits", FLOAT, ["batch", 4])],
        initializer=[onnx.numpy_helper.from_array(WEIGHT, "weight")],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    if change:
        change(model)
    data: bytes = model.SerializeToString()
    return data


def read(data: bytes) -> OnnxModel:
    return OnnxModel(data, label="small")


def test_a_dataflow_without_copies() -> None:
    model = read(small())
    assert (model.inputs, model.outputs, model.externals) == ({"input_ids": LONG}, {"logits": FLOAT}, {})
    flow = model.trace("logits", {})
    assert [node.op for node in flow.nodes] == ["Input", "Cast", "Tensor", "MatMul"]
    assert [node.op for node in flow.output.inputs] == ["Cast", "Tensor"]
    array = flow.array(flow.tensors["weight"])
    assert array is not None
    assert np.array_equal(array, WEIGHT)
    assert flow.shapes == {"weight": (3, 4)}


def test_operators_say_what_tells_them_apart() -> None:
    def change(model: onnx.ModelProto) -> None:
        model.graph.node[1].CopyFrom(onnx.helper.make_node("Gelu", ["cast"], ["same"], approximate="tanh"))
        model.graph.node[2].CopyFrom(onnx.helper.make_node("Split", ["same"], ["first", "dropped"], axis=0))
        model.graph.node[3].CopyFrom(onnx.helper.make_node("FusedMatMul", ["dropped", "weight"], ["logits"], domain="com.microsoft"))

    flow = read(small(change)).trace("logits", {})
    assert [node.op for node in flow.nodes] == ["Input", "Cast", "Gelu(tanh)", "Split:1", "Tensor", "com.microsoft.FusedMatMul"]


@pytest.mark.parametrize("key", ["value_int", "value_ints", "value_float", "value_floats"])
def test_constants_come_in_several_attributes(key: str) -> None:
    def change(model: onnx.ModelProto) -> None:
        value = 3.0 if "float" in key else 3
        constant = onnx.helper.make_node("Constant", [], ["number"])
        constant.attribute.append(onnx.helper.make_attribute(key, [value] if key.endswith("s") else value))
        model.graph.node.insert(0, constant)
        model.graph.node[4].input[1] = "number"

    flow = read(small(change)).trace("logits", {})
    number = flow.tensors["number"]
    assert flow.number(number) == 3
    assert flow.integers(number) == (None if "float" in key else [3])


def test_no_truncated_model_is_read() -> None:
    data = small()
    assert truncations_read(read, data) == []


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\xff" * 100, b"not a model"])
def test_what_is_no_model(data: bytes) -> None:
    with pytest.raises(CorruptArchive, match="not an ONNX model"):
        read(data)


def domain_of_a_node(model: onnx.ModelProto) -> None:
    model.graph.node[1].domain = "evil"


def domain_declared(model: onnx.ModelProto) -> None:
    model.opset_import.append(onnx.helper.make_opsetid("evil", 1))


def domain_of_a_function(model: onnx.ModelProto) -> None:
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    model.functions.append(onnx.helper.make_function("evil", "f", ["x"], ["y"], [node], [onnx.helper.make_opsetid("", 17)]))


def domain_in_a_function(model: onnx.ModelProto) -> None:
    node = onnx.helper.make_node("Identity", ["x"], ["y"], domain="evil")
    model.functions.append(onnx.helper.make_function("com.microsoft", "f", ["x"], ["y"], [node], [onnx.helper.make_opsetid("", 17)]))


def domain_in_a_branch(model: onnx.ModelProto) -> None:
    node = onnx.helper.make_node("Identity", ["cast"], ["y"], domain="evil")
    branch = onnx.helper.make_graph([node], "branch", [], [onnx.helper.make_tensor_value_info("y", FLOAT, None)])
    model.graph.node.append(onnx.helper.make_node("If", ["cast"], ["z"], then_branch=branch, else_branch=branch))


@pytest.mark.parametrize("change", [domain_of_a_node, domain_declared, domain_of_a_function, domain_in_a_function, domain_in_a_branch])
def test_unknown_domains_are_refused(change: Callable[[onnx.ModelProto], None]) -> None:
    with pytest.raises(UnsafeArchive, match="unknown domain 'evil'"):
        read(small(change))


def test_domains_that_the_optimizer_declares_are_harmless() -> None:
    def change(model: onnx.ModelProto) -> None:
        for name in ("ai.onnx.ml", "com.microsoft.nchwc", "com.microsoft"):
            model.opset_import.append(onnx.helper.make_opsetid(name, 1))

    assert read(small(change)).trace("logits", {}).nodes


def external(**entries: object) -> Callable[[onnx.ModelProto], None]:
    def change(model: onnx.ModelProto) -> None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = tensor.EXTERNAL
        for key, value in {"location": "data", **entries}.items():
            tensor.external_data.add(key=key, value=str(value))

    return change


LOCATIONS = [
    "../data",
    "/etc/passwd",
    "a/../../b",
    "C:\\data",
    "a\\b",
    "sub/data",
    "",
    ".",
    "..",
    "data\0",
    "*/_ORT_MEM_ADDR_/*",
    "CON",
    "data.",
]


@pytest.mark.parametrize("location", LOCATIONS)
def test_external_data_outside_the_folder_are_refused(location: str) -> None:
    with pytest.raises(UnsafeArchive):
        read(small(external(location=location)))


@pytest.mark.parametrize(
    "entries", [{"offset": -8}, {"offset": "x"}, {"offset": "9" * 30}, {"offset": "٣"}, {"length": 47}, {"length": 1 << 60}]
)
def test_impossible_places_are_refused(entries: dict[str, Any]) -> None:
    with pytest.raises(CorruptArchive):
        read(small(external(**entries)))


def test_external_data_are_viewed() -> None:
    data = b"\0" * 16 + WEIGHT.tobytes()
    model = read(small(external(offset=16)))
    assert model.externals == {"data": 64}
    flow = model.trace("logits", {"data": data})
    array = flow.array(flow.tensors["weight"])
    assert array is not None
    assert np.array_equal(array, WEIGHT)
    assert not array.flags.writeable
    for files in ({}, {"data": data[:-1]}):
        with pytest.raises(CorruptArchive, match="64 are needed"):
            model.trace("logits", files)


def dims(*sides: int) -> Callable[[onnx.ModelProto], None]:
    def change(model: onnx.ModelProto) -> None:
        model.graph.initializer[0].dims[:] = sides

    return change


@pytest.mark.parametrize("sides", [(4, 4), (3,), (-3, -4), (1 << 40, 1 << 20), (1 << 62, 4), (), (0, 4), (1,) * 40])
def test_shapes_that_lie_are_refused(sides: tuple[int, ...]) -> None:
    with pytest.raises(CorruptArchive, match="tensor"):
        read(small(dims(*sides)))


def test_lying_shapes_inside_nodes_and_branches_are_refused() -> None:
    lying = onnx.numpy_helper.from_array(WEIGHT, "lying")
    lying.dims[0] = 1 << 40

    def attribute(model: onnx.ModelProto) -> None:
        model.graph.node.append(onnx.helper.make_node("Constant", [], ["z"], value=lying))

    def branch(model: onnx.ModelProto) -> None:
        inner = onnx.helper.make_graph([], "branch", [], [], initializer=[lying])
        model.graph.node.append(onnx.helper.make_node("If", ["cast"], ["z"], then_branch=inner, else_branch=inner))

    for change in (attribute, branch):
        with pytest.raises(CorruptArchive, match="tensor"):
            read(small(change))


def test_typed_lists_are_read_and_counted() -> None:
    def typed(count: int) -> Callable[[onnx.ModelProto], None]:
        def change(model: onnx.ModelProto) -> None:
            model.graph.initializer[0].ClearField("raw_data")
            model.graph.initializer[0].float_data.extend(WEIGHT.ravel()[:count].tolist())

        return change

    flow = read(small(typed(12))).trace("logits", {})
    array = flow.array(flow.tensors["weight"])
    assert array is not None
    assert np.array_equal(array, WEIGHT)
    with pytest.raises(CorruptArchive, match="does not have the data"):
        read(small(typed(11)))


def test_graphs_that_do_not_hold_together_are_refused() -> None:
    def circle(model: onnx.ModelProto) -> None:
        model.graph.node[0].input[0] = "dropped"

    def nowhere(model: onnx.ModelProto) -> None:
        model.graph.node[0].input[0] = "gone"

    def twice(model: onnx.ModelProto) -> None:
        model.graph.node[2].output[0] = "same"

    for change, words in ((circle, "circle"), (nowhere, "comes from nowhere"), (twice, "two sources")):
        with pytest.raises(CorruptArchive, match=words):
            read(small(change)).trace("logits", {})


def test_deep_nesting_and_strings_and_sparse_tensors_are_refused() -> None:
    def deep(model: onnx.ModelProto) -> None:
        inner = onnx.helper.make_graph([], "inner", [], [])
        for _ in range(12):
            inner = onnx.helper.make_graph([onnx.helper.make_node("If", ["cast"], ["z"], then_branch=inner)], "inner", [], [])
        model.graph.node.append(onnx.helper.make_node("If", ["cast"], ["z"], then_branch=inner))

    def text(model: onnx.ModelProto) -> None:
        model.graph.initializer.add(name="text", data_type=onnx.TensorProto.STRING, dims=[1], string_data=[b"a"])

    def sparse(model: onnx.ModelProto) -> None:
        model.graph.sparse_initializer.add().dims.extend([1 << 40])

    for change in (deep, text, sparse):
        with pytest.raises(UnsupportedModel):
            read(small(change))


def test_operators_have_their_form() -> None:
    def lacking(model: onnx.ModelProto) -> None:
        del model.graph.node[3].input[1:]

    def other_kind(model: onnx.ModelProto) -> None:
        model.graph.node[0].CopyFrom(onnx.helper.make_node("Cast", ["input_ids"], ["cast"], to=[1]))

    def untyped(model: onnx.ModelProto) -> None:
        model.graph.node[0].attribute[0].ClearField("type")

    for change in (lacking, other_kind, untyped):
        with pytest.raises(CorruptArchive, match="a node of the graph"):
            read(small(change)).trace("logits", {})


def test_no_flipped_bit_breaks_the_reader() -> None:
    """A flip may go unnoticed (a name, a weight), but it never ends in anything else than an error that says so."""
    data = small()
    for position in range(len(data)):
        flipped = bytearray(data)
        flipped[position] ^= 1 << (position % 8)
        try:
            model = read(bytes(flipped))
            for output in model.outputs:
                flow = model.trace(output, {})
                for node in flow.tensors.values():
                    flow.array(node)
        except HubError:
            continue
