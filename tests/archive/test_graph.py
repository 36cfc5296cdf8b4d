from __future__ import annotations

import itertools
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubclient.archive.constants import constant, scalar, vector
from hubclient.archive.graph import Dataflow, Graph, Node
from hubclient.archive.scopes import ARGUMENT
from hubclient.errors import CorruptArchive, UnsupportedModel
from tests.archive.builders import by_op, call, const, field, function, graph, node, shape, tensor, variable
from tests.archive.damage import flips_read, patient, survives, truncations_read

_KERNEL = "model/dense/kernel"


def dense(name: str, output: str = "result") -> bytes:
    """A function that multiplies its input by a variable, as an exporter writes it."""
    return function(
        name,
        ["x", "kernel_resource"],
        {output: "Identity:output:0"},
        node("dense/ReadVariableOp", "ReadVariableOp", "kernel_resource"),
        node("dense/MatMul", "MatMul", "x", "dense/ReadVariableOp:value:0", "^dense/ReadVariableOp"),
        node("Identity", "Identity", "dense/MatMul:product:0", "^NoOp"),
        node("NoOp", "NoOp", "^dense/ReadVariableOp"),
    )


def nested() -> bytes:
    wrapper = function("wrapper", ["a", "b"], {"identity": "call:output:0"}, call("call", "dense", "a", "b"))
    return graph(
        variable(_KERNEL), node("ids", "Placeholder"), call("Call", "wrapper", "ids", _KERNEL), functions=[dense("dense"), wrapper]
    )


def flow(*nodes: bytes, output: str = "out") -> Dataflow:
    return Graph(graph(*nodes)).trace(output)


def named(traced: Dataflow, name: str) -> Node:
    return next(each for each in traced.nodes if each.name == name)


def the_constant(value: bytes) -> Node:
    return flow(const("out", value)).output


def test_weights_are_found_through_calls_and_copies() -> None:
    traced = Graph(nested()).trace("Call:0")
    product = traced.output
    assert (product.op, product.name, product.calls) == ("MatMul", "dense/MatMul", ("Call", "call"))
    assert [each.op for each in product.inputs] == ["Placeholder", "VarHandleOp"]
    assert product.inputs[1].variable == _KERNEL
    assert product.inputs[0].variable is None
    assert [each.name for each in traced.nodes] == ["ids", _KERNEL, "dense/MatMul"]
    assert list(traced.variables) == [_KERNEL]


def test_lookups() -> None:
    traced = Graph(nested()).trace("Call")
    assert by_op(traced, "MatMul", "Softmax") == (traced.output,)
    assert traced.consumers(traced.variables[_KERNEL]) == (traced.output,)
    assert traced.consumers(traced.output) == ()


def test_a_graph_is_traced_as_often_as_one_likes() -> None:
    read = Graph(nested())
    assert [each.name for each in read.trace("Call:0").nodes] == [each.name for each in read.trace("Call:0").nodes]


def test_one_function_called_twice_gives_its_nodes_twice() -> None:
    data = graph(
        variable(_KERNEL),
        node("ids", "Placeholder"),
        call("A", "dense", "ids", _KERNEL),
        call("B", "dense", "A", _KERNEL),
        functions=[dense("dense")],
    )
    traced = Graph(data).trace("B:0")
    assert [each.calls for each in by_op(traced, "MatMul")] == [("A",), ("B",)]
    assert traced.output.inputs[0].calls == ("A",)


def test_functions_called_by_their_name_name_their_outputs() -> None:
    outer = function("outer", ["a", "b"], {"identity": "call:result:0"}, node("call", "dense", "a", "b"))
    data = graph(variable(_KERNEL), node("ids", "Placeholder"), call("Call", "outer", "ids", _KERNEL), functions=[dense("dense"), outer])
    assert Graph(data).trace("Call:0").output.op == "MatMul"
    direct = graph(variable(_KERNEL), node("ids", "Placeholder"), node("Call", "dense", "ids", _KERNEL), functions=[dense("dense")])
    assert Graph(direct).trace("Call:0").output.op == "MatMul"


def test_functions_that_are_chosen_are_looked_at_by_themselves() -> None:
    outer = function("outer", ["a", "b", "spare"], {"first": "call:result:0", "second": "b"}, node("call", "dense", "a", "b"))
    read = Graph(graph(node("out", "Placeholder"), functions=[dense("dense"), outer]))
    body = read.body("outer")
    assert body.arguments == ("a", "b", "spare")
    assert [(each.op, port) for each, port in body.results] == [("MatMul", "product:0"), (ARGUMENT, "0")]
    assert [each.name for each in body.nodes] == ["a", "b", "dense/MatMul"]
    assert body.nodes[2].inputs == body.nodes[:2]
    with pytest.raises(CorruptArchive, match="chooses the function 'gone'"):
        read.body("gone")


