"""Parts of a transformer, read back from a TensorFlow dataflow: dense layers, layer norms, and functions between them.

Strategy: each part says what it is computed from, and what is not that part is refused. Parts are known by their variables and by what
operations do, never by the names of operations, which differ between exporters. Not every step of a graph is looked at: a model that is
rebuilt with what was read must be compared with the graph.

Source: keras/layers/core/dense.py, keras/layers/normalization/layer_normalization.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hubclient.archive.constants import constant, scalar, vector
from hubclient.archive.graph import Dataflow, Node
from hubclient.errors import UnsupportedModel
from hubclient.models import elementwise
from hubclient.models.elementwise import unreadable

if TYPE_CHECKING:
    from hubclient.models.elementwise import Numbers, Step

ADDITIONS = ("Add", "AddV2")
_FUSED_EPSILON = 1e-4  # the default of the operator's attribute, which exporters leave out
_PRODUCTS = ("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum")
_MOVES = ("Reshape", "Transpose", "Squeeze", "ExpandDims", "Unsqueeze", "Flatten")
_TRANSPOSITIONS = ("transpose_a", "transpose_b", "adj_x", "adj_y")


def sums_with(flow: Dataflow, variable: str) -> list[Node]:
    """The additions that the bias `variable` goes into: one for each time that its layer is applied."""
    return [node for node in flow.consumers(_variable(flow, variable)) if node.op in ("BiasAdd", *ADDITIONS)]


def sum_with(flow: Dataflow, variable: str) -> Node:
    """The addition that the bias `variable` goes into, if its layer is applied once."""
    return _only(sums_with(flow, variable), f"additions of the variable '{variable}'")


def dense(flow: Dataflow, name: str, node: Node) -> Node:
    """What the dense layer whose kernel and bias are below `name`, and whose result `node` must be, is computed from."""
    bias, kernel = _variable(flow, f"{name}/bias"), _variable(flow, f"{name}/kernel")
    if node not in sums_with(flow, f"{name}/bias"):
        raise unreadable(node, f"the dense layer '{name}'")
    product = _other(node, bias)
    while product.op == "Reshape":
        product = product.inputs[0]
    if product.op not in _PRODUCTS[:-1] or product.inputs[1] is not kernel or any(flag(product, name) for name in _TRANSPOSITIONS):
        raise unreadable(product, f"the product (rows, in) x (in, out) of the kernel '{name}/kernel'")
    source = product.inputs[0]
    while source.op == "Reshape" or (source.op == "Transpose" and _order(source) == list(range(len(_order(source))))):
        source = source.inputs[0]
    return source


def function(flow: Dataflow, name: str, node: Node) -> tuple[str, Node]:
    """The transformers name of the function that `node` is of the dense layer `name`, and that layer's result."""
    results = set(sums_with(flow, f"{name}/bias"))
    start = next((one for one in (node, *node.upstream(stop=_PRODUCTS)) if one in results), None)
    if start is None:
        raise unreadable(node, f"a function of the dense layer '{name}'")
    return elementwise.activation_name(node, follow(start)), start


def norm(flow: Dataflow, name: str, node: Node) -> tuple[float, Node]:
    """Epsilon and source of the layer norm whose gamma and beta are below `name`, and whose result `node` must be."""
    gamma, beta = _variable(flow, f"{name}/gamma"), _variable(flow, f"{name}/beta")
    found = _spelled_norm(node, gamma, beta) or _fused_norm(node, gamma, beta)
    if found is None:
        raise unreadable(node, f"the layer norm '{name}'")
    return elementwise.shortest_float(found[0]), found[1]


def is_input(node: Node, name: str) -> bool:
    return node.op.startswith("Placeholder") and node.name.endswith(name)


def takes_first_token(node: Node) -> bool:
    """Whether `node` is a slice `[:, 0]` of (batch, tokens, width)."""
    if node.op != "StridedSlice":
        return False
    begin, end, strides = (constant(part).reshape(-1).tolist() for part in node.inputs[1:4])
    everything = ~2 & ((1 << len(begin)) - 1)
    whole = _mask(node, "begin_mask") & _mask(node, "end_mask") & everything == everything and set(strides) == {1}
    shrunk = _mask(node, "shrink_axis_mask")
    first = len(begin) >= 2 and len(end) >= 2 and begin[1] == 0 and (shrunk == 2 or (end[1] == 1 and not shrunk))
    return bool(whole and first and not _mask(node, "ellipsis_mask") and not _mask(node, "new_axis_mask"))


def flag(node: Node, name: str, *, default: bool = False) -> bool:
    """An attribute; exporters leave defaults out."""
    return node.attribute(name).b if name in node.definition.attr else default


