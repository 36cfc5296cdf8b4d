"""Multi-head attention, read back from an ONNX dataflow: its projections, its heads, and its scale.

Strategy: as in `onnx`, from the joined context backwards. Eager attention multiplies or divides the scores; scaled dot product attention,
written out, scales both sides by the fourth root instead, which exporters may leave to be worked out from the shape; or it is one operator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hubclient.archive.onnxmodel import RESHAPES, Node, data
from hubclient.errors import UnsupportedModel
from hubclient.models import elementwise
from hubclient.models.elementwise import unreadable
from hubclient.models.onnx import MOVES, Linear, Reader, upstream

if TYPE_CHECKING:
    from hubclient.models.elementwise import Numbers, Step

_LEAST_MASKED = -1e3  # what a masked score gets, at the most
_SIDE_MOVES = RESHAPES | {"Cast", "Expand"}


@dataclass(frozen=True)
class Attention:
    """`scale` is what scores are multiplied with before the mask and the softmax, wherever the graph does it."""

    query: Linear
    key: Linear
    value: Linear
    heads: int
    scale: float


def read_attention(reader: Reader, node: Node) -> Attention:
    """The attention whose context, heads joined again, is `node`. Raises UnsupportedModel."""
    context = data(node, MOVES)
    if context.op == "Attention":
        return _fused(reader, context)
    if context.op != "MatMul":
        raise unreadable(context, "the product of attention weights and values")
    softmax = _softmax(reader, context.inputs[0])
    scores = _scores(reader, softmax.inputs[0])
    found = _between(reader, scores.inputs[0], scores.inputs[1], context.inputs[1])
    after = elementwise.factor(softmax.inputs[0], _Known(reader, found.query.width // found.heads).unmasked(scores))
    return replace(found, scale=found.scale * after)


def _fused(reader: Reader, node: Node) -> Attention:
    """ONNX's own operator, since operator set 23."""
    if node.attributes.get("is_causal", 0) or node.attributes.get("softcap", 0.0) or len(node.inputs) > 4:
        raise unreadable(node, "attention to all tokens")
    found = _between(reader, *node.inputs[:3])
    return replace(found, scale=found.scale * node.attributes.get("scale", (found.query.width / found.heads) ** -0.5))


def _between(reader: Reader, asking: Node, offering: Node, giving: Node) -> Attention:
    """From the dense layers to what is multiplied: the heads, and the scale that queries and keys already have."""
    (query, first), (key, second), (value, third) = (_projection(reader, side) for side in (asking, offering, giving))
    heads = {heads_of(reader, query, first), heads_of(reader, key, second), heads_of(reader, value, third)}
    if len(heads) != 1:
        raise UnsupportedModel("queries, keys and values have different numbers of heads", where=f"graph node '{asking.name}'")
    known = _Known(reader, query.width // max(heads))
    scale = elementwise.factor(asking, known.after(query.node)) * elementwise.factor(offering, known.after(key.node))
    return Attention(query, key, value, heads.pop(), scale)


def _softmax(reader: Reader, node: Node) -> Node:
    node = data(node)
    if node.op == "Where":  # where all of a row is masked, the softmax is NaN, and exporters put 0 there
        test, number, inner = node.inputs
        if test.op == "IsNaN" and test.inputs[0] is inner and reader.flow.number(number) == 0:
            node = inner
    if node.op != "Softmax" or node.attributes.get("axis", -1) not in (-1, 3):
        raise unreadable(node, "the softmax of attention scores")
    return node


def _scores(reader: Reader, node: Node) -> Node:
    products = [inner for inner in upstream(node, reader.ends) if inner.op == "MatMul"]
    if len(products) != 1:
        raise unreadable(node, "attention scores")
    return products[0]


def _projection(reader: Reader, node: Node) -> tuple[Linear, list[Node]]:
    """The dense layer behind one side of a product of attention, and the nodes that reshape it first."""
    linears = list(reader.nearest_linears(node))
    if len(linears) != 1:
        raise unreadable(node, "the projection of a dense layer")
    start = linears[0].node
    return linears[0], [inner for inner in upstream(node, reader.ends) if inner.op == "Reshape" and inner.inputs[0] is start]


def heads_of(reader: Reader, linear: Linear, splits: list[Node]) -> int:
    """How the only one of `splits` makes (batch, tokens, heads, size) of a layer's (batch, tokens, width).

    One of the last two sides may be left to be worked out. Raises UnsupportedModel.
    """
    sides = _tail(reader, splits[0].inputs[1]) if len(splits) == 1 else []
    heads, size = sides if len(sides) == 2 else (None, None)
    if size is not None and size > 0 and linear.width % size == 0 and heads in (-1, None, linear.width // size):
        return linear.width // size
    if heads is not None and heads > 0 and linear.width % heads == 0 and size in (-1, None):
        return heads
    raise UnsupportedModel("the number of attention heads cannot be read from the graph", where=f"graph node '{linear.node.name}'")


def _tail(reader: Reader, shape: Node) -> list[int | None]:
    """The last two sides of a shape, None for one that is only known when running."""
    sides: list[int | None] = []
    for part in shape.inputs if shape.op == "Concat" else (shape,):
        sides += reader.flow.integers(data(part, _SIDE_MOVES)) or [None]
    return sides[-2:]


@dataclass(frozen=True)
class _Known:
    """What is known when values are followed through attention; `size` is that of one head."""

    reader: Reader
    size: int

    def after(self, start: Node) -> Callable[[Step, Numbers], Numbers | None]:
        follow = self.reader.follow(start)

        def known(step: Step, points: Numbers) -> Numbers | None:
            return points * 0 + self.size if isinstance(step, Node) and self._is_size(step) else follow(step, points)

        return known

    def unmasked(self, scores: Node) -> Callable[[Step, Numbers], Numbers | None]:
        after = self.after(scores)

        def added(step: Step, points: Numbers) -> Numbers | None:
            return points * 0 if isinstance(step, Node) and _is_mask(step, scores) else after(step, points)

        def known(step: Step, points: Numbers) -> Numbers | None:
            kept = self._filled(step, scores) if isinstance(step, Node) else None
            return elementwise.evaluate(kept, lambda inner: added(inner, points)) if kept else added(step, points)

        return known

    def _filled(self, node: Node, scores: Node) -> Node | None:
        """The side with the scores, of a choice between them and one very low number by what is padding."""
        if node.op != "Where" or not _is_mask(node.inputs[0], scores):
            return None
        numbers = [self.reader.flow.number(side) for side in node.inputs[1:]]
        kept = [side for side, number in zip(node.inputs[1:], numbers, strict=True) if number is None]
        return kept[0] if len(kept) == 1 and max(number for number in numbers if number is not None) < _LEAST_MASKED else None

    def _is_size(self, node: Node) -> bool:
        """The last side of a shape, of (batch, heads, tokens, size)."""
        if node.op not in ("Gather", "Slice") or node.inputs[0].op != "Shape" or node.inputs[0].attributes.get("start", 0):
            return False
        if len(node.inputs) < 2 or self.reader.flow.integers(node.inputs[1]) not in ([-1], [3]):
            return False
        return node.op == "Gather" or (self.reader.flow.integers(node.inputs[2]) or [0])[0] > 3


def _is_mask(node: Node, scores: Node) -> bool:
    """Whether a part of the scores' sum comes from the inputs and not from the scores."""
    inner = set(upstream(node, lambda one: one is scores))
    return scores not in inner and any(one.op == "Input" for one in inner)