def test_what_a_chosen_function_gives_must_be_said() -> None:
    signature = field(1, "f") + field(3, field(1, "result"))
    with pytest.raises(CorruptArchive, match="does not say what its output 'result' is"):
        Graph(graph(functions=[field(1, signature)])).body("f")


def test_ports_are_kept() -> None:
    traced = flow(node("x", "Placeholder"), node("parts", "Split", "x"), node("out", "Sub", "parts:1", "parts"))
    assert traced.output.ports == ("1", "0")
    assert traced.output.inputs == by_op(traced, "Split") * 2
    assert (traced.port, flow(node("x", "Placeholder"), node("out", "Split", "x"), output="out:1").port) == ("0", "1")


def test_copies_of_several_values_keep_them_apart() -> None:
    copies = [node("a", "Placeholder"), node("b", "Placeholder"), node("both", "IdentityN", "a", "b")]
    assert flow(*copies, node("out", "Sub", "both:1", "both")).output.inputs[0].name == "b"
    with pytest.raises(CorruptArchive, match="'both' has no output '2'"):
        flow(*copies, node("out", "Neg", "both:2"))


def test_variables_of_older_graphs() -> None:
    traced = flow(node("bert/kernel", "VariableV2"), node("read", "Identity", "bert/kernel"), node("out", "Neg", "read"))
    assert list(traced.variables) == ["bert/kernel"]


def test_upstream_is_nearest_first_and_stops() -> None:
    traced = flow(
        node("x", "Placeholder"),
        node("bias", "BiasAdd", "x", "x"),
        node("left", "Tanh", "bias"),
        node("right", "Erf", "bias"),
        node("out", "Mul", "left", "right"),
    )
    assert [each.name for each in traced.output.upstream()] == ["left", "right", "bias", "x"]
    assert [each.name for each in traced.output.upstream(stop=("BiasAdd",))] == ["left", "right", "bias"]


def test_missing_attributes_are_named() -> None:
    with pytest.raises(CorruptArchive, match=r"'out'.*'epsilon'"):
        flow(node("out", "LayerNorm")).output.attribute("epsilon")


def test_long_chains_need_no_recursion() -> None:
    names = [f"step{index}" for index in range(5_000)]
    nodes = [node("step0", "Placeholder"), *(node(name, "Neg", previous) for previous, name in itertools.pairwise(names))]
    assert len(flow(*nodes, output=names[-1]).nodes) == 5_000


