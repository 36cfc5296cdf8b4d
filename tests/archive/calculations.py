"""Small graphs to be worked out: constants, one operation after the other, the output named `out`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from hubclient.archive.calculate import Limits, calculate
from hubclient.archive.graph import Graph
from tests.archive.builders import const, field, graph, node, tensor

CODES = {"float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int64": 9, "bool": 10, "float16": 19}
_FIELDS = {"s": 2, "i": 3, "f": 4, "b": 5, "type": 6}


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def number(name: str, value: Any) -> bytes:
    """A Const node."""
    array = np.asarray(value)
    return const(name, tensor(CODES[array.dtype.name], array.shape, field(4, array.tobytes())))


def numbers(name: str, *values: int) -> bytes:
    """A Const node of int32."""
    return number(name, np.array(values, np.int32))


def attributes(values: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    """Attributes by the field that is set: {"axis": {"i": 1}}."""
    return {name: _attribute(*next(iter(form.items()))) for name, form in values.items()}


def _attribute(kind: str, value: Any) -> bytes:
    if kind == "list":
        return field(1, b"".join(field(3, each) for each in value))
    return field(_FIELDS[kind], value)


def work_out(
    *nodes: bytes,
    output: str = "out",
    feeds: Mapping[str, np.ndarray] | None = None,
    variable: Callable[[str], np.ndarray] | None = None,
    functions: Sequence[bytes] = (),
    limits: Limits | None = None,
) -> np.ndarray:
    flow = Graph(graph(*nodes, functions=functions)).trace(output)
    return calculate(flow, feeds or {}, variable or _none, limits=limits)


def _none(name: str) -> np.ndarray:
    raise KeyError(name)


def apply(op: str, *inputs: Any, output: str = "out", limits: Limits | None = None, **given: Mapping[str, Any]) -> np.ndarray:
    """One operator on constants."""
    names = [f"input{index}" for index in range(len(inputs))]
    constants = [number(name, value) for name, value in zip(names, inputs, strict=True)]
    return work_out(*constants, node("out", op, *names, **attributes(given)), output=output, limits=limits)
