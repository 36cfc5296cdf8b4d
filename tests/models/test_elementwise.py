"""Functions are told by their values, however they are written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from hubclient.errors import UnsupportedModel
from hubclient.models import elementwise

if TYPE_CHECKING:
    from hubclient.models.elementwise import Numbers, Step


@dataclass(frozen=True, eq=False)
class Made:
    op: str
    inputs: tuple[Made, ...] = ()
    value: float = 0.0
    name: str = "made"


X = Made("Start")


def number(value: float) -> Made:
    return Made("Const", value=value)


def op(name: str, *inputs: Made) -> Made:
    return Made(name, inputs)


def known(step: Step, points: Numbers) -> Numbers | None:
    assert isinstance(step, Made)
    if step is X:
        return points
    return np.full_like(points, step.value) if step.op == "Const" else None


def erf_gelu() -> Made:
    return op("Mul", op("Mul", X, number(0.5)), op("AddV2", number(1), op("Erf", op("RealDiv", X, number(1.4142135)))))


def erfc_gelu() -> Made:
    return op("Mul", op("Mul", number(0.5), X), op("Erfc", op("Mul", op("Neg", X), number(math.sqrt(0.5)))))


def tanh_gelu() -> Made:
    inner = op("Mul", number(0.7978846), op("AddV2", X, op("Mul", number(0.044715), op("Pow", X, number(3)))))
    return op("Mul", op("Mul", number(0.5), X), op("AddV2", number(1), op("Tanh", inner)))


def fast_gelu() -> Made:
    cubic = op("Add", number(1), op("Mul", op("Mul", X, number(0.044715)), X))
    tanh = op("Tanh", op("Mul", op("Mul", X, number(0.7978846)), cubic))
    return op("Mul", op("Mul", X, number(0.5)), op("Add", tanh, number(1)))


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (erf_gelu(), "gelu"),
        (erfc_gelu(), "gelu"),
        (op("Reshape", op("Identity", erf_gelu())), "gelu"),
        (tanh_gelu(), "gelu_new"),
        (fast_gelu(), "gelu_new"),
        (op("Relu", X), "relu"),
        (op("Mul", X, op("Sigmoid", X)), "silu"),
        (op("Mul", X, op("Sigmoid", op("Mul", number(1.702), X))), "quick_gelu"),
        (op("Tanh", X), "tanh"),
    ],
)
def test_known_functions(made: Made, name: str) -> None:
    assert elementwise.activation_name(made, known) == name


@pytest.mark.parametrize(
    "made",
    [
        X,
        op("Softplus", X),
        op("Mul", X, number(2)),
        op("Add", erf_gelu(), number(1e-3)),
        op("Exp", op("Mul", X, number(1e6))),
        op("Relu", X, X),
        op("Pow", X, number(0.5)),
    ],
)
def test_unknown_functions_are_refused(made: Made) -> None:
    with pytest.raises(UnsupportedModel):
        elementwise.activation_name(made, known)


def test_a_long_chain_is_refused() -> None:
    made = X
    for _ in range(100):
        made = op("Neg", made)
    with pytest.raises(UnsupportedModel):
        elementwise.activation_name(made, known)


def test_factors() -> None:
    assert elementwise.factor(op("RealDiv", X, number(8)), known) == pytest.approx(0.125)
    assert elementwise.factor(op("Transpose", X), known) == 1
    with pytest.raises(UnsupportedModel):
        elementwise.factor(op("Tanh", X), known)
