"""Softmax and batch normalization.

Source: tensorflow/core/kernels/softmax_op_functor.h, fused_batch_norm_op.cc.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hubclient.archive.calculate.operator import Operator
from hubclient.archive.calculate.step import Array, Step

_EPSILON = 1e-4


def _softmax(step: Step, value: Array) -> Array:
    result = np.exp(_below_largest(step, value))
    result /= result.sum(axis=-1, keepdims=True)
    return result


def _log_softmax(step: Step, value: Array) -> Array:
    result = _below_largest(step, value)
    result -= np.log(np.exp(result).sum(axis=-1, keepdims=True))
    return result


def _below_largest(step: Step, value: Array) -> Array:
    if not value.ndim:
        raise step.wrong("there is no axis")
    step.claim(value.shape, value.dtype)
    difference: Array = value - value.max(axis=-1, keepdims=True, initial=-np.inf)
    return difference


def _batch_norm(step: Step, value: Array, scale: Array, offset: Array, mean: Array, variance: Array) -> list[Array]:
    """The normed values alone; in training, by the mean and the variance of the batch itself. Keras norms layers with it."""
    form = step.text("data_format", "NHWC")
    if value.ndim != 4 or form not in ("NHWC", "NCHW"):
        raise step.unsupported(f"{value.shape} in the form '{form}'")
    channels = 1 if form == "NCHW" else 3
    along = tuple(axis for axis in range(4) if axis != channels)
    shape = [value.shape[axis] if axis == channels else 1 for axis in range(4)]
    step.claim(value.shape, value.dtype)
    if step.flag("is_training", default=True):
        count = value.dtype.type(value.size // max(shape[channels], 1))
        mean = value.sum(axis=along, keepdims=True) / count
        variance = np.square(value - mean).sum(axis=along, keepdims=True) / count
    factor = scale.reshape(shape) / np.sqrt(variance.reshape(shape) + value.dtype.type(step.number("epsilon", _EPSILON)))
    return [(value - mean.reshape(shape)) * factor + offset.reshape(shape)]


_OUTPUTS = ("y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2", "reserve_space_3")

OPERATORS: Mapping[str, Operator] = {
    "Softmax": Operator("F", _softmax),
    "LogSoftmax": Operator("F", _log_softmax),
    "FusedBatchNorm": Operator("F F F F F", _batch_norm, _OUTPUTS[:5]),
    "FusedBatchNormV2": Operator("F F F F F", _batch_norm, _OUTPUTS[:5]),
    "FusedBatchNormV3": Operator("F F F F F", _batch_norm, _OUTPUTS),
}
