"""Operators that work number by number, with inputs stretched to one shape.

Source: tensorflow/core/kernels/cwise_ops.h. What divides integers by zero is refused, as TensorFlow does; NaN and infinities are carried.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hubclient.archive.calculate.erf import erf, erfc
from hubclient.archive.calculate.operator import Operator
from hubclient.archive.calculate.step import Array, Step

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def _of(function: Callable[..., Array], result: type[Any] | None = None) -> Callable[..., Array]:
    def apply(step: Step, *values: Array) -> Array:
        step.claim(np.broadcast_shapes(*(value.shape for value in values)), np.dtype(result or values[0].dtype))
        return function(*values)

    return apply


def _of_integers(function: Callable[[Array, Array], Array], of_floats: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    """A division: `function` for integers, which must not be divided by zero."""

    def apply(step: Step, left: Array, right: Array) -> Array:
        step.claim(np.broadcast_shapes(left.shape, right.shape), left.dtype)
        if left.dtype.kind == "f":
            return of_floats(left, right)
        if not right.all():
            raise step.wrong("integers are divided by zero")
        return function(left, right)

    return apply


def _truncated(left: Array, right: Array) -> Array:
    """Division towards zero."""
    return (left - np.fmod(left, right)) // right


def _floored_rest(left: Array, right: Array) -> Array:
    """The rest that has the divisor's sign; zero keeps the dividend's, unlike numpy's."""
    rest = np.fmod(left, right)
    return np.where((rest != 0) & ((rest < 0) != (right < 0)), rest + right, rest)


def _power(step: Step, base: Array, exponent: Array) -> Array:
    step.claim(np.broadcast_shapes(base.shape, exponent.shape), base.dtype)
    if exponent.dtype.kind == "i" and (exponent < 0).any():
        raise step.wrong("integers are raised to negative powers")
    result: Array = np.power(base, exponent)
    return result


def _added(step: Step, *values: Array) -> Array:
    if any(value.shape != values[0].shape for value in values):
        raise step.wrong(f"its inputs have the shapes {', '.join(str(value.shape) for value in values)}")
    step.claim(values[0].shape, values[0].dtype)
    total = values[0].copy()
    for value in values[1:]:
        total += value
    return total


def _biased(step: Step, value: Array, bias: Array) -> Array:
    channels_first = step.text("data_format", "NHWC") == "NCHW"
    axis = 1 if channels_first else value.ndim - 1
    if value.ndim < 2 or bias.ndim != 1 or value.shape[axis] != bias.size:
        raise step.wrong(f"a bias {bias.shape} is added to {value.shape}")
    step.claim(value.shape, value.dtype)
    result: Array = value + bias.reshape(-1, *[1] * (value.ndim - axis - 1))
    return result


def _sigmoid(value: Array) -> Array:
    """1 / (1 + exp(-x)), from the side where nothing overflows."""
    small = np.exp(-np.abs(value))
    result: Array = np.where(value < 0, small, value.dtype.type(1)) / (1 + small)
    return result


def _softplus(value: Array) -> Array:
    result: Array = np.maximum(value, 0) + np.log1p(np.exp(-np.abs(value)))
    return result


def _leaky(step: Step, value: Array) -> Array:
    step.claim(value.shape, value.dtype)
    return np.where(value > 0, value, value * value.dtype.type(step.number("alpha", 0.2)))


def _elu(value: Array) -> Array:
    return np.where(value < 0, np.expm1(value), value)


def _selu(value: Array) -> Array:
    kind = value.dtype.type
    result: Array = kind(_SELU_SCALE) * np.where(value < 0, kind(_SELU_ALPHA) * np.expm1(value), value)
    return result


def _clipped(step: Step, value: Array, low: Array, high: Array) -> Array:
    if any(bound.ndim and bound.shape != value.shape for bound in (low, high)):
        raise step.wrong(f"bounds of {low.shape} and {high.shape} for {value.shape}")
    step.claim(value.shape, value.dtype)
    result: Array = np.minimum(np.maximum(value, low), high)
    return result


def _cast(step: Step, value: Array) -> Array:
    target = step.dtype("DstT")
    step.claim(value.shape, target)
    return value.astype(target)


def _chosen(step: Step, condition: Array, yes: Array, no: Array) -> Array:
    step.claim(np.broadcast_shapes(condition.shape, yes.shape, no.shape), yes.dtype)
    return np.where(condition, yes, no)


