"""BERT with a sequence classification head, followed through a TensorFlow dataflow: from the logits to the embeddings.

Source: transformers/models/bert/modeling_tf_bert.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hubclient.archive.constants import vector
from hubclient.archive.graph import Dataflow, Node
from hubclient.errors import UnsupportedModel
from hubclient.models import elementwise, tensorflow
from hubclient.models.elementwise import unreadable

if TYPE_CHECKING:
    from hubclient.models.elementwise import Numbers, Step

_INPUTS = {"word_embeddings": "input_ids", "token_type_embeddings": "token_type_ids"}
_PRODUCTS = ("BatchMatMul", "BatchMatMulV2", "BatchMatMulV3")
_LEAST_MASKED = -1e3  # what a masked score gets, at the most; exporters have -10000 or the lowest float


@dataclass
class Found:
    """What each layer's graph says; `scales` are what scores are multiplied with before the mask and the softmax."""

    heads: list[int] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    epsilons: list[float] = field(default_factory=list)
    scales: list[float] = field(default_factory=list)


def read(flow: Dataflow, root: str, layers: int, hidden: int) -> Found:
    """Raises UnsupportedModel, naming the node that is not what BERT has there."""
    found = Found()
    node = tensorflow.dense(flow, f"{root}classifier", flow.output)
    function, node = tensorflow.function(flow, f"{root}bert/pooler/dense", node)
    if function != "tanh":
        raise UnsupportedModel("the pooler's activation function is not tanh", where=f"graph node '{node.name}'")
    node = tensorflow.dense(flow, f"{root}bert/pooler/dense", node)
    if not tensorflow.takes_first_token(node):
        raise UnsupportedModel("the pooler does not take the first token", where=f"graph node '{node.name}'")
    node = node.inputs[0]
    for number in reversed(range(layers)):
        node = _layer(flow, f"{root}bert/encoder/layer_._{number}", node, hidden, found)
    epsilon, total = tensorflow.norm(flow, f"{root}bert/embeddings/LayerNorm", node)
    found.epsilons.append(epsilon)
    _check_embeddings(root, total)
    return found


def _layer(flow: Dataflow, name: str, node: Node, hidden: int, found: Found) -> Node:
    """What the layer whose result is `node` is computed from."""
    epsilon, total = tensorflow.norm(flow, f"{name}/output/LayerNorm", node)
    between, middle = _residual(flow, f"{name}/output/dense", total)
    function, start = tensorflow.function(flow, f"{name}/intermediate/dense", between)
    _expect(tensorflow.dense(flow, f"{name}/intermediate/dense", start), middle)
    attended, total = tensorflow.norm(flow, f"{name}/attention/output/LayerNorm", middle)
    context, source = _residual(flow, f"{name}/attention/output/dense", total)
    found.epsilons += [epsilon, attended]
    found.functions.append(function)
    _attention(flow, f"{name}/attention/self", context, source, hidden, found)
    return source


def _residual(flow: Dataflow, name: str, node: Node) -> tuple[Node, Node]:
    """What the dense layer `name` is computed from, and what its result is added to."""
    start = tensorflow.sum_with(flow, f"{name}/bias")
    others = [inner for inner in node.inputs if inner is not start]
    if node.op not in tensorflow.ADDITIONS or len(others) != 1:
        raise unreadable(node, f"the dense layer '{name}' and what it is added to")
    return tensorflow.dense(flow, name, start), others[0]


def _attention(flow: Dataflow, name: str, context: Node, source: Node, hidden: int, found: Found) -> None:
    if not tensorflow.is_swapped(context):
        raise unreadable(context, "the heads of the context, put back behind the tokens,")
    product = context.inputs[0]
    _check_product(product, transposed=False)
    softmax, values = product.inputs
    if softmax.op != "Softmax":
        raise unreadable(softmax, "the softmax of attention scores")
    scores = next((node for node in softmax.upstream(stop=_PRODUCTS) if node.op in _PRODUCTS), softmax)
    _check_product(scores, transposed=True)
    for part, node in zip(("query", "key", "value"), (*scores.inputs, values), strict=True):
        found.heads.append(_heads(flow, f"{name}/{part}", node, source, hidden))
    found.scales.append(elementwise.factor(softmax.inputs[0], _unmasked(scores)))


