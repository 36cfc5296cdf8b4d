"""Operators that make one number of many along axes.

Source: tensorflow/core/kernels/reduction_ops*.{h,cc}, scan_ops.cc, argmax_op.cc.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

import numpy as np

from hubclient.archive.calculate.operator import Operator
from hubclient.archive.calculate.step import INT64, Array, Step


def _along(function: Callable[[Array, tuple[int, ...]], Array]) -> Callable[..., Array]:
    """`function` keeps the axes, as ones."""

    def apply(step: Step, value: Array, axes: Array) -> Array:
        numbers = tuple(step.axis(axis, value.ndim) for axis in step.vector(axes, "the list of axes"))
        if len(set(numbers)) < len(numbers):
            raise step.wrong("an axis is named twice")
        shape = [1 if axis in numbers else side for axis, side in enumerate(value.shape)]
        step.claim(shape, value.dtype)
        result = function(value, numbers)
        keep = step.flag("keep_dims", default=False)
        return result if keep else result.reshape([side for axis, side in enumerate(shape) if axis not in numbers])

    return apply


def _lowest(value: Array) -> float | int:
    return -np.inf if value.dtype.kind == "f" else int(np.iinfo(value.dtype).min)


def _highest(value: Array) -> float | int:
    return np.inf if value.dtype.kind == "f" else int(np.iinfo(value.dtype).max)


def _mean(value: Array, axes: tuple[int, ...]) -> Array:
    """Of integers, the sum wraps around and the quotient is cut off towards zero."""
    total: Array = np.sum(value, axis=axes, dtype=value.dtype, keepdims=True)
    count = prod(value.shape[axis] for axis in axes)
    if value.dtype.kind == "f":
        total /= value.dtype.type(count)
        return total
    if not count:
        raise ValueError("the mean of no integers")
    quotient: Array = (total - np.fmod(total, count)) // count
    return quotient.astype(value.dtype)


def _cumulated(function: Callable[..., Array], start: int) -> Callable[..., Array]:
    def apply(step: Step, value: Array, axis_value: Array) -> Array:
        axis = step.axis(step.scalar(axis_value, "the axis"), value.ndim)
        step.claim(value.shape, value.dtype)
        reverse = step.flag("reverse", default=False)
        result = function(np.flip(value, axis) if reverse else value, axis=axis, dtype=value.dtype)
        if step.flag("exclusive", default=False) and value.shape[axis]:
            result = np.roll(result, 1, axis)
            result[(slice(None),) * axis + (0,)] = start
        return np.flip(result, axis) if reverse else result

    return apply


def _argmax(step: Step, value: Array, axis_value: Array) -> Array:
    """The first of several; NaN is never the largest."""
    axis = step.axis(step.scalar(axis_value, "the axis"), value.ndim)
    if not value.shape[axis]:
        raise step.wrong(f"there is nothing along axis {axis}")
    step.claim(value.shape, value.dtype)
    numbers = np.where(np.isnan(value), -np.inf, value) if value.dtype.kind == "f" else value
    places: Array = np.argmax(numbers, axis)
    return places.astype(step.dtype("output_type", INT64))


OPERATORS: Mapping[str, Operator] = {
    "Sum": Operator("N I", _along(lambda value, axes: np.sum(value, axis=axes, dtype=value.dtype, keepdims=True))),
    "Prod": Operator("N I", _along(lambda value, axes: np.prod(value, axis=axes, dtype=value.dtype, keepdims=True))),
    "Mean": Operator("N I", _along(_mean)),
    "Max": Operator("N I", _along(lambda value, axes: np.max(value, axis=axes, keepdims=True, initial=_lowest(value)))),
    "Min": Operator("N I", _along(lambda value, axes: np.min(value, axis=axes, keepdims=True, initial=_highest(value)))),
    "All": Operator("B I", _along(lambda value, axes: np.all(value, axis=axes, keepdims=True))),
    "Any": Operator("B I", _along(lambda value, axes: np.any(value, axis=axes, keepdims=True))),
    "Cumsum": Operator("N I", _cumulated(np.cumsum, 0)),
    "Cumprod": Operator("N I", _cumulated(np.cumprod, 1)),
    "ArgMax": Operator("A I", _argmax),
}
