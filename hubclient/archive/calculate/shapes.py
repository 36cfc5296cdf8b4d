"""Operators that give values another shape or order, or put them together and take them apart.

Source: tensorflow/core/kernels/{reshape_op.h,shape_ops.h,transpose_op.cc,pack_op.cc,concat_op.cc,split_op.cc,tile_ops.cc,pad_op.cc}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np

from hubclient.archive.calculate.operator import Operator
from hubclient.archive.calculate.step import INT32, Array, Step


def _reshape(step: Step, value: Array, shape: Array) -> Array:
    sides = step.vector(shape, "the shape")
    if sides.count(-1) == 1:
        # What is missing is told from the sides that are not 0, where both shapes have some that are.
        known = prod(side for side in sides if side not in (0, -1))
        missing = prod(side for side in value.shape if side or 0 not in sides) // (known or 1)
        sides[sides.index(-1)] = missing
    if min(sides, default=0) < 0 or prod(sides) != value.size:
        raise step.wrong(f"{value.shape} is given the shape {sides}")
    return value.reshape(sides)


def _squeeze(step: Step, value: Array) -> Array:
    named = [step.axis(axis, value.ndim) for axis in step.integers("squeeze_dims", ())]
    axes = named or [axis for axis, side in enumerate(value.shape) if side == 1]
    if any(value.shape[axis] != 1 for axis in axes):
        raise step.wrong(f"axes {axes} of {value.shape} are to be left out")
    return value.reshape([side for axis, side in enumerate(value.shape) if axis not in axes])


def _expand(step: Step, value: Array, axis: Array) -> Array:
    return np.expand_dims(value, step.axis(step.scalar(axis, "the axis"), value.ndim + 1))


def _transpose(step: Step, value: Array, order: Array) -> Array:
    axes = step.vector(order, "the order")
    if sorted(axes) != list(range(value.ndim)):
        raise step.wrong(f"{value.shape} is put in the order {axes}")
    return value.transpose(axes)


def _numbers(step: Step, numbers: Sequence[int] | int) -> Array:
    return np.array(numbers, step.dtype("out_type", INT32))


def _shapes(step: Step, *values: Array) -> list[Array]:
    return [_numbers(step, value.shape) for value in values]


def _rank(step: Step, value: Array) -> Array:
    return np.array(value.ndim, np.int32)


def _broadcast(step: Step, value: Array, shape: Array) -> Array:
    sides = step.sides(shape)
    step.claim(sides, value.dtype)
    return np.broadcast_to(value, sides).copy()


def _broadcast_shape(step: Step, left: Array, right: Array) -> Array:
    return np.array(np.broadcast_shapes(tuple(step.sides(left)), tuple(step.sides(right))), left.dtype)


def _tile(step: Step, value: Array, multiples: Array) -> Array:
    times = step.sides(multiples, "the list of multiples")
    if len(times) != value.ndim:
        raise step.wrong(f"{value.shape} is repeated {times} times")
    step.claim([side * count for side, count in zip(value.shape, times, strict=True)], value.dtype)
    return np.tile(value, times) if times else value


def _pack(step: Step, *values: Array) -> Array:
    if any(value.shape != values[0].shape for value in values):
        raise step.wrong(f"values of {values[0].shape} and others are put together")
    step.claim((len(values), *values[0].shape), values[0].dtype)
    return np.stack(values, step.axis(step.integer("axis", 0), values[0].ndim + 1))


def _unpack(step: Step, value: Array) -> list[Array]:
    axis = step.axis(step.integer("axis", 0), value.ndim)
    count = value.shape[axis]
    if step.integer("num", count) != count:
        raise step.wrong(f"there are {count} along axis {axis}")
    step.budget.operate(step.where, count)
    return list(np.moveaxis(value, axis, 0))


def _joined(step: Step, axis_value: Array, values: Sequence[Array]) -> Array:
    axis = step.axis(step.scalar(axis_value, "the axis"), values[0].ndim)
    others = {(value.ndim, *value.shape[:axis], *value.shape[axis + 1 :]) for value in values}
    if len(others) > 1:
        raise step.wrong(f"{', '.join(str(value.shape) for value in values[:8])} are joined along axis {axis}")
    total = sum(value.shape[axis] for value in values)
    step.claim((*values[0].shape[:axis], total, *values[0].shape[axis + 1 :]), values[0].dtype)
    return np.concatenate(values, axis)


def _split(step: Step, axis_value: Array, value: Array) -> list[Array]:
    axis, count = step.axis(step.scalar(axis_value, "the axis"), value.ndim), step.integer("num_split", 0)
    if count < 1 or value.shape[axis] % count:
        raise step.wrong(f"{value.shape[axis]} are split in {count}")
    step.budget.operate(step.where, count)
    return _cut(value, axis, [value.shape[axis] // count] * count)


def _split_sizes(step: Step, value: Array, sizes_value: Array, axis_value: Array) -> list[Array]:
    axis, sizes = step.axis(step.scalar(axis_value, "the axis"), value.ndim), step.vector(sizes_value, "the list of sizes")
    side = value.shape[axis]
    if sizes.count(-1) == 1:
        sizes[sizes.index(-1)] = side - sum(sizes) - 1
    if min(sizes, default=-1) < 0 or sum(sizes) != side or step.integer("num_split", len(sizes)) != len(sizes):
        raise step.wrong(f"{side} are split in {sizes}")
    step.budget.operate(step.where, len(sizes))
    return _cut(value, axis, sizes)


def _cut(value: Array, axis: int, sizes: Sequence[int]) -> list[Array]:
    ends = np.cumsum(sizes).tolist()
    return [value[(slice(None),) * axis + (slice(end - size, end),)] for size, end in zip(sizes, ends, strict=True)]


def _pad(step: Step, value: Array, paddings: Array, filling: Array | None = None) -> Array:
    if paddings.shape != (value.ndim, 2) or (paddings.size and paddings.min() < 0):
        raise step.wrong(f"{value.shape} is padded by {paddings.shape} numbers")
    if filling is not None and filling.ndim:
        raise step.wrong(f"it is padded with {filling.shape}")
    widths: list[list[int]] = paddings.tolist()
    step.claim([side + sum(width) for side, width in zip(value.shape, widths, strict=True)], value.dtype)
    return np.pad(value, widths, constant_values=0 if filling is None else filling) if widths else value


def _reverse(step: Step, value: Array, axes: Array) -> Array:
    numbers = [step.axis(axis, value.ndim) for axis in step.vector(axes, "the list of axes")]
    if len(set(numbers)) < len(numbers):
        raise step.wrong("an axis is named twice")
    return np.flip(value, tuple(numbers))


def _roll(step: Step, value: Array, shifts: Array, axes: Array) -> Array:
    by, along = step.vector(shifts, "the list of shifts"), [step.axis(axis, value.ndim) for axis in step.vector(axes, "the list of axes")]
    if len(by) != len(along):
        raise step.wrong(f"{len(by)} shifts along {len(along)} axes")
    step.claim(value.shape, value.dtype)
    return np.roll(value, by, along)


def _last(function: Callable[[Step, Array, Sequence[Array]], Array]) -> Callable[..., Array]:
    return lambda step, *inputs: function(step, inputs[-1], inputs[:-1])


OPERATORS: Mapping[str, Operator] = {
    "Reshape": Operator("A I", _reshape),
    "Squeeze": Operator("A", _squeeze),
    "ExpandDims": Operator("A I", _expand),
    "Transpose": Operator("A I", _transpose),
    "Shape": Operator("A", lambda step, value: _numbers(step, value.shape)),
    "ShapeN": Operator("A*", _shapes),
    "Size": Operator("A", lambda step, value: _numbers(step, value.size)),
    "Rank": Operator("A", _rank),
    "BroadcastTo": Operator("A I", _broadcast),
    "BroadcastArgs": Operator("I I", _broadcast_shape),
    "Tile": Operator("A I", _tile),
    "Pack": Operator("A*", _pack),
    "Unpack": Operator("A", _unpack),
    "Concat": Operator("I A A*", lambda step, axis, *values: _joined(step, axis, values)),
    "ConcatV2": Operator("A A* I", _last(_joined)),
    "Split": Operator("I A", _split),
    "SplitV": Operator("A I I", _split_sizes),
    "Pad": Operator("A I", _pad),
    "PadV2": Operator("A I A", _pad),
    "ReverseV2": Operator("A I", _reverse),
    "Roll": Operator("A I I", _roll),
}
