"""Makes `operator_cases.json` beside this file: small cases of every operator, with what TensorFlow itself gives for them.

    pip install tensorflow-cpu==2.15.1 "numpy<2"
    python -m tests.archive.data.make_operator_cases

A case has the operator, its inputs, its attributes as a graph has them, and which of these an exporter leaves out since they have their
default. `outputs` is what comes out; a case without outputs is one that TensorFlow refuses.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("operator_cases.json")
NAN, INF = float("nan"), float("inf")
SPECIAL = np.array([NAN, INF, -INF, 0.0, -0.0, 1.5, -2.5, 0.5, 1e-8, 3e4], np.float32)
POINTS = np.array([-5.0, -3.9, -2.5, -1.5, -1.0, -0.5, -1e-4, 0.0, 1e-4, 0.3, 0.5, 1.5, 2.5, 3.9, 5.0, 90.0, NAN, INF, -INF], np.float32)
ONE = np.float32(1)
Case = tuple[str, list[Any], dict[str, Any], int | None]


def floats(*shape: int) -> np.ndarray:
    """Numbers that are all different, some below zero."""
    count = int(np.prod(shape))
    return ((np.arange(count) * 7 % 23 - 9) / 4 + np.arange(count) / 64).astype(np.float32).reshape(shape)


def integers(*shape: int, kind: type = np.int32) -> np.ndarray:
    return (np.arange(int(np.prod(shape))) * 5 % 17 - 6).astype(kind).reshape(shape)


def case(op: str, *inputs: Any, first: int | None = None, **attributes: Any) -> Case:
    """A list among the inputs is an input of several values; `first` outputs are asked for, or all."""
    return op, [value if isinstance(value, list) else np.asarray(value) for value in inputs], attributes, first


def i32(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def f32(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def elementwise() -> Iterator[Case]:
    for op in [
        "Add",
        "AddV2",
        "Sub",
        "Mul",
        "RealDiv",
        "Div",
        "Maximum",
        "Minimum",
        "SquaredDifference",
        "Pow",
        "FloorDiv",
        "FloorMod",
        "TruncateMod",
        "Mod",
        "DivNoNan",
    ]:
        yield case(op, np.repeat(SPECIAL, 10), np.tile(SPECIAL, 10))
        yield case(op, floats(2, 1, 3), floats(4, 1))
        yield case(op, floats(2, 3), floats(2))
        if op not in ("RealDiv", "DivNoNan"):
            yield case(op, integers(3, 4), np.abs(integers(4)) + 1)
            yield case(op, integers(3, kind=np.int64), integers(3))
            yield case(op, i32(1, 2), i32(0, 1))
    yield case("Mul", np.int32(2_000_000_000), np.int32(3))
    yield case("Pow", i32(2, 3), i32(-1, 2))
    yield case("Pow", f32(-8, 4), f32(1 / 3, 0.5))
    yield case("Add", np.array([True]), np.array([False]))
    yield case("AddN", [floats(2, 2), floats(2, 2), floats(2, 2)])
    yield case("AddN", [floats(2, 2), floats(2)])
    for op in [
        "Exp",
        "Expm1",
        "Log",
        "Log1p",
        "Sqrt",
        "Rsqrt",
        "Reciprocal",
        "Sin",
        "Cos",
        "Tanh",
        "Sigmoid",
        "Softplus",
        "Softsign",
        "Elu",
        "Selu",
        "Erf",
        "Erfc",
    ]:
        yield case(op, POINTS[:-3] if op in ("Sin", "Cos") else POINTS)
    for op in ["Abs", "Neg", "Sign", "Square", "Relu", "Relu6", "Ceil", "Floor", "Rint", "Round"]:
        yield case(op, POINTS)
    for op in ["Abs", "Neg", "Sign", "Square", "Relu", "Relu6", "Round"]:
        yield case(op, integers(5))
    yield case("Erf", POINTS.astype(np.float64))
    yield case("Exp", i32(1))
    yield case("LeakyRelu", POINTS)
    yield case("LeakyRelu", POINTS, alpha=0.5)
    yield case("BiasAdd", floats(2, 3), floats(3))
    yield case("BiasAdd", floats(2, 3, 2), floats(2))
    yield case("BiasAdd", floats(1, 3, 2, 2), floats(3), data_format="NCHW")
    yield case("BiasAdd", floats(2, 3), floats(2))
    yield case("ClipByValue", POINTS[:16], f32(-1)[0], f32(1)[0])
    yield case("ZerosLike", floats(2, 2))
    yield case("OnesLike", integers(2, 2))


def comparisons() -> Iterator[Case]:
    for op in ["Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual"]:
        yield case(op, np.repeat(SPECIAL[:6], 6), np.tile(SPECIAL[:6], 6))
        yield case(op, integers(3, 1), integers(4))
    yield case("Equal", np.array([True, False]), np.array([True, True]))
    for op in ("LogicalAnd", "LogicalOr"):
        yield case(op, np.array([True, True, False, False]), np.array([True, False, True, False]))
    yield case("LogicalNot", np.array([True, False]))
    yield case("LogicalNot", i32(1))
    for op in ("IsNan", "IsInf", "IsFinite"):
        yield case(op, SPECIAL)
    truth = np.array([[True], [False]])
    yield case("SelectV2", truth, floats(3), floats(2, 3))
    yield case("SelectV2", np.array(True), integers(2), integers(1))
    yield case("Select", truth[:, 0], floats(2, 3), -floats(2, 3))
    yield case("Select", np.array(False), floats(2, 3), -floats(2, 3))
    yield case("Select", truth, floats(2, 1), -floats(2, 1))
    yield case("Select", truth, floats(2, 3), -floats(2, 3))


def casts() -> Iterator[Case]:
    numbers = {
        1: POINTS[:16],
        2: POINTS[:16].astype(np.float64),
        3: integers(6),
        9: integers(6, kind=np.int64),
        10: np.array([True, False]),
    }
    for source, target in itertools.product(numbers, (1, 2, 3, 9, 10)):
        yield case("Cast", numbers[source], DstT=target)
    yield case("Cast", integers(6), DstT=4)
    yield case("Cast", f32(0.1, 65504, 1e-7), DstT=19)
    yield case("Cast", f32(0.1, 65504).astype(np.float16), DstT=1)


def reductions() -> Iterator[Case]:
    for op in ["Sum", "Mean", "Prod", "Max", "Min"]:
        yield case(op, floats(2, 3, 4), i32(1))
        yield case(op, floats(2, 3, 4), i32(-1, 0), keep_dims=True)
        yield case(op, floats(2, 3), np.int32(1))
        yield case(op, floats(2, 3), np.array([], np.int32))
        yield case(op, integers(2, 3), i32(1))
        yield case(op, integers(5, kind=np.int64), np.int64(0))
        yield case(op, floats(2, 0), i32(1))
        yield case(op, f32(1, NAN, 2), i32(0))
        yield case(op, floats(2, 3), i32(1, -1))
        yield case(op, floats(2, 3), i32(2))
    yield case("Sum", i32(2_000_000_000, 2_000_000_000), i32(0))
    for op in ("All", "Any"):
        for axes in (i32(0), i32(1), i32(0, 1)):
            yield case(op, np.array([[True, False], [True, True]]), axes)
        yield case(op, np.zeros((2, 0), bool), i32(1))
    for op, exclusive, reverse in itertools.product(("Cumsum", "Cumprod"), (False, True), (False, True)):
        yield case(op, floats(2, 3), np.int32(-1), exclusive=exclusive, reverse=reverse)
        yield case(op, integers(3, 2), np.int64(0), exclusive=exclusive, reverse=reverse)
    yield case("Cumsum", floats(2, 3), np.int32(2))
    for axis in (0, -1):
        yield case("ArgMax", floats(3, 4), np.int32(axis))
    yield case("ArgMax", f32(1, NAN, 3, 3), np.int32(0), output_type=3)
    yield case("ArgMax", np.zeros((0, 2), np.float32), np.int32(0))


def products() -> Iterator[Case]:
    for left, right in itertools.product((False, True), repeat=2):
        a, b = floats(3, 2) if left else floats(2, 3), floats(4, 3) if right else floats(3, 4)
        yield case("MatMul", a, b, transpose_a=left, transpose_b=right)
        yield case("BatchMatMul", np.stack([a, -a]), np.stack([b, b / 2]), adj_x=left, adj_y=right)
        yield case("BatchMatMulV2", np.stack([a, -a])[:, None], np.stack([b, b / 2, b]), adj_x=left, adj_y=right)
    yield case("BatchMatMulV3", floats(2, 2, 3), floats(3, 4), Tout=1)
    yield case("MatMul", integers(2, 3), integers(3, 2))
    yield case("MatMul", floats(2, 0), floats(0, 3))
    yield case("MatMul", floats(2, 3), floats(2, 3))
    yield case("MatMul", floats(1, 2, 3), floats(3, 2))
    yield case("BatchMatMul", floats(2, 1, 3), floats(1, 3, 2))
    equations = (
        "ab,bc->ac ab,cb->ca abc->cab abc->b aecd,abcd->acbe ibh,hnd->ibnd ibnd,jbnd->bnij bcxd,bcyd->bcxy acbe,aecd->abcd abc,cde->abde "
        "ab,cd->abcd a,a-> ab,ab->ab abc,ab->c ...ab,bc->...ac ...ab,...bc->...ac a...,...b->...ab ab,c->a abc,dc->a"
    )
    sizes = dict(zip("abcdehijnxy", (2, 3, 4, 5, 2, 3, 4, 2, 3, 2, 4), strict=True))
    for equation in equations.split():
        parts = equation.partition("->")[0].replace("...", "").split(",")
        yield case("Einsum", [floats(*(sizes[label] for label in part)) for part in parts], equation=equation)
    yield case("Einsum", [floats(2, 1, 3, 4), floats(5, 4, 2)], equation="...ab,...bc->...ac")
    yield case("Einsum", [floats(2, 3, 4), floats(4, 2)], equation="...ab,...bc->...ac")
    yield case("Einsum", [floats(2, 3), floats(4, 2)], equation="ab,bc->ac")
    yield case("Einsum", [floats(1, 3), floats(2, 4)], equation="ab,ac->bc")
    yield case("Einsum", [floats(2, 3)], equation="abc->a")
    yield case("Einsum", [floats(2, 3)], equation="ab->ad")
    for padding, strides, dilations in itertools.product(("SAME", "VALID"), ([1, 1, 1, 1], [1, 2, 1, 1]), ([1, 1, 1, 1], [1, 1, 2, 1])):
        yield case("Conv2D", floats(2, 4, 5, 2), floats(2, 3, 2, 2), strides=strides, padding=padding, dilations=dilations)
    yield case(
        "Conv2D", floats(1, 2, 2, 1), floats(2, 2, 1, 2), strides=[1] * 4, padding="EXPLICIT", explicit_paddings=[0, 0, 1, 2, 0, 1, 0, 0]
    )
    yield case("Conv2D", floats(1, 1, 2, 1), floats(1, 3, 1, 2), strides=[1] * 4, padding="VALID")


def norms() -> Iterator[Case]:
    for op in ("Softmax", "LogSoftmax"):
        yield case(op, floats(2, 3, 4))
        yield case(op, np.array([[1, INF], [NAN, 1], [-INF, 1], [-INF, -INF], [1e4, -1e4]], np.float32))
        yield case(op, np.float32(1))
    scale, offset, empty = f32(1, 2), f32(0.5, -1), np.array([], np.float32)
    for op in ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"):
        yield case(op, floats(2, 2, 3, 2), scale, offset, empty, empty, first=1)
        yield case(op, floats(1, 2, 3, 1), scale, offset, empty, empty, first=1, data_format="NCHW", epsilon=1e-2)
        yield case(op, floats(2, 2, 3, 2), scale, offset, f32(0.1, 0.2), f32(1, 2), first=1, is_training=False, epsilon=1e-3)


def shapes() -> Iterator[Case]:
    for sides in (i32(3, 2), i32(-1), i32(2, -1, 1), np.array([6, -1]), i32(4), i32(-1, -1), i32(0, -1), i32(-2, -3)):
        yield case("Reshape", floats(2, 3), sides)
    yield case("Reshape", floats(0, 3), i32(3, -1))
    yield case("Reshape", floats(0, 3), i32(0, -1))
    yield case("Reshape", floats(1, 1), np.array([], np.int32))
    yield case("Squeeze", floats(1, 2, 1))
    yield case("Squeeze", floats(1, 2, 1), squeeze_dims=[-1])
    yield case("Squeeze", floats(1, 2, 1), squeeze_dims=[1])
    for axis in (0, 2, -1, -3, 3):
        yield case("ExpandDims", floats(2, 3), np.int32(axis))
    yield case("Transpose", floats(2, 3, 4), i32(2, 0, 1))
    yield case("Transpose", floats(2, 3), np.array([1, 0]))
    yield case("Transpose", floats(2, 3), i32(0, 0))
    yield case("Shape", floats(2, 3))
    yield case("Shape", floats(2, 3), out_type=9)
    yield case("ShapeN", [floats(2, 3), floats(4, 1)])
    yield case("Size", floats(2, 3))
    yield case("Rank", floats(2, 3))
    yield case("BroadcastTo", floats(2, 1), i32(3, 2, 4))
    yield case("BroadcastTo", floats(2, 2), i32(2, 4))
    yield case("BroadcastArgs", i32(2, 1), i32(3, 1, 4))
    yield case("BroadcastArgs", i32(2), i32(3))
    yield case("Tile", floats(2, 2), i32(2, 3))
    yield case("Tile", floats(2, 2), i32(0, 1))
    yield case("Tile", floats(2, 2), i32(2))
    yield case("Tile", floats(2), i32(-1))
    for axis in (0, 1, -1, 2, 3):
        yield case("Pack", [floats(2, 3), floats(2, 3) * 2], axis=axis)
    yield case("Pack", [floats(2, 3), floats(3, 2)])
    for axis in (0, 1, -1):
        yield case("Unpack", floats(2, 2, 2), axis=axis, num=2)
    yield case("Unpack", floats(2, 2), num=3)
    for axis in (0, 1, -1):
        yield case("ConcatV2", [floats(2, 2), floats(2, 2) * 2, floats(2, 2) * 3], np.int32(axis))
    yield case("Concat", np.int32(1), [floats(2, 2), floats(2, 1)])
    yield case("ConcatV2", [floats(2, 2), floats(2, 1)], np.int32(0))
    yield case("ConcatV2", [floats(2, 2), floats(2)], np.int32(0))
    yield case("ConcatV2", [floats(2, 2), floats(2, 2)], np.int32(2))
    yield case("Split", np.int32(1), floats(2, 4), num_split=2)
    yield case("Split", np.int32(-2), floats(2, 4), num_split=2)
    yield case("Split", np.int32(1), floats(2, 4), num_split=3)
    yield case("SplitV", floats(2, 5), i32(1, -1, 2), np.int32(1), num_split=3)
    yield case("SplitV", floats(2, 5), np.array([2, 3]), np.int32(-1), num_split=2)
    yield case("SplitV", floats(2, 5), i32(1, 3), np.int32(1), num_split=2)
    yield case("Pad", floats(2, 2), i32(1, 0, 0, 2).reshape(2, 2))
    yield case("Pad", floats(2, 2), i32(-1, 0, 0, 2).reshape(2, 2))
    yield case("Pad", floats(2, 2), i32(1, 0).reshape(1, 2))
    yield case("PadV2", floats(2, 2), np.array([[1, 1], [0, 0]]), np.float32(7))
    yield case("ReverseV2", floats(2, 3), i32(1))
    yield case("ReverseV2", floats(2, 3), i32(0, -1))
    yield case("ReverseV2", floats(2, 3), i32(1, -1))
    yield case("Roll", floats(2, 3), np.int32(1), np.int32(1))
    yield case("Roll", floats(2, 3), i32(1, -2), i32(0, 1))
    yield case("Roll", floats(2, 3), i32(1, 1), i32(1, -1))
    yield case("Roll", floats(2, 3), i32(1), i32(2))
    yield case("Slice", floats(3, 4), i32(1, 0), i32(2, -1))
    yield case("Slice", floats(3, 4), i32(1, 0), i32(3, 1))
    yield case("Slice", floats(3, 4), i32(-1, 0), i32(1, 1))


def slices() -> Iterator[Case]:
    value = floats(3, 4, 2)
    masks = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    chance = np.random.default_rng(5)
    for _ in range(120):
        count = int(chance.integers(1, 5))
        begin, end = chance.integers(-5, 6, (2, count)).astype(np.int32)
        strides = chance.choice([1, 1, 1, 2, -1, -2], count).astype(np.int32)
        given = {mask: int(chance.integers(0, 1 << count)) for mask in masks if chance.random() < 0.5}
        if "ellipsis_mask" in given:
            given["ellipsis_mask"] = 1 << int(chance.integers(0, count))
        yield case("StridedSlice", value, begin, end, strides, **given)
    yield case("StridedSlice", value, i32(0), i32(1), i32(0))
    yield case("StridedSlice", value, i32(3), i32(4), i32(1), shrink_axis_mask=1)
    yield case("StridedSlice", value, i32(0, 0), i32(1), i32(1))


def gathers() -> Iterator[Case]:
    table, index = floats(3, 4, 2), i32(2, 0, 2, 1).reshape(2, 2)
    yield case("Gather", table, index)
    yield case("Gather", table, i32(3))
    yield case("Gather", table, i32(-1))
    for axis in (0, 1, 2, -1, -3):
        yield case("GatherV2", table, index[:1] // 2, np.int32(axis))
    yield case("GatherV2", table, index, np.int32(3))
    yield case("GatherV2", table, np.int64(1), np.int32(0))
    rows = i32(3, 0, 1, 1, 2, 0).reshape(3, 2)
    yield case("GatherV2", table, rows, np.int32(1), batch_dims=1)
    yield case("GatherV2", table, rows // 2, np.int32(2), batch_dims=1)
    yield case("GatherV2", table, rows, np.int32(1), batch_dims=-1)
    yield case("GatherV2", floats(3, 2, 4), np.stack([rows, rows], 2), np.int32(2), batch_dims=2)
    yield case("GatherV2", table, rows[:2], np.int32(1), batch_dims=1)
    yield case("GatherV2", table, rows, np.int32(0), batch_dims=1)
    yield case("GatherNd", table, i32(2, 1, 0, 3).reshape(2, 2))
    yield case("GatherNd", table, np.array([[[2, 1, 1]]]))
    yield case("GatherNd", table, np.zeros((2, 0), np.int32))
    yield case("GatherNd", table, i32(2, 4))
    yield case("GatherNd", table, i32(2, 1, 1, 0))
    yield case("ScatterNd", i32(1, 3, 1).reshape(3, 1), floats(3, 2), i32(4, 2))
    yield case("ScatterNd", np.array([[0, 1], [2, 0]]), integers(2), np.array([3, 2]))
    yield case("ScatterNd", i32(4).reshape(1, 1), floats(1, 2), i32(4, 2))
    yield case("ScatterNd", i32(1).reshape(1, 1), floats(1, 3), i32(4, 2))
    yield case("TensorScatterUpdate", floats(4, 2), i32(1, 3).reshape(2, 1), floats(2, 2) * 9)
    yield case("TensorScatterUpdate", integers(3, 3), np.array([[0, 2], [1, 1]]), i32(100, 101))
    yield case("TensorScatterUpdate", floats(4, 2), i32(4).reshape(1, 1), floats(1, 2))
    yield case("TensorScatterAdd", floats(4, 2), i32(1, 1).reshape(2, 1), floats(2, 2))
    yield case("Where", np.array([[True, False], [True, True]]))
    yield case("Where", f32(0, 2, NAN))
    yield case("Where", np.zeros((2, 2), bool))
    for axis in (-1, 0, 1):
        yield case("OneHot", i32(0, 2, -1, 3, 1, 5).reshape(2, 3), np.int32(4), ONE, np.float32(-1), axis=axis)
    yield case("OneHot", np.array([1]), np.int32(2), np.array(True), np.array(False))
    yield case("OneHot", i32(0), np.int32(-1), ONE, ONE)


def creations() -> Iterator[Case]:
    for bounds in ((0, 5, 1), (5, 0, -2), (2, 2, 1), (0, 7, 3), (0, 5, -1), (0, 5, 0)):
        yield case("Range", *(np.int32(bound) for bound in bounds))
        yield case("Range", *(np.float32(bound) for bound in bounds))
    yield case("Range", np.float32(0), np.float32(1), np.float32(0.1))
    yield case("Range", np.int64(3), np.int64(6), np.int64(1))
    yield case("Fill", i32(2, 3), np.float32(4))
    yield case("Fill", np.array([2]), np.array(True))
    yield case("Fill", i32(-1), ONE)
    yield case("Fill", i32(1), f32(1, 2))
    for below, above in ((0, 0), (-1, 0), (1, -1), (-1, -1), (1, 2), (4, 0)):
        yield case("MatrixBandPart", floats(2, 3, 4), np.int32(below), np.int32(above))
    yield case("MatrixBandPart", floats(3), np.int32(0), np.int32(0))
    yield case("MatrixDiag", floats(2, 3))
    for op, diagonal, rows, columns in itertools.product(("MatrixDiagV2", "MatrixDiagV3"), (0, 1, -2), (-1, 4), (-1, 5)):
        yield case(op, floats(2, 3), np.int32(diagonal), np.int32(rows), np.int32(columns), np.float32(0))
    yield case("MatrixDiagV3", floats(2), i32(1, 1), np.int32(-1), np.int32(-1), np.float32(9))


FAMILIES = (elementwise, comparisons, casts, reductions, products, norms, shapes, slices, gathers, creations)


def written(value: np.ndarray) -> list[Any]:
    """Type, shape and numbers, each number as short as may be."""
    numbers = [float(str(number)) if value.dtype.kind == "f" else number.item() for number in value.reshape(-1)]
    return [value.dtype.name, list(value.shape), numbers]


def attribute(value: Any) -> dict[str, Any] | None:
    """What is kept of an AttrValue: the field that is set; not what only TensorFlow's own checks need."""
    kind = value.WhichOneof("value")
    if kind == "f":
        return {kind: float(str(np.float32(value.f)))}
    if kind == "s":
        return {kind: value.s.decode()}
    if kind == "list":
        return {"list": list(value.list.i)}
    return {kind: getattr(value, kind)} if kind in ("i", "b", "type") else None


