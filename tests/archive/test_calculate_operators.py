"""Every operator of the allow-list gives what TensorFlow gives, and refuses what it refuses (`data/make_operator_cases.py`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hubclient.archive.calculate.operators import OPERATORS
from hubclient.errors import CorruptArchive, HubError
from tests.archive.calculations import apply, floats

Case = dict[str, Any]
CASES: list[Case] = json.loads((Path(__file__).parent / "data" / "operator_cases.json").read_text("utf-8"))
# The same as another operator, but for what a variable is: a value by itself here.
_ALIKE = {"ResourceGather", "ResourceGatherNd", "Inv", "MulNoNan", "TruncateDiv", "PlaceholderWithDefault"}


def array(written: list[Any]) -> np.ndarray:
    kind, shape, values = written
    return np.array(values, kind).reshape(shape)


def outputs(case: Case, given: Case) -> list[np.ndarray]:
    inputs = [array(value) for value in case["inputs"]]
    return [apply(case["op"], *inputs, output=f"out:{index}", **given) for index in range(len(case.get("outputs", [0])))]


@pytest.mark.parametrize("op", sorted({case["op"] for case in CASES if "outputs" in case}))
def test_the_answer_is_tensorflows(op: str) -> None:
    for case in (case for case in CASES if case["op"] == op and "outputs" in case):
        left_out = {attribute: form for attribute, form in case["attributes"].items() if attribute not in case["optional"]}
        for given in (case["attributes"], left_out):
            for found, wanted in zip(outputs(case, given), map(array, case["outputs"]), strict=True):
                assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape), case
                np.testing.assert_allclose(found, wanted, rtol=2e-6, atol=1e-6, err_msg=str(case))


@pytest.mark.parametrize("op", sorted({case["op"] for case in CASES if "outputs" not in case}))
def test_what_tensorflow_refuses_is_refused(op: str) -> None:
    for case in (case for case in CASES if case["op"] == op and "outputs" not in case):
        with pytest.raises(HubError, match=f"the operator {op} cannot be worked out"):
            print(case, outputs(case, case["attributes"]))


def test_every_operator_has_cases() -> None:
    assert set(OPERATORS) - _ALIKE == {case["op"] for case in CASES if "outputs" in case}


def test_operators_that_are_alike() -> None:
    table, index = np.arange(6, dtype=np.float32).reshape(3, 2), np.array([2, 0], np.int32)
    assert apply("ResourceGather", table, index).tolist() == [[4, 5], [0, 1]]
    assert apply("ResourceGather", table, np.array([[1], [0], [1]], np.int32), batch_dims={"i": 1}).tolist() == [[1], [2], [5]]
    assert apply("ResourceGatherNd", table, index) == 4
    assert apply("Inv", np.float32(4)) == 0.25
    assert apply("MulNoNan", floats(np.nan, 2), floats(0, 3)).tolist() == [0, 6]
    assert apply("TruncateDiv", np.array([-7, 7]), np.array([2, 2])).tolist() == [-3, 3]
    assert apply("TruncateDiv", floats(-7), floats(2)).tolist() == [-3]


def test_minus_zero_is_kept() -> None:
    assert np.signbit(apply("FloorMod", floats(-0.0, 0.0), floats(2, -2))).tolist() == [True, False]
    assert np.signbit(apply("Sign", floats(-0.0))).tolist() == [False]


@pytest.mark.parametrize(("op", "count"), [("MatMul", 1), ("MatMul", 3), ("Neg", 2), ("ConcatV2", 1), ("Pack", 0), ("Range", 2)])
def test_operators_with_too_few_or_too_many_inputs(op: str, count: int) -> None:
    with pytest.raises(CorruptArchive, match=rf"operator {op} |\({op}\) has {count} inputs"):
        apply(op, *[np.ones((2, 2), np.float32)] * count)
