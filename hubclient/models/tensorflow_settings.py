"""Settings of a transformer, read off a TensorFlow dataflow around its variables: heads, activation functions, epsilons.

Strategy: each is looked for where its variables are used, and not by following the whole graph: the model that is rebuilt with what was
found is then proved, since the graph, worked out as data, must give the same logits. What is not found, or not unique, is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubclient.archive.constants import vector
from hubclient.archive.graph import Dataflow, Node
from hubclient.errors import UnsupportedModel
from hubclient.models import tensorflow
from hubclient.models.naming import the_one

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PRODUCTS = ("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3")


def epsilon(flow: Dataflow, names: Iterable[str]) -> float:
    """Of the layer norms whose gamma and beta are below these names, wherever they are applied."""
    found = [tensorflow.norm(flow, name, result)[0] for name in names for result in norms(flow, name)]
    return float(str(the_one(list(found), "layer norm epsilons")))


def function(flow: Dataflow, inner: str, outer: str) -> str:
    """The activation between two dense layers, by their names, wherever they are applied."""
    products = [tensorflow.dense(flow, outer, result) for result in tensorflow.sums_with(flow, f"{outer}/bias")]
    return str(the_one([tensorflow.function(flow, inner, product)[0] for product in products], "activation functions"))


def heads(flow: Dataflow, name: str, hidden: int) -> int:
    """How many heads the result of a dense layer (queries, keys or values) is split into."""
    starts = tensorflow.sums_with(flow, f"{name}/bias")
    found = {count for start in starts for node in _near(flow, start) if (count := _split(node, hidden))}
    if len(found) != 1:
        raise UnsupportedModel("the number of attention heads cannot be read from the graph", where=f"dense layer '{name}'")
    return found.pop()


def width(shapes: Mapping[str, tuple[int, ...]], name: str) -> int:
    """How many numbers a dense layer gives, by the shapes of the variables."""
    shape = shapes.get(f"{name}/bias")
    if shape is None or len(shape) != 1:
        raise UnsupportedModel(f"the dense layer '{name}' has no bias that can be read", why=f"its shape is {shape}")
    return shape[0]


def norms(flow: Dataflow, name: str) -> list[Node]:
    """The results of the layer norm `name`: one for each time that it is applied."""
    beta = flow.variables.get(f"{name}/beta")
    if beta is None:
        raise UnsupportedModel(f"the graph does not use the layer norm '{name}'")
    return [inner for user in flow.consumers(beta) for inner in (flow.consumers(user) if user.op == "Sub" else (user,))]


def _near(flow: Dataflow, start: Node) -> list[Node]:
    """The reshapes that follow, up to the first product."""
    found, pending, seen = [], [start], {start}
    while pending:
        for node in flow.consumers(pending.pop()):
            if node in seen or node.op in _PRODUCTS:
                continue
            seen.add(node)
            if node.op == "Reshape":
                found.append(node)
            else:
                pending.append(node)
    return found


def _split(node: Node, hidden: int) -> int | None:
    """Heads, if (batch, tokens, hidden) becomes (batch, tokens, heads, size)."""
    sides = vector(node.inputs[1]) or ()
    if len(sides) != 4:
        return None
    count, size = sides[2:]
    if count is not None and count > 0 and hidden % count == 0 and size in (-1, None, hidden // count):
        return count
    if count in (-1, None) and size is not None and size > 0 and hidden % size == 0:
        return hidden // size
    return None
