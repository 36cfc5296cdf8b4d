"""Telling a function by its values: the arithmetic between two points of a graph, worked out on numbers and compared with known functions.

Exporters write one function in many ways (Erf or Erfc, Pow or Mul, a multiplication or a division); its values are the same.
Only the element by element operators below are understood, in TensorFlow's and ONNX's names; anything else is refused by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from hubclient.errors import UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_TOLERANCE = 1e-5  # float32 constants differ from exact ones by 1e-7; the two gelus differ by 4e-4
_MAX_STEPS = 64
_POINTS = [step / 8 for step in range(-56, 57)]

_MOVES = frozenset({"Reshape", "Expand", "Transpose", "Identity", "Cast", "CastLike", "Squeeze", "Unsqueeze", "ExpandDims", "Flatten"})


class Step(Protocol):
    """A node of a dataflow, whichever format it was read from."""

    @property
    def name(self) -> str: ...
    @property
    def op(self) -> str: ...
    @property
    def inputs(self) -> Sequence[Step]: ...


def unreadable(step: Step, wanted: str) -> UnsupportedModel:
    return UnsupportedModel(f"the graph cannot be read: {wanted} was expected", where=f"graph node '{step.name}' ({step.op})")


def evaluate(step: Step, known: Callable[[Step], Numbers | None]) -> Numbers:
    """The values of `step` where `known` gives those of the start and of constants (None: work it out)."""
    import numpy as np

    try:
        with np.errstate(all="ignore"):
            return _evaluate(step, known, [0])
    except (ArithmeticError, ValueError) as error:
        raise UnsupportedModel(f"the arithmetic that ends in '{step.name}' cannot be worked out", why=str(error)) from error


def activation_name(step: Step, known: Callable[[Step, Numbers], Numbers | None]) -> str:
    """The transformers name of the function that `step` is of the start; `known` gets a step and the start's values."""
    import numpy as np

    points = np.array(_POINTS)
    values = evaluate(step, lambda inner: known(inner, points))
    for name, function in _FUNCTIONS.items():
        if _close(values, np.array([function(point) for point in _POINTS])):
            return name
    raise UnsupportedModel(f"the activation function that ends in '{step.name}' is not known", hint=f"known are {', '.join(_FUNCTIONS)}")


def factor(step: Step, known: Callable[[Step, Numbers], Numbers | None]) -> float:
    """The number that the start is multiplied with to give `step`. Raises UnsupportedModel when it is another function."""
    import numpy as np

    points = np.array(_POINTS)
    values = evaluate(step, lambda inner: known(inner, points))
    slope = float((values[-1] - values[0]) / (points[-1] - points[0]))
    if not _close(values, slope * points):
        raise UnsupportedModel(f"'{step.name}' is not a multiple of what it is computed from")
    return slope


def shortest_float(value: float) -> float:
    """The shortest decimal that is this float32, as it was once written: 9.999999960041972e-13 -> 1e-12."""
    import numpy as np

    return float(str(np.float32(value)))


def _evaluate(step: Step, known: Callable[[Step], Numbers | None], count: list[int]) -> Numbers:
    value = known(step)
    if value is not None:
        return value
    count[0] += 1
    if step.op in _MOVES and step.inputs:
        return _evaluate(step.inputs[0], known, count)
    if step.op not in _OPERATORS or count[0] > _MAX_STEPS:
        raise UnsupportedModel(f"the operator {step.op} stands where only arithmetic was expected", where=f"graph node '{step.name}'")
    arguments = [_evaluate(inner, known, count) for inner in step.inputs]
    arity, operator = _OPERATORS[step.op]
    if len(arguments) != arity:
        raise UnsupportedModel(f"the operator {step.op} has {len(arguments)} inputs", where=f"graph node '{step.name}'")
    return operator(*arguments)


def _close(left: Numbers, right: Numbers) -> bool:
    import numpy as np

    return left.shape == right.shape and bool(np.all(np.abs(left - right) <= _TOLERANCE * (1 + np.abs(right))))


def _of_one(function: Callable[[float], float]) -> tuple[int, Callable[..., Numbers]]:
    def apply(values: Numbers) -> Numbers:
        import numpy as np

        return np.array([function(value) for value in np.ravel(values).tolist()])

    return 1, apply


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def _relu(value: float) -> float:
    return max(value, 0.0)


def _gelu(value: float) -> float:
    return 0.5 * value * (1 + math.erf(value / math.sqrt(2)))


def _gelu_tanh(value: float) -> float:
    return 0.5 * value * (1 + math.tanh(math.sqrt(2 / math.pi) * (value + 0.044715 * value**3)))


# transformers/activations.py; gelu_fast and gelu_pytorch_tanh are gelu_new written otherwise, swish is silu.
_FUNCTIONS: Mapping[str, Callable[[float], float]] = {
    "gelu": _gelu,
    "gelu_new": _gelu_tanh,
    "relu": _relu,
    "silu": lambda value: value * _sigmoid(value),
    "quick_gelu": lambda value: value * _sigmoid(1.702 * value),
    "tanh": math.tanh,
    "sigmoid": _sigmoid,
}

_OPERATORS: Mapping[str, tuple[int, Callable[..., Numbers]]] = {
    **dict.fromkeys(("Add", "AddV2", "BiasAdd"), (2, lambda left, right: left + right)),
    "Sub": (2, lambda left, right: left - right),
    "Mul": (2, lambda left, right: left * right),
    **dict.fromkeys(("Div", "RealDiv"), (2, lambda left, right: left / right)),
    "Pow": (2, lambda left, right: left**right),
    "Neg": (1, lambda value: -value),
    "Square": (1, lambda value: value * value),
    "Sqrt": (1, lambda value: value**0.5),
    "Rsqrt": (1, lambda value: value**-0.5),
    "Reciprocal": (1, lambda value: 1 / value),
    "Exp": _of_one(math.exp),
    "Erf": _of_one(math.erf),
    "Erfc": _of_one(math.erfc),
    "Tanh": _of_one(math.tanh),
    "Sigmoid": _of_one(_sigmoid),
    "Relu": _of_one(_relu),
    **dict.fromkeys(("Gelu", "com.microsoft.Gelu"), _of_one(_gelu)),
    **dict.fromkeys(("Gelu(tanh)", "com.microsoft.FastGelu"), _of_one(_gelu_tanh)),
}
