"""Parts of a transformer, read back from an ONNX dataflow: dense layers, layer norms, look-ups, and functions between them.

Strategy: one walks from the output backwards, and each part says what it is computed from. Weights are known by where they stand, never by
their name: exporters transpose kernels and rename them (`onnx::MatMul_123`), and give tensors with equal bytes (biases of zeros) one name.
Operators are found in all the forms that exporters write; what cannot be read raises UnsupportedModel.

Source: onnx/docs/Operators.md; onnxruntime/docs/ContribOperators.md for `com.microsoft`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from hubclient.archive import onnxtensor
from hubclient.archive.onnxmodel import RESHAPES, Dataflow, Node, data
from hubclient.archive.onnxtensor import FLOAT
from hubclient.errors import UnsupportedModel
from hubclient.models import elementwise
from hubclient.models.elementwise import unreadable
from hubclient.models.family import TensorSource

if TYPE_CHECKING:
    from hubclient.models.elementwise import Numbers, Step

MOVES = RESHAPES | {"Transpose"}
_INDEX_MOVES = RESHAPES | {"Cast", "Expand"}
_PARTS = frozenset({"Slice", "Gather", "GatherElements"})
_NORM_EPSILON = 1e-5  # the default of LayerNormalization's attribute
_MAX_TERMS = 4
_MAX_INDEX = 100  # what rows of a table are chosen by is worked out in about ten steps
_END = 1 << 31  # exporters end a slice of everything at the highest int32 or int64


_ABSENT = Node("", "Absent")


@dataclass(frozen=True)
class Linear:
    """A dense layer: the node that gives its sum, what it is computed from, its tensors, and how many numbers it gives."""

    node: Node
    source: Node
    weight: TensorSource
    bias: TensorSource
    width: int


@dataclass(frozen=True)
class Norm:
    source: Node
    weight: TensorSource
    bias: TensorSource
    epsilon: float


@dataclass(frozen=True)
class Lookup:
    """A table, and what its rows are chosen by: the name of an input, `positions` counted from 0 on, `zeros`, or `numbers` of tokens among
    those that are not `pad`, as RoBERTa counts them.
    """

    by: str
    table: TensorSource
    pad: int | None = None


class Reader:
    """Reads the parts of one dataflow. Each method raises UnsupportedModel when its part is not what stands there."""

    def __init__(self, flow: Dataflow) -> None:
        self.flow = flow

    def linear_at(self, node: Node) -> Linear | None:
        """The dense layer whose sum `node` is, if it is one."""
        if node.op == "Gemm":
            return self._gemm(node)
        if node.op != "Add":
            return None
        for bias, product in (node.inputs, node.inputs[::-1]):
            inner = data(product)
            if (vector := self._tensor(bias, 1)) and (kernel := self.kernel(inner)):
                return self._checked(Linear(node, data(inner.inputs[0]), kernel, vector, self._width(vector)))
        return None

    def norm_at(self, node: Node) -> Norm | None:
        """The layer norm whose result `node` is, if it is one."""
        return self._fused_norm(node) or self._spelled_norm(node)

    def kernel(self, node: Node) -> TensorSource | None:
        """The weight that the product `node` is with, as a dense layer has it, if it is one."""
        kernel = self._tensor(node.inputs[1], 2) if node.op == "MatMul" else None
        return kernel and _turned(kernel)

    def linear(self, node: Node) -> Linear:
        found = self.linear_at(data(node))
        if found is None:
            raise unreadable(node, "a dense layer")
        return found

    def activated(self, node: Node) -> tuple[str, Linear]:
        """The dense layer before a function of its values, and the function's transformers name."""
        starts = {inner.node: inner for inner in self.nearest_linears(node)}
        if len(starts) != 1:
            raise unreadable(node, "a function of one dense layer")
        ((start, linear),) = starts.items()
        return elementwise.activation_name(node, self.follow(start)), linear

    def norm(self, node: Node) -> Norm:
        found = self.norm_at(data(node))
        if found is None:
            raise unreadable(node, "a layer norm")
        return found

    def terms(self, node: Node) -> list[Node]:
        """What is summed up in `node`, dense layers and layer norms left whole."""
        found, pending = [], [node]
        while pending:
            inner = data(pending.pop())
            if inner.op == "Add" and self.linear_at(inner) is None and self.norm_at(inner) is None:
                pending.extend(reversed(inner.inputs))
            else:
                found.append(inner)
            if len(found) + len(pending) > _MAX_TERMS:
                raise unreadable(node, f"a sum of at most {_MAX_TERMS} terms")
        return found

    def residuals(self, node: Node) -> list[tuple[Linear, Node]]:
        """The ways to see `dense layer + what was before`: two where both sides are dense layers, none where neither is."""
        sides = self.terms(node)
        if len(sides) != 2:
            return []
        return [(linear, other) for one, other in (sides, sides[::-1]) if (linear := self.linear_at(one)) is not None]

    def residual(self, node: Node) -> tuple[Linear, Node]:
        """The two sides of `dense layer + what was before`."""
        ways = self.residuals(node)
        if len(ways) != 1:
            raise unreadable(node, "a dense layer and what it is added to")
        return ways[0]

    def first_token(self, node: Node) -> Node:
        """What `node` takes the first token of: (batch, tokens, width) -> (batch, width)."""
        node = data(node)
        while node.op == "Slice" and self._slice_of(node) == (0, 0, _END):
            node = node.inputs[0]
        if (node.op == "Gather" and node.attributes.get("axis", 0) == 1 and self.flow.integers(node.inputs[1]) == [0]) or (
            node.op == "Slice" and self._slice_of(node) == (1, 0, 1)
        ):
            inner = data(node.inputs[0])
            while inner.op == "Slice" and self._slice_of(inner) in ((0, 0, _END), (2, 0, _END)):
                inner = data(inner.inputs[0])
            return inner
        raise unreadable(node, "the choice of the first token")

    def lookup(self, node: Node) -> Lookup:
        node = data(node)
        table = self._tensor(node.inputs[0], 2) if node.op in ("Gather", "Slice") else None
        if table is not None and node.op == "Slice" and self._slice_of(node)[:2] == (0, 0):
            return Lookup("positions", table)
        if table is not None and node.op == "Gather" and node.attributes.get("axis", 0) == 0:
            index = data(node.inputs[1], _INDEX_MOVES)
            if index.op == "Input":
                return Lookup(index.name, table)
            if self._is_zero(index):
                return Lookup("zeros", table)
            pad = self._pad_of(index)
            return Lookup(self._counted(index), table) if pad is None else Lookup("numbers", table, pad)
        raise unreadable(node, "a look-up in an embedding table")

    def tables(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the tables that rows are looked up in by an input or by positions, as far as they can be read and there is one."""
        found: dict[str, set[tuple[int, ...]]] = {}
        for node in self.flow.nodes:
            if node.op in ("Gather", "Slice"):
                with suppress(UnsupportedModel):
                    lookup = self.lookup(node)
                    found.setdefault(lookup.by, set()).add(self.flow.shapes[lookup.table.key])
        return {by: shapes.pop() for by, shapes in found.items() if len(shapes) == 1}

    def _gemm(self, node: Node) -> Linear | None:
        plain = node.attributes.get("alpha", 1.0) == node.attributes.get("beta", 1.0) == 1.0 and not node.attributes.get("transA", 0)
        if not plain or len(node.inputs) != 3:
            return None
        kernel, bias = self._tensor(node.inputs[1], 2), self._tensor(node.inputs[2], 1)
        if kernel is None or bias is None:
            return None
        weight = kernel if node.attributes.get("transB", 0) else _turned(kernel)
        return self._checked(Linear(node, data(node.inputs[0]), weight, bias, self._width(bias)))

    def _checked(self, linear: Linear) -> Linear | None:
        shape = self.flow.shapes[linear.weight.key][:: -1 if linear.weight.transposed else 1]
        return linear if shape[0] == linear.width else None

    def _tensor(self, node: Node, rank: int) -> TensorSource | None:
        """A float32 weight of that rank, perhaps behind a Transpose that the exporter left in the graph."""
        if node.op == "Transpose" and rank == 2 and list(node.attributes.get("perm", (1, 0))) == [1, 0]:
            inner = self._tensor(node.inputs[0], rank)
            return inner and _turned(inner)
        if node.tensor is None or node.tensor.data_type != FLOAT or len(node.tensor.dims) != rank:
            return None
        return TensorSource(node.name)

    def _width(self, vector: TensorSource) -> int:
        return self.flow.shapes[vector.key][0]

    def nearest_linears(self, node: Node) -> Iterator[Linear]:
        return (linear for inner in upstream(node, self.ends) if (linear := self.linear_at(inner)))

    def ends(self, node: Node) -> bool:
        return node.op in ("MatMul", "Shape") or self.linear_at(node) is not None

    def _fused_norm(self, node: Node) -> Norm | None:
        if node.op != "LayerNormalization" or len(node.inputs) != 3 or node.attributes.get("axis", -1) not in (-1, 2):
            return None
        scale, shift = self._tensor(node.inputs[1], 1), self._tensor(node.inputs[2], 1)
        epsilon = elementwise.shortest_float(node.attributes.get("epsilon", _NORM_EPSILON))
        return Norm(data(node.inputs[0]), scale, shift, epsilon) if scale and shift else None

    def _spelled_norm(self, node: Node) -> Norm | None:
        """(x - mean) / sqrt(mean((x - mean) ** 2) + epsilon) * weight + bias, as exports below operator set 17 have it."""
        total = self._with_tensor(node, "Add")
        product = total and self._with_tensor(total[0], "Mul")
        if not total or not product or product[0].op != "Div" or product[0].inputs[1].op != "Sqrt":
            return None
        centred, root = product[0].inputs[0], product[0].inputs[1].inputs[0]
        variance = self._with_number(root) if root.op == "Add" else None
        source = self._centred(centred)
        if source is None or variance is None or not self._is_mean(variance[0]) or not self._is_square(variance[0].inputs[0], source):
            return None
        return Norm(data(source), product[1], total[1], elementwise.shortest_float(variance[1]))

    def _centred(self, node: Node) -> Node | None:
        """x of x - mean(x)."""
        if node.op != "Sub" or not self._is_mean(node.inputs[1]) or node.inputs[1].inputs[0] is not node.inputs[0]:
            return None
        return node.inputs[0]

    def _is_square(self, node: Node, source: Node) -> bool:
        if node.op == "Pow":
            return self.flow.number(node.inputs[1]) == 2 and self._centred(node.inputs[0]) is source
        return node.op == "Mul" and all(self._centred(side) is source for side in node.inputs)

    def _is_mean(self, node: Node) -> bool:
        """A mean over the last axis; operator set 18 made the axes an input."""
        if node.op != "ReduceMean":
            return False
        axes = self.flow.integers(node.inputs[1]) if len(node.inputs) > 1 else list(node.attributes.get("axes", ()))
        return axes in ([-1], [2]) and node.attributes.get("keepdims", 1) == 1

    def _with_tensor(self, node: Node, op: str) -> tuple[Node, TensorSource] | None:
        """The other side of `op` with a vector of weights."""
        sides = (node.inputs, node.inputs[::-1]) if node.op == op else ()
        return next(((other, vector) for other, side in sides if (vector := self._tensor(side, 1))), None)

    def _with_number(self, node: Node) -> tuple[Node, float] | None:
        sides = (node.inputs, node.inputs[::-1])
        return next(((other, number) for other, side in sides if (number := self.flow.number(side)) is not None), None)

    def _slice_of(self, node: Node) -> tuple[int, int, int | None]:
        """Axis, start and end of a slice with step 1 along one axis; the end is None where it is only known when running."""
        starts, ends, axes, steps = (self.flow.integers(part) for part in (*node.inputs[1:], *[_ABSENT] * 4)[:4])
        if starts is None or axes is None or len(starts) != 1 or len(axes) != 1 or (len(node.inputs) > 4 and steps != [1]):
            raise unreadable(node, "a slice along one axis")
        return axes[0], starts[0], min(ends[0], _END) if ends else None

    def _pad_of(self, index: Node) -> int | None:
        """The id that tokens are numbered without, if `index` numbers them."""
        inner = list(islice(upstream(index, lambda one: False), _MAX_INDEX))
        if not any(one.op == "CumSum" for one in inner):
            return None
        sides = [(data(one, _INDEX_MOVES), self.flow.integers(other)) for node in inner for one, other in _pairs(node, "Equal")]
        found = {tuple(numbers) for one, numbers in sides if one.op == "Input" and one.name == "input_ids" and numbers}
        return found.pop()[0] if [len(numbers) for numbers in found] == [1] else None

    def _is_zero(self, index: Node) -> bool:
        """Whether `index` is 0 everywhere, as a part of a constant or made up when running."""
        for _ in range(_MAX_INDEX):
            if index.op not in _PARTS:
                break
            index = data(index.inputs[0], _INDEX_MOVES)
        if index.op == "ConstantOfShape":
            value = index.attributes.get("value")
            return value is None or not onnxtensor.array(value, self.flow.files).any()
        numbers = self.flow.integers(index)
        return numbers is not None and not any(numbers)

    def _counted(self, index: Node) -> str:
        """`positions`, if `index` counts 0, 1, 2 …"""
        while index.op == "Slice" and self._slice_of(index)[1] == 0:
            index = data(index.inputs[0], _INDEX_MOVES)
        numbers = self.flow.integers(index)
        if numbers is not None and len(numbers) > 1 and numbers == list(range(len(numbers))):
            return "positions"
        if index.op == "Range" and self.flow.number(index.inputs[0]) == 0 and self.flow.number(index.inputs[2]) == 1:
            return "positions"
        raise unreadable(index, "positions counted from the first token on")

    def follow(self, start: Node) -> Callable[[Step, Numbers], Numbers | None]:
        """What is known when values are followed from `start`: its own, and constants."""

        def known(step: Step, points: Numbers) -> Numbers | None:
            import numpy as np

            if step is start:
                return points
            number = self.flow.number(step) if isinstance(step, Node) else None
            return None if number is None else np.full_like(points, number)

        return known


def upstream(node: Node, ends: Callable[[Node], bool]) -> Iterator[Node]:
    """What the values of `node` are computed from, itself first, each once; what gives only shapes is left out, and what `ends`."""
    seen: set[Node] = set()
    pending = [node]
    while pending:
        inner = pending.pop()
        if inner not in seen:
            seen.add(inner)
            yield inner
            if not ends(inner):
                pending.extend(inner.inputs[:1] if inner.op in MOVES | {"Expand", "CastLike"} else inner.inputs)


def _pairs(node: Node, op: str) -> list[tuple[Node, Node]]:
    return [(node.inputs[0], node.inputs[1]), (node.inputs[1], node.inputs[0])] if node.op == op else []


def _turned(source: TensorSource) -> TensorSource:
    return TensorSource(source.key, not source.transposed)