@pytest.mark.parametrize(
    ("data", "error", "match"),
    [
        (graph(), CorruptArchive, "'out', which is not there"),
        (graph(node("out", "Neg", "gone:0")), CorruptArchive, "'gone:0', which is not there"),
        (graph(node("out", "Neg", "out")), UnsupportedModel, "circle"),
        (graph(node("out", "Add", "b"), node("b", "Neg", "out")), UnsupportedModel, "circle"),
        (graph(node("out", "Identity", "b"), node("b", "Identity", "out")), UnsupportedModel, "leads nowhere"),
        (graph(call("out", "gone")), CorruptArchive, "function 'gone'"),
        (graph(node("out", "StatefulPartitionedCall")), CorruptArchive, "function ''"),
        (graph(call("out", "f"), functions=[function("f", [], {})]), CorruptArchive, "no output '0'"),
        (graph(call("out", "f", "out"), functions=[function("f", [], {"r": "x:0"})]), CorruptArchive, "1 arguments to a function of 0"),
        (graph(call("out", "f"), functions=[function("f", [], {"r": "again:0"}, call("again", "f"))]), UnsupportedModel, "nested"),
    ],
)
def test_broken_graphs_are_named(data: bytes, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        Graph(data).trace("out")


def test_graphs_that_grow_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubclient.archive.graph._MAX_NODES", 1_000)
    functions = [function("f0", ["x"], {"r": "n:y:0"}, node("n", "Neg", "x"))]
    for level in range(1, 30):
        inner = f"f{level - 1}"
        functions.append(function(f"f{level}", ["x"], {"r": "b:output:0"}, call("a", inner, "x"), call("b", inner, "a:output:0")))
    with pytest.raises(UnsupportedModel, match="more than"):
        Graph(graph(node("x", "Placeholder"), call("out", "f29", "x"), functions=functions)).trace("out")


def test_other_bytes_are_no_graph() -> None:
    with pytest.raises(CorruptArchive, match="GraphDef"):
        Graph(b"\xff\xff\xff")


def test_damage_raises_nothing_else() -> None:
    data = nested()
    truncations_read(lambda part: Graph(part).trace("Call:0"), data)
    flips_read(lambda part: Graph(part).trace("Call:0"), data)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (tensor(3, (4,), field(4, np.array([0, 2, 1, 3], np.int32).tobytes())), np.array([0, 2, 1, 3], np.int32)),
        (tensor(3, (), field(7, 12)), np.array(12, np.int32)),
        (tensor(3, (2,), field(7, struct.pack("BB", 5, 6))), np.array([5, 6], np.int32)),
        (tensor(3, (3,), field(7, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")), np.array([-1] * 3, np.int32)),
        (tensor(1, (), field(5, 0.5)), np.array(0.5, np.float32)),
        (tensor(1, (2, 2), field(5, struct.pack("<2f", 1, 2))), np.array([[1, 2], [2, 2]], np.float32)),
        (tensor(1, (2,)), np.zeros(2, np.float32)),
        (tensor(1, (0, 3)), np.zeros((0, 3), np.float32)),
        (tensor(9, (), field(10, 1 << 40)), np.array(1 << 40, np.int64)),
        (tensor(10, (), field(11, 1)), np.array(True)),
        (tensor(19, (), field(13, 0x3C00)), np.array(1, np.float16)),
        (tensor(14, (), field(13, 0x3F80)), np.array(1, np.float32)),
        (tensor(2, (1,), field(6, struct.pack("<d", 1e-12))), np.array([1e-12])),
    ],
)
def test_constants(value: bytes, expected: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> None:
    read = constant(the_constant(value))
    np.testing.assert_array_equal(read, expected, strict=True)
    assert not read.flags.writeable


def test_a_constant_of_one_repeated_value_takes_no_room() -> None:
    read = constant(the_constant(tensor(1, (1 << 20, 1 << 20), field(5, 1.0))))
    assert read.shape == (1 << 20, 1 << 20)
    assert read.strides == (0, 0)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (tensor(3, (3,), field(4, b"1234")), CorruptArchive),
        (tensor(3, (3,), field(4, b"12345")), CorruptArchive),
        (tensor(3, (1,), field(7, b"\1\2")), CorruptArchive),
        (tensor(4, (), field(7, 300)), CorruptArchive),
        (tensor(19, (), field(13, 1 << 20)), CorruptArchive),
        (tensor(3, (-1,), field(7, 1)), CorruptArchive),
        (tensor(3, (1,) * 40, field(7, 1)), CorruptArchive),
        (tensor(3, (1 << 62, 1 << 62), field(7, 1)), CorruptArchive),
        (tensor(3, (1 << 40,), field(7, b"\1\2")), CorruptArchive),
        (tensor(7, (), field(8, b"text")), UnsupportedModel),
        (tensor(3, ()) + field(2, field(3, 1)), CorruptArchive),
    ],
)
def test_broken_constants_are_named(value: bytes, error: type[Exception]) -> None:
    with pytest.raises(error, match="constant 'out'"):
        constant(the_constant(value))


@patient
@given(st.binary(max_size=60))
def test_noise_as_a_constant_raises_nothing_else(noise: bytes) -> None:
    survives(lambda data: constant(the_constant(tensor(1, (2,)) + data)), noise)


def test_scalars_and_shapes() -> None:
    eight = const("eight", tensor(1, (1,), field(5, 8.0)))
    minus, two = const("minus", tensor(3, (), field(7, -1))), const("two", tensor(3, (), field(7, 2)))
    packed = flow(
        node("x", "Placeholder"), eight, minus, two, node("batch", "Shape", "x"), node("out", "Pack", "batch", "minus", "two", "eight")
    )
    assert vector(packed.output) == (None, -1, 2, 8)
    assert scalar(named(packed, "eight")) == 8.0
    assert vector(named(packed, "batch")) is None
    assert vector(named(packed, "eight")) is None
    assert vector(the_constant(tensor(3, (2,), field(4, struct.pack("<2i", -1, 7))))) == (-1, 7)
    with pytest.raises(CorruptArchive, match="Shape, where a constant"):
        scalar(named(packed, "batch"))
    with pytest.raises(CorruptArchive, match="2 values, where one"):
        scalar(the_constant(tensor(3, (2,), field(4, bytes(8)))))


def test_unknown_rank_is_corrupt() -> None:
    with pytest.raises(CorruptArchive, match="impossible shape"):
        constant(the_constant(field(1, 3) + field(2, shape(1) + field(3, 1)) + field(7, 1)))


@pytest.mark.parametrize(("op", "given", "needed"), [("MatMul", ("x",), 2), ("Tanh", (), 1), ("StridedSlice", ("x", "x", "x"), 4)])
def test_readers_may_count_on_inputs(op: str, given: tuple[str, ...], needed: int) -> None:
    with pytest.raises(CorruptArchive, match=f"'out' .{op}. has {len(given)} inputs, and needs {needed}"):
        flow(node("x", "Placeholder"), node("out", op, *given))
