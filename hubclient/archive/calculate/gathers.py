"""Operators that take values from, and put them into, places that are given by number. A number out of range is an error.

Source: tensorflow/core/kernels/{gather_op.cc,gather_nd_op.cc,scatter_nd_op.cc,where_op.cc,one_hot_op.cc}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np

from hubclient.archive.calculate.operator import Operator
from hubclient.archive.calculate.step import Array, Step


def _gathered(step: Step, table: Array, index: Array, axis: int, batch: int) -> Array:
    """`batch` leading dimensions are shared; behind them, the numbers count along `axis`, and their dimensions take its place."""
    if not 0 <= batch <= min(axis, index.ndim) or axis >= table.ndim or table.shape[:batch] != index.shape[:batch]:
        raise step.wrong(f"{index.shape} numbers along axis {axis} of {table.shape}, {batch} dimensions shared")
    step.within(index, table.shape[axis])
    shape = (*table.shape[:axis], *index.shape[batch:], *table.shape[axis + 1 :])
    step.claim(shape, table.dtype)
    if not batch:
        return np.take(table, index, axis)
    shared, outer, inner = (prod(part) for part in (table.shape[:batch], table.shape[batch:axis], table.shape[axis + 1 :]))
    rows = table.reshape(shared, outer, table.shape[axis], inner)
    numbers = index.reshape(shared, 1, prod(index.shape[batch:]))
    return rows[np.arange(shared)[:, None, None], np.arange(outer)[:, None], numbers].reshape(shape)


def _gather(step: Step, table: Array, index: Array) -> Array:
    """Gather and ResourceGather: along the first dimension that is not shared."""
    batch = _shared(step, index)
    return _gathered(step, table, index, batch, batch)


def _gather_along(step: Step, table: Array, index: Array, axis_value: Array) -> Array:
    return _gathered(step, table, index, step.axis(step.scalar(axis_value, "the axis"), table.ndim), _shared(step, index))


def _shared(step: Step, index: Array) -> int:
    batch = step.integer("batch_dims", 0)
    return batch + index.ndim if batch < 0 else batch


def _places(step: Step, shape: Sequence[int], index: Array) -> tuple[Array, int]:
    """The last dimension of `index` has the coordinates of rows in `shape`: the numbers of these rows, and how many rows there are."""
    depth = index.shape[-1] if index.ndim else -1
    if not 0 <= depth <= len(shape):
        raise step.wrong(f"{depth} coordinates for {len(shape)} dimensions")
    numbers: Array = np.zeros(index.shape[:-1], np.int64)
    for axis in range(depth):
        step.within(index[..., axis], shape[axis])
        numbers = numbers * shape[axis] + index[..., axis]
    return numbers.reshape(-1), prod(shape[:depth])


def _gather_rows(step: Step, table: Array, index: Array) -> Array:
    numbers, rows = _places(step, table.shape, index)
    rest = table.shape[index.shape[-1] :]
    step.claim((*index.shape[:-1], *rest), table.dtype)
    return table.reshape(rows, prod(rest))[numbers].reshape((*index.shape[:-1], *rest))


def _put(step: Step, table: Array, index: Array, updates: Array, combine: Callable[[Array, Array, Array], None]) -> Array:
    """Rows of `table`, which is changed, are combined with those of `updates`."""
    numbers, rows = _places(step, table.shape, index)
    rest = table.shape[index.shape[-1] :]
    if not index.shape[-1]:
        raise step.wrong("its places have no coordinates")
    if updates.shape != (*index.shape[:-1], *rest):
        raise step.wrong(f"updates {updates.shape} of {table.shape} at {index.shape}")
    combine(table.reshape(rows, prod(rest)), numbers, updates.reshape(numbers.size, prod(rest)))
    return table


def _scatter(step: Step, index: Array, updates: Array, shape: Array) -> Array:
    """Into zeros; where numbers come twice, values are added up."""
    sides = step.sides(shape)
    step.claim(sides, updates.dtype)
    return _put(step, np.zeros(sides, updates.dtype), index, updates, np.add.at)


def _scatter_into(combine: Callable[[Array, Array, Array], None]) -> Callable[..., Array]:
    def apply(step: Step, table: Array, index: Array, updates: Array) -> Array:
        step.claim(table.shape, table.dtype)
        return _put(step, np.array(table, order="C"), index, updates, combine)

    return apply


def _replace(table: Array, numbers: Array, updates: Array) -> None:
    table[numbers] = updates


def _where(step: Step, value: Array) -> Array:
    """The coordinates of all that is not zero."""
    step.claim((int(np.count_nonzero(value)), value.ndim), np.dtype(np.int64))
    return np.argwhere(value)


def _one_hot(step: Step, index: Array, depth_value: Array, on: Array, off: Array) -> Array:
    depth, axis = step.scalar(depth_value, "the depth"), step.integer("axis", -1)
    axis = step.axis(axis, index.ndim + 1)
    if depth < 0 or on.ndim or off.ndim:
        raise step.wrong(f"depth {depth}, values of {on.shape} and {off.shape}")
    step.claim((depth, *index.shape), on.dtype)
    numbers = np.arange(depth, dtype=np.int64).reshape(-1, *[1] * (index.ndim - axis))
    return np.where(np.expand_dims(index, axis) == numbers, on, off)


OPERATORS: Mapping[str, Operator] = {
    "Gather": Operator("A I", _gather),
    "ResourceGather": Operator("A I", _gather),
    "GatherV2": Operator("A I I", _gather_along),
    "GatherNd": Operator("A I", _gather_rows),
    "ResourceGatherNd": Operator("A I", _gather_rows),
    "ScatterNd": Operator("I N I", _scatter),
    "TensorScatterUpdate": Operator("A I A", _scatter_into(_replace)),
    "TensorScatterAdd": Operator("N I N", _scatter_into(np.add.at)),
    "Where": Operator("A", _where),
    "OneHot": Operator("I I A A", _one_hot),
}