def follow(start: Node) -> Callable[[Step, Numbers], Numbers | None]:
    """What is known when values are followed from `start`: its own, and constants. What moves values to other places is refused."""

    def known(step: Step, points: Numbers) -> Numbers | None:
        import numpy as np

        if step is start:
            return points
        if isinstance(step, Node) and step.op in _MOVES:
            raise unreadable(step, "arithmetic")
        if isinstance(step, Node) and step.op == "Const":
            return np.full_like(points, float(scalar(step)))
        return None

    return known


def _spelled_norm(node: Node, gamma: Node, beta: Node) -> tuple[float, Node] | None:
    """x * m + (beta - mean * m), with m = gamma / sqrt(variance + epsilon)."""
    for scaled, shift in _sides(node, *ADDITIONS):
        if shift.op != "Sub" or shift.inputs[0] is not beta:
            continue
        for mean, factor in _sides(shift.inputs[1], "Mul"):
            for source, other in _sides(scaled, "Mul"):
                root = _other(factor, gamma) if factor.op == "Mul" and gamma in factor.inputs else factor
                if other is factor and root.op == "Rsqrt" and _is_mean(mean, source):
                    return next(((epsilon, source) for epsilon in _epsilons(root.inputs[0], source, mean)), None)
    return None


def _epsilons(node: Node, source: Node, mean: Node) -> list[float]:
    """Those of `variance + epsilon`."""
    return [
        float(scalar(epsilon))
        for variance, epsilon in _sides(node, *ADDITIONS)
        if epsilon.op == "Const" and _is_variance(variance, source, mean)
    ]


def _is_variance(node: Node, source: Node, mean: Node) -> bool:
    square = node.inputs[0] if node.op == "Mean" else node
    return square.op == "SquaredDifference" and set(square.inputs) == {source, mean} and _is_mean(node, square)


def _is_mean(node: Node, source: Node) -> bool:
    """A mean over the last axis."""
    if node.op != "Mean" or node.inputs[0] is not source or not flag(node, "keep_dims"):
        return False
    return constant(node.inputs[1]).reshape(-1).tolist() in ([-1], [2])


def _fused_norm(node: Node, gamma: Node, beta: Node) -> tuple[float, Node] | None:
    """Each row normed as one channel of a batch of images, then times gamma, plus beta."""
    scaled = _other(node, beta) if node.op in ADDITIONS and beta in node.inputs else node
    if scaled.op != "Mul" or gamma not in scaled.inputs:
        return None
    shaped = _other(scaled, gamma)
    fused = shaped.inputs[0] if shaped.op == "Reshape" else shaped
    if fused.op != "FusedBatchNormV3" or not _norms_rows(fused):
        return None
    return fused.attribute("epsilon").f if "epsilon" in fused.definition.attr else _FUSED_EPSILON, fused.inputs[0].inputs[0]


def _norms_rows(fused: Node) -> bool:
    rows, ones, zeros = fused.inputs[:3]
    sides = (vector(rows.inputs[1]) if rows.op == "Reshape" else None) or ()
    channels_first = "data_format" in fused.definition.attr and fused.attribute("data_format").s == b"NCHW"
    filled = [scalar(part.inputs[1]) if part.op == "Fill" else None for part in (ones, zeros)]
    return channels_first and flag(fused, "is_training", default=True) and len(sides) == 4 and sides[::3] == (1, 1) and filled == [1, 0]


def _sides(node: Node, *ops: str) -> list[tuple[Node, Node]]:
    return [(node.inputs[0], node.inputs[1]), (node.inputs[1], node.inputs[0])] if node.op in ops else []


def _other(node: Node, side: Node) -> Node:
    return node.inputs[1] if node.inputs[0] is side else node.inputs[0]


def _order(node: Node) -> list[int]:
    """The axes of a Transpose; Keras puts them together when it runs."""
    order = node.inputs[1]
    parts = order.inputs[:-1] if order.op == "ConcatV2" else (order,)
    return [int(axis) for part in parts for axis in constant(part).reshape(-1).tolist()]


def _mask(node: Node, name: str) -> int:
    return node.attribute(name).i if name in node.definition.attr else 0


def _variable(flow: Dataflow, name: str) -> Node:
    if name not in flow.variables:
        raise UnsupportedModel(f"the graph does not use the variable '{name}'")
    return flow.variables[name]


def _only(nodes: list[Node], what: str) -> Node:
    if len(nodes) != 1:
        raise UnsupportedModel(f"the graph cannot be read: {len(nodes)} {what}, where one was expected")
    return nodes[0]
