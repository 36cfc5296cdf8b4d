"""Facts that a TensorFlow graph states only by its operations: heads, epsilon, activation function, scale, offsets.

Everything is found by following the dataflow from the variables, never by the names of operations, which differ between exporters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from hubclient.archive.constants import constant, scalar, vector
from hubclient.archive.graph import Dataflow, Node
from hubclient.errors import UnsupportedModel
from hubclient.models import elementwise

if TYPE_CHECKING:
    from hubclient.models.elementwise import Numbers, Step

_MOVES = frozenset({"Reshape", "Transpose", "Identity", "Squeeze", "ExpandDims"})
_FUSED_EPSILON = 1e-4  # the default of the operator's attribute, which exporters leave out
_PRODUCTS = frozenset({"MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum"})


def product_of(flow: Dataflow, variable: str) -> Node:
    """The matrix product that the kernel `variable` goes into."""
    product = _only(
        [node for node in flow.consumers(flow.variables[variable]) if node.op in _PRODUCTS],
        f"matrix products of the variable '{variable}'",
    )
    if product.op == "Einsum" or any(_flag(product, name) for name in ("transpose_a", "transpose_b", "adj_x", "adj_y")):
        raise UnsupportedModel(
            f"the variable '{variable}' goes into another product than (rows, in) x (in, out)", where=f"graph node '{product.name}'"
        )
    return product


def sum_with(flow: Dataflow, variable: str) -> Node:
    """The addition that the bias `variable` goes into."""
    return _only(
        [node for node in flow.consumers(flow.variables[variable]) if node.op in ("BiasAdd", "Add", "AddV2")],
        f"additions of the variable '{variable}'",
    )


def heads_of(flow: Dataflow, bias: str, width: int) -> int:
    """Attention heads: how the projection of width `width` that ends with `bias` is split, (batch, tokens, heads, size)."""
    found = set()
    for node in flow.consumers(sum_with(flow, bias)):
        if node.op == "Reshape" and (sides := vector(node.inputs[1])) and len(sides) == 4:
            heads, size = sides[2], sides[3]
            if heads is not None and heads > 0 and size in (-1, width // heads) and width % heads == 0:
                found.add(heads)
            elif heads in (-1, None) and size and size > 0 and width % size == 0:
                found.add(width // size)
    if len(found) != 1:
        raise UnsupportedModel(
            f"the number of attention heads cannot be read from the graph where '{bias}' is used", why=f"found: {sorted(found) or 'none'}"
        )
    return found.pop()


def epsilon_of(flow: Dataflow, gamma: str) -> float:
    """The epsilon of the layer norm that the scale `gamma` belongs to."""
    for product in flow.consumers(flow.variables[gamma]):
        for other in product.inputs:
            root = _nearest(other, ("Rsqrt", "Sqrt", "FusedBatchNormV3"))
            if root is None or other.variable == gamma:
                continue
            if root.op == "FusedBatchNormV3":
                return elementwise.shortest_float(root.attribute("epsilon").f) if "epsilon" in root.definition.attr else _FUSED_EPSILON
            added = [scalar(node) for node in root.inputs[0].inputs if node.op == "Const"]
            if root.inputs[0].op in ("Add", "AddV2") and len(added) == 1:
                return elementwise.shortest_float(float(added[0]))
    raise UnsupportedModel(f"the epsilon of the layer norm '{gamma}' cannot be read from the graph")


def function_between(flow: Dataflow, bias: str, kernel: str) -> str:
    """The activation function between the layer that ends with `bias` and the one that starts with `kernel`, by its transformers name."""
    start = sum_with(flow, bias)
    return elementwise.activation_name(data_input(product_of(flow, kernel)), _from(start))


def scale_of(flow: Dataflow, query_bias: str, key_bias: str) -> float:
    """What attention scores are multiplied with before the mask and the softmax, wherever the graph does it."""
    query, key = sum_with(flow, query_bias), sum_with(flow, key_bias)
    scores = _only(
        [node for node in flow.nodes if node.op in _PRODUCTS and _leads(node, query) and _leads(node, key)],
        f"products of '{query_bias}' and '{key_bias}'",
    )
    softmax = _only([node for node in flow.by_op("Softmax") if _leads(node, scores)], f"softmaxes of '{query_bias}'")
    before = 1.0
    for start in (query, key):
        side = next(inner for inner in scores.inputs if _leads(inner, start))
        before *= elementwise.factor(side, _from(start))

    def known(step: Step, points: Numbers) -> Numbers | None:
        if isinstance(step, Node) and step is not scores and _is_mask(step, scores):
            return points * 0
        return _from(scores)(step, points)

    return before * elementwise.factor(softmax.inputs[0], known)


def data_input(product: Node) -> Node:
    """What a kernel is multiplied with, before it was reshaped for the product."""
    node = next(inner for inner in product.inputs if inner.variable is None)
    while node.op in _MOVES:
        node = node.inputs[0]
    return node


def takes_first_token(node: Node) -> bool:
    """Whether `node` is a slice `[:, 0]` of (batch, tokens, width)."""
    if node.op != "StridedSlice":
        return False
    begin, end, strides = (constant(part).reshape(-1).tolist() for part in node.inputs[1:4])
    masks = {name: _mask(node, name) for name in ("begin_mask", "end_mask", "shrink_axis_mask", "ellipsis_mask", "new_axis_mask")}
    whole_batch = masks["begin_mask"] & 1 and masks["end_mask"] & 1
    first = (
        len(begin) >= 2
        and begin[1] == 0
        and strides[1] == 1
        and (masks["shrink_axis_mask"] == 2 or (end[1] == 1 and not masks["shrink_axis_mask"]))
    )
    return bool(whole_batch and first and not masks["ellipsis_mask"] and not masks["new_axis_mask"])


def _flag(node: Node, name: str) -> bool:
    """An attribute whose default is false: exporters leave defaults out."""
    return name in node.definition.attr and node.attribute(name).b


def _mask(node: Node, name: str) -> int:
    return node.attribute(name).i if name in node.definition.attr else 0


def _from(start: Node) -> Callable[[Step, Numbers], Numbers | None]:
    """What is known when values are followed from `start`: its own, and constants."""

    def known(step: Step, points: Numbers) -> Numbers | None:
        import numpy as np

        if step is start:
            return points
        if isinstance(step, Node) and step.op == "Const":
            return np.full_like(points, float(scalar(step)))
        return None

    return known


def _is_mask(node: Node, scores: Node) -> bool:
    """Whether a part of the scores' sum comes from the inputs and not from the scores."""
    sources = list(_values(node))
    return scores not in sources and any(inner.op.startswith("Placeholder") for inner in sources)


def _values(node: Node) -> Iterator[Node]:
    """What the values of `node` are computed from, itself first, back to the next matrix products; what gives only shapes is left out."""
    seen: set[Node] = set()
    pending = [node]
    while pending:
        inner = pending.pop()
        if inner not in seen:
            seen.add(inner)
            yield inner
            if inner is node or inner.op not in _PRODUCTS | {"Shape"}:
                pending.extend(inner.inputs[:1] if inner.op in _MOVES else inner.inputs)


def _leads(node: Node, start: Node) -> bool:
    return any(inner is start for inner in _values(node))


def _nearest(node: Node, ops: tuple[str, ...]) -> Node | None:
    if node.op in ops:
        return node
    return next((inner for inner in node.upstream(stop=tuple(_PRODUCTS)) if inner.op in ops), None)


def _only(nodes: list[Node], what: str) -> Node:
    if len(nodes) != 1:
        raise UnsupportedModel(f"the graph cannot be read: {len(nodes)} {what}, where one was expected")
    return nodes[0]