def _chosen_rows(step: Step, condition: Array, yes: Array, no: Array) -> Array:
    """The older Select: a vector chooses whole rows, and nothing else is stretched."""
    if yes.shape != no.shape or condition.shape not in ((), yes.shape, yes.shape[:1]):
        raise step.wrong(f"{condition.shape} chooses between {yes.shape} and {no.shape}")
    step.claim(yes.shape, yes.dtype)
    if 0 < condition.ndim < yes.ndim:
        condition = condition.reshape(-1, *[1] * (yes.ndim - 1))
    return np.where(condition, yes, no)


def _same(step: Step, value: Array) -> Array:
    return value


_BINARY: Mapping[str, Callable[[Array, Array], Array]] = {
    "Add": np.add,
    "AddV2": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
    "SquaredDifference": lambda left, right: np.square(left - right),
}
_REAL: Mapping[str, Callable[..., Array]] = {
    "RealDiv": np.divide,
    "DivNoNan": lambda left, right: np.where(right == 0, left.dtype.type(0), left / right),
    "MulNoNan": lambda left, right: np.where(right == 0, left.dtype.type(0), left * right),
    "Exp": np.exp,
    "Expm1": np.expm1,
    "Log": np.log,
    "Log1p": np.log1p,
    "Sqrt": np.sqrt,
    "Rsqrt": lambda value: 1 / np.sqrt(value),
    "Reciprocal": lambda value: 1 / value,
    "Inv": lambda value: 1 / value,
    "Sin": np.sin,
    "Cos": np.cos,
    "Tanh": np.tanh,
    "Sigmoid": _sigmoid,
    "Softplus": _softplus,
    "Softsign": lambda value: value / (1 + np.abs(value)),
    "Elu": _elu,
    "Selu": _selu,
    "Ceil": np.ceil,
    "Floor": np.floor,
    "Rint": np.rint,
}
_UNARY: Mapping[str, Callable[[Array], Array]] = {
    "Abs": np.abs,
    "Neg": np.negative,
    "Sign": lambda value: np.sign(value) + 0,  # TensorFlow knows no sign of -0
    "Square": np.square,
    "Round": lambda value: np.rint(value).astype(value.dtype),
    "Relu": lambda value: np.maximum(value, 0),
    "Relu6": lambda value: np.minimum(np.maximum(value, 0), 6),
}
_COMPARISONS: Mapping[str, tuple[str, Callable[..., Array]]] = {
    "Equal": ("A A", np.equal),
    "NotEqual": ("A A", np.not_equal),
    "Less": ("N N", np.less),
    "LessEqual": ("N N", np.less_equal),
    "Greater": ("N N", np.greater),
    "GreaterEqual": ("N N", np.greater_equal),
    "LogicalAnd": ("B B", np.logical_and),
    "LogicalOr": ("B B", np.logical_or),
    "LogicalNot": ("B", np.logical_not),
    "IsNan": ("F", np.isnan),
    "IsInf": ("F", np.isinf),
    "IsFinite": ("F", np.isfinite),
}

OPERATORS: Mapping[str, Operator] = {
    **{name: Operator("N N", _of(function)) for name, function in _BINARY.items()},
    **{name: Operator("F F" if name in ("RealDiv", "DivNoNan", "MulNoNan") else "F", _of(each)) for name, each in _REAL.items()},
    **{name: Operator("N", _of(function)) for name, function in _UNARY.items()},
    **{name: Operator(takes, _of(function, np.bool_)) for name, (takes, function) in _COMPARISONS.items()},
    "Div": Operator("N N", _of_integers(_truncated, np.divide)),
    "TruncateDiv": Operator("N N", _of_integers(_truncated, lambda left, right: np.trunc(left / right))),
    "FloorDiv": Operator("N N", _of_integers(np.floor_divide, lambda left, right: np.floor(left / right))),
    "FloorMod": Operator("N N", _of_integers(_floored_rest, _floored_rest)),
    "Mod": Operator("N N", _of_integers(np.fmod, np.fmod)),
    "TruncateMod": Operator("N N", _of_integers(np.fmod, np.fmod)),
    "Pow": Operator("N N", _power),
    "AddN": Operator("N*", _added),
    "BiasAdd": Operator("N N", _biased),
    "Erf": Operator("F", erf),
    "Erfc": Operator("F", erfc),
    "LeakyRelu": Operator("F", _leaky),
    "ClipByValue": Operator("N N N", _clipped),
    "Cast": Operator("A", _cast),
    "Select": Operator("B A A", _chosen_rows),
    "SelectV2": Operator("B A A", _chosen),
    "ZerosLike": Operator("A", _of(np.zeros_like)),
    "OnesLike": Operator("A", _of(np.ones_like)),
    "PlaceholderWithDefault": Operator("A", _same),
}