def set_attribute(target: Any, name: str, value: Any) -> None:
    if name in ("DstT", "out_type", "output_type", "Tout"):
        target.type = value
    elif isinstance(value, list):
        target.list.i.extend(value)
    elif isinstance(value, str):
        target.s = value.encode()
    else:
        setattr(target, {bool: "b", int: "i", float: "f"}[type(value)], value)


def definition_of(op: str, inputs: list[Any], attributes: dict[str, Any]) -> Any:
    """A GraphDef of the operation `out` and its inputs, with the attributes that say types and counts."""
    import tensorflow as tf
    from tensorflow.python.framework import op_def_registry

    graph = tf.compat.v1.GraphDef()
    node = graph.node.add(name="out", op=op)
    for argument, value in zip(op_def_registry.get(op).input_arg, inputs, strict=True):
        parts = value if isinstance(value, list) else [value]
        if argument.number_attr:
            node.attr[argument.number_attr].i = len(parts)
        if argument.type_attr:
            node.attr[argument.type_attr].type = tf.as_dtype(parts[0].dtype).as_datatype_enum
        for part in parts:
            name = f"input{len(node.input)}"
            node.input.append(name)
            tensor = graph.node.add(name=name, op="Const")
            tensor.attr["dtype"].type = tf.as_dtype(part.dtype).as_datatype_enum
            tensor.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(part))
    for name, value in attributes.items():
        set_attribute(node.attr[name], name, value)
    return graph


