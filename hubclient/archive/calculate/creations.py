"""Operators that make values out of a few numbers, and those that work on the diagonals of matrices.

Source: tensorflow/core/kernels/{sequence_ops.cc,constant_op.cc,matrix_band_part_op.cc,matrix_diag_op.cc}.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, isfinite

import numpy as np

from hubclient.archive.calculate.operator import Operator
from hubclient.archive.calculate.step import Array, Step


def _range(step: Step, start: Array, limit: Array, delta: Array) -> Array:
    """start + i * delta, all in the type of the inputs."""
    size: float
    if start.dtype.kind == "f":
        size = float(abs((limit.reshape(()) - start.reshape(())) / delta.reshape(())))
    else:
        size = -((step.scalar(start, "start") - step.scalar(limit, "limit")) // step.scalar(delta, "delta"))
    if size < 0 or not isfinite(size) or (limit < start if delta > 0 else limit > start):
        raise step.wrong(f"from {start} to {limit} by {delta}")
    step.claim([ceil(size)], np.dtype(np.int64))
    result: Array = start.reshape(()) + np.arange(ceil(size)).astype(start.dtype) * delta.reshape(())
    return result


def _fill(step: Step, shape: Array, value: Array) -> Array:
    sides = step.sides(shape)
    step.claim(sides, value.dtype)
    return np.full(sides, value.reshape(()), value.dtype)


def _band(step: Step, value: Array, lower_value: Array, upper_value: Array) -> Array:
    """Zero but for a band of diagonals; below zero, all on that side are kept."""
    if value.ndim < 2:
        raise step.wrong(f"{value.shape} is no matrix")
    below, above = step.scalar(lower_value, "the lower bound"), step.scalar(upper_value, "the upper bound")
    rows, columns = value.shape[-2:]
    if below > rows or above > columns:
        raise step.wrong(f"{below} diagonals below and {above} above, of {rows} x {columns}")
    step.claim(value.shape, value.dtype)
    distance = np.arange(columns) - np.arange(rows)[:, None]
    kept = ((below < 0) | (-distance <= below)) & ((above < 0) | (distance <= above))
    return np.where(kept, value, value.dtype.type(0))


def _small_matrix(step: Step, value: Array) -> Array:
    return _diagonal(step, value, np.array(0), np.array(-1), np.array(-1), np.zeros((), value.dtype))


def _diagonal(step: Step, value: Array, number: Array, rows: Array, columns: Array, filling: Array) -> Array:
    """A matrix of the one diagonal that is given; without sizes, as small as may be."""
    which = step.vector(number, "the diagonal")
    if len(set(which)) != 1 or not value.ndim:
        raise step.unsupported(f"{value.shape} as the diagonals {which}")
    least = value.shape[-1] + max(-which[0], 0), value.shape[-1] + max(which[0], 0)
    sides = step.scalar(rows, "the number of rows"), step.scalar(columns, "the number of columns")
    height, width = (
        (max(least),) * 2 if sides == (-1, -1) else (wish if wish != -1 else size for wish, size in zip(sides, least, strict=True))
    )
    if height < least[0] or width < least[1] or (height, width) not in ((height, least[1]), (least[0], width), (max(least),) * 2):
        raise step.wrong(f"{value.shape[-1]} numbers on diagonal {which[0]} of {height} x {width}")
    shape = (*value.shape[:-1], height, width)
    step.claim(shape, value.dtype)
    result = np.full(shape, filling.reshape(()), value.dtype)
    place = np.arange(value.shape[-1])
    result[..., place + max(-which[0], 0), place + max(which[0], 0)] = value
    return result


OPERATORS: Mapping[str, Operator] = {
    "Range": Operator("N N N", _range),
    "Fill": Operator("I A", _fill),
    "MatrixBandPart": Operator("A I I", _band),
    "MatrixDiag": Operator("A", _small_matrix),
    "MatrixDiagV2": Operator("A I I I A", _diagonal),
    "MatrixDiagV3": Operator("A I I I A", _diagonal),
}