def _check_product(node: Node, *, transposed: bool) -> None:
    if node.op not in _PRODUCTS or tensorflow.flag(node, "adj_x") or tensorflow.flag(node, "adj_y") != transposed:
        raise unreadable(node, "queries times keys" if transposed else "attention weights times values")


def _heads(flow: Dataflow, name: str, node: Node, source: Node, hidden: int) -> int:
    """How many heads the projection `name` of `source` is split into: (batch, tokens, heads, size) -> (batch, heads, tokens, size)."""
    if not tensorflow.is_swapped(node) or node.inputs[0].op != "Reshape":
        raise unreadable(node, f"the heads of '{name}'")
    split = node.inputs[0]
    _expect(tensorflow.dense(flow, name, split.inputs[0]), source)
    sides = vector(split.inputs[1]) or ()
    heads, size = sides[2:] if len(sides) == 4 else (None, None)
    if heads is not None and heads > 0 and hidden % heads == 0 and size in (-1, hidden // heads):
        return heads
    if heads in (-1, None) and size is not None and size > 0 and hidden % size == 0:
        return hidden // size
    raise UnsupportedModel("the number of attention heads cannot be read from the graph", where=f"graph node '{split.name}'")


def _unmasked(scores: Node) -> Callable[[Step, Numbers], Numbers | None]:
    """What is known when values are followed from the scores: the mask adds nothing to those of tokens."""
    follow = tensorflow.follow(scores)

    def known(step: Step, points: Numbers) -> Numbers | None:
        if isinstance(step, Node) and _is_mask(step, scores):
            _check_mask(step)
            return points * 0
        return follow(step, points)

    return known


def _is_mask(node: Node, scores: Node) -> bool:
    """Whether a part of the scores' sum comes from the inputs and not from the scores."""
    inner = {node, *node.upstream()}
    return scores not in inner and any(one.op.startswith("Placeholder") for one in inner)


def _check_mask(mask: Node) -> None:
    """What is added to scores must be 0 for each token and very low for padding, whatever else is in the text."""
    import numpy as np

    start = next((node for node in mask.upstream() if tensorflow.is_input(node, "attention_mask")), mask)
    follow, points = tensorflow.follow(start), np.array([0.0, 1.0])

    def known(step: Step) -> Numbers | None:
        spread = isinstance(step, Node) and tensorflow.is_spread(step)
        return elementwise.evaluate(step.inputs[0], known) if spread else follow(step, points)

    padding, token = elementwise.evaluate(mask, known)
    if token != 0 or padding > _LEAST_MASKED:
        raise UnsupportedModel("attention is not masked by padding alone", where=f"graph node '{mask.name}'")


def _check_embeddings(root: str, total: Node) -> None:
    """The sum of a row for each token, its type, and its position, counted from the first token on."""
    tables = []
    for term in tensorflow.terms(total):
        variable, index = tensorflow.looked_up(term)
        table = (variable or "").removeprefix(f"{root}bert/embeddings/").partition("/")[0]
        if not (tensorflow.is_input(index, _INPUTS[table]) if table in _INPUTS else tensorflow.counts(index)):
            raise UnsupportedModel(f"rows of the table '{table}' are chosen otherwise than in BERT", where=f"graph node '{index.name}'")
        tables.append(table)
    if sorted(tables) != ["position_embeddings", "token_type_embeddings", "word_embeddings"]:
        raise UnsupportedModel("the embeddings are not BERT's", why=f"they are the sum of {', '.join(tables)}")


def _expect(found: Node, wanted: Node) -> None:
    if found is not wanted:
        raise UnsupportedModel("the graph is wired otherwise than BERT's encoder", where=f"graph node '{found.name}' ({found.op})")
