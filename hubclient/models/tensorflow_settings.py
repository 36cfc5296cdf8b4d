"""Settings of a transformer, read off a TensorFlow dataflow around its variables: heads, activation functions, epsilons.

Strategy: each is looked for where its variables are used, and not by following the whole graph: the model that is rebuilt with what was found
is then proved, since the graph, worked out as data, must give the same logits. What is not found, or not unique, is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubclient.archive.constants import vector
from hubclient.archive.graph import Dataflow, Node
from hubclient.errors import UnsupportedModel
from hubclient.models import tensorflow
from hubclient.models.naming import the_one

if TYPE_CHECKING:
    from collections.abc import Iterable

_PRODUCTS = ("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3")


def epsilon(flow: Dataflow, names: Iterable[str]) -> float:
    """Of the layer norms whose gamma and beta are below these names."""
    return float(str(the_one([_norm_epsilon(flow, name) for name in names], "layer norm epsilons")))


def function(flow: Dataflow, inner: str, outer: str) -> str:
    """The activation between two dense layers, by their names."""
    product = tensorflow.dense(flow, outer, tensorflow.sum_with(flow, f"{outer}/bias"))
    return tensorflow.function(flow, inner, product)[0]


def heads(flow: Dataflow, name: str, hidden: int) -> int:
    """How many heads the result of a dense layer (queries, keys or values) is split into."""
    start = tensorflow.sum_with(flow, f"{name}/bias")
    found = {count for node in _near(flow, start) if (count := _split(node, hidden))}
    if len(found) != 1:
        raise UnsupportedModel("the number of attention heads cannot be read from the graph", where=f"dense layer '{name}'")
    return found.pop()


def _norm_epsilon(flow: Dataflow, name: str) -> float:
    beta = flow.variables.get(f"{name}/beta")
    if beta is None:
        raise UnsupportedModel(f"the graph does not use the layer norm '{name}'")
    users = flow.consumers(beta)
    results = [inner for user in users for inner in (flow.consumers(user) if user.op == "Sub" else (user,))]
    if len(results) != 1:
        raise UnsupportedModel(f"the layer norm '{name}' cannot be read from the graph", why=f"its beta goes to {len(results)} results")
    return tensorflow.norm(flow, name, results[0])[0]


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