def worked_out(op: str, inputs: list[Any], attributes: dict[str, Any], first: int | None) -> dict[str, Any]:
    """The case as it is written, with TensorFlow's own answer."""
    import tensorflow as tf
    from tensorflow.python.framework import op_def_registry

    flat = [part for value in inputs for part in (value if isinstance(value, list) else [value])]
    record: dict[str, Any] = {"op": op, "inputs": [written(value) for value in flat]}
    source = definition_of(op, inputs, attributes)
    given = source.node[0].attr
    record["attributes"] = {name: form for name in sorted(given) if (form := attribute(given[name])) is not None}
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        try:
            tf.import_graph_def(source, name="")
            made = graph.get_operation_by_name("out")
            outputs = session.run(made.outputs[:first])
        except (tf.errors.OpError, ValueError) as error:
            print(op, str(error).splitlines()[0][:140])
            return record
    given = made.node_def.attr
    record["attributes"] = {name: form for name in sorted(given) if (form := attribute(given[name])) is not None}
    defaults = {item.name: item.default_value for item in op_def_registry.get(op).attr if item.HasField("default_value")}
    record["optional"] = [name for name in record["attributes"] if name in defaults and defaults[name] == given[name]]
    record["outputs"] = [written(output) for output in outputs]
    return record


if __name__ == "__main__":
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # TensorFlow's own kernels
    records = [worked_out(*each) for family in FAMILIES for each in family()]
    FILE.write_text("[\n" + ",\n".join(json.dumps(record, separators=(",", ":")) for record in records) + "\n]\n", encoding="utf-8")
