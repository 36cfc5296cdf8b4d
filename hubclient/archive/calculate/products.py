"""Products of matrices, and convolutions as sums of them. BLAS does them: transposed matrices are views.

Source: tensorflow/core/kernels/matmul_op*.{h,cc}, batch_matmul_op_impl.h, conv_ops.cc, tensorflow/core/framework/kernel_shape_util.cc.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import NamedTuple

import numpy as np

from hubclient.archive.calculate.operator import Operator
from hubclient.archive.calculate.step import Array, Step

_SLOW = 64  # BLAS knows no integers
_CALL = 1 << 20  # what a call to BLAS costs at least, in multiplications


def multiplied(step: Step, left: Array, right: Array) -> Array:
    """(…, n, m) x (…, m, k) -> (…, n, k)."""
    if left.shape[-1] != right.shape[-2]:
        raise step.wrong(f"matrices of {left.shape[-2:]} and {right.shape[-2:]} are multiplied")
    shape = (*np.broadcast_shapes(left.shape[:-2], right.shape[:-2]), left.shape[-2], right.shape[-1])
    step.claim(shape, left.dtype)
    step.multiply(prod(shape) * left.shape[-1] * (1 if left.dtype.kind == "f" else _SLOW))
    result: Array = np.matmul(left, right)
    return result


def _matrices(step: Step, left: Array, right: Array) -> Array:
    if left.ndim != 2 or right.ndim != 2:
        raise step.wrong(f"its inputs have {left.ndim} and {right.ndim} dimensions")
    turned = step.flag("transpose_a", default=False), step.flag("transpose_b", default=False)
    return multiplied(step, left.T if turned[0] else left, right.T if turned[1] else right)


def _batches(*, stretched: bool) -> Callable[..., Array]:
    def apply(step: Step, left: Array, right: Array) -> Array:
        if min(left.ndim, right.ndim) < 2 or not (stretched or left.shape[:-2] == right.shape[:-2]):
            raise step.wrong(f"batches of {left.shape} and {right.shape} are multiplied")
        turned = step.flag("adj_x", default=False), step.flag("adj_y", default=False)
        return multiplied(step, left.swapaxes(-1, -2) if turned[0] else left, right.swapaxes(-1, -2) if turned[1] else right)

    return apply


class _Window(NamedTuple):
    """How a filter of `size` numbers moves along one axis, whose ends are filled up with zeros."""

    size: int
    stride: int
    dilation: int
    padding: tuple[int, int]
    steps: int

    def slice(self, offset: int) -> slice:
        start = offset * self.dilation
        return slice(start, start + (self.steps - 1) * self.stride + 1, self.stride)


def _convolution(step: Step, images: Array, filters: Array) -> Array:
    """(batch, height, width, in) and (height, width, in, out): one product for each place of the filter."""
    if step.text("data_format", "NHWC") != "NHWC":
        raise step.unsupported("its channels do not come last")
    if images.ndim != 4 or filters.ndim != 4 or images.shape[3] != filters.shape[2]:
        raise step.unsupported(f"filters {filters.shape} on images {images.shape}")
    rows, columns = (_window(step, axis, images.shape[axis], filters.shape[axis - 1]) for axis in (1, 2))
    shape = (images.shape[0], rows.steps, columns.steps, filters.shape[3])
    result = _zeros(step, shape, images)
    if not result.size:
        return result
    step.multiply(rows.size * columns.size * (prod(shape) * images.shape[3] + _CALL))
    step.claim([side + sum(padding) for side, padding in zip(images.shape, _paddings(rows, columns), strict=True)], images.dtype)
    padded = np.pad(images, _paddings(rows, columns))
    for row in range(rows.size):
        for column in range(columns.size):
            result += np.matmul(padded[:, rows.slice(row), columns.slice(column)], filters[row, column])
    return result


def _zeros(step: Step, shape: tuple[int, ...], like: Array) -> Array:
    step.claim(shape, like.dtype)
    return np.zeros(shape, like.dtype)


def _paddings(rows: _Window, columns: _Window) -> list[tuple[int, int]]:
    return [(0, 0), rows.padding, columns.padding, (0, 0)]


def _window(step: Step, axis: int, side: int, size: int) -> _Window:
    strides, dilations = step.integers("strides", ()), step.integers("dilations", (1, 1, 1, 1))
    if len(strides) != 4 or len(dilations) != 4 or min(*strides, *dilations) < 1 or not size:
        raise step.wrong(f"strides {strides}, dilations {dilations}, filters of {size}")
    stride, dilation = strides[axis], dilations[axis]
    reach, padding = (size - 1) * dilation + 1, step.text("padding", "")
    if padding == "SAME":
        missing = max((-(-side // stride) - 1) * stride + reach - side, 0)
        ends = (missing // 2, missing - missing // 2)
    elif padding == "EXPLICIT":
        listed = step.integers("explicit_paddings", ())
        if len(listed) != 8 or min(listed) < 0:
            raise step.wrong(f"paddings {listed}")
        ends = (listed[2 * axis], listed[2 * axis + 1])
    elif padding == "VALID":
        ends = (0, 0)
    else:
        raise step.unsupported(f"padding '{padding}'")
    if side + sum(ends) < reach:
        raise step.wrong(f"a filter of {reach} on {side}")
    return _Window(size, stride, dilation, ends, (side + sum(ends) - reach) // stride + 1)


OPERATORS: Mapping[str, Operator] = {
    "MatMul": Operator("N N", _matrices),
    "BatchMatMul": Operator("N N", _batches(stretched=False)),
    "BatchMatMulV2": Operator("N N", _batches(stretched=True)),
    "BatchMatMulV3": Operator("N N", _batches(stretched=True)),
    "Conv2D": Operator("F F", _convolution),
}
