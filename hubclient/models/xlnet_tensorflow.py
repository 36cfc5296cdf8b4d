"""XLNet's settings, read off a TensorFlow dataflow.

Source: transformers/models/xlnet/modeling_tf_xlnet.py and TFSequenceSummary in transformers/modeling_tf_utils.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hubclient.archive.constants import constant, scalar
from hubclient.errors import UnsupportedModel
from hubclient.models import elementwise, tensorflow, tensorflow_settings
from hubclient.models.elementwise import unreadable
from hubclient.models.naming import the_one

if TYPE_CHECKING:
    from hubclient.archive.graph import Dataflow, Node
    from hubclient.models.family import Head


def settings(flow: Dataflow, root: str, layers: int, head: Head) -> dict[str, Any]:
    """What shapes do not tell. Raises UnsupportedModel for what cannot be read."""
    names = [f"{root}transformer/layer_._{number}" for number in range(layers)]
    functions = [tensorflow_settings.function(flow, f"{name}/ff/layer_1", f"{name}/ff/layer_2") for name in names]
    return {
        "ff_activation": the_one(list(functions), "activation functions"),
        "layer_norm_eps": tensorflow_settings.epsilon(flow, [f"{name}/{part}/layer_norm" for name in names for part in ("rel_attn", "ff")]),
        **_attention(flow),
        **(_summary(flow, root) if head == "sequence" else {}),
    }


def _attention(flow: Dataflow) -> dict[str, Any]:
    """Distances are counted down from the sequence's length: to its negative, or to -1 where each token sees only those before it."""
    encodings = [node for node in flow.nodes if node.op == "Sin"]
    if len(encodings) != 1:
        raise UnsupportedModel(f"the encoding of distances cannot be read: the graph has {len(encodings)} sines, where one was expected")
    steps = list(encodings[0].upstream(stop=("Range",)))
    counts = [node for node in steps if node.op == "Range" and _number(node.inputs[2]) == -1]
    if len(counts) != 1:
        raise unreadable(encodings[0], "the sine of distances that are counted down")
    causal = _number(counts[0].inputs[1]) == -1
    return {
        "attn_type": "uni" if causal else "bi",
        "clamp_len": _limit(steps),
        "same_length": causal and any(_keeps_below(node) for node in flow.nodes if node.op == "MatrixBandPart"),
    }


def _limit(steps: list[Node]) -> int:
    """The largest distance, or -1 where there is no limit."""
    bounds = [node.inputs[1:] for node in steps if node.op == "ClipByValue"] + [node.inputs for node in steps if node.op == "Minimum"]
    limits = {number for nodes in bounds for node in nodes if (number := _number(node)) is not None and number > 0}
    if len(limits) > 1 or (bounds and not limits):
        raise UnsupportedModel("the largest distance cannot be read from the graph", why=f"found: {sorted(limits)}")
    return int(limits.pop()) if limits else -1


def _keeps_below(node: Node) -> bool:
    """Whether of a square matrix all that is below the diagonal is kept."""
    return _number(node.inputs[1]) == -1


def _summary(flow: Dataflow, root: str) -> dict[str, Any]:
    """Which token stands for the text, and what becomes of it before the classifier."""
    node = tensorflow.dense(flow, f"{root}logits_proj", flow.output)
    projected = f"{root}sequence_summary/summary/bias" in flow.variables
    start = tensorflow.sum_with(flow, f"{root}sequence_summary/summary/bias") if projected else _choice(node)
    activation = "" if node is start else elementwise.activation_name(node, tensorflow.follow(start))
    chosen = tensorflow.dense(flow, f"{root}sequence_summary/summary", start) if projected else start
    return {"summary_type": _kind(chosen), "summary_activation": activation}


def _choice(node: Node) -> Node:
    """The nearest node that takes one token, or the mean of all."""
    return next((inner for inner in (node, *node.upstream()) if inner.op in _CHOICES), node)


_CHOICES = ("StridedSlice", "Mean", "Squeeze")


def _kind(node: Node) -> str:
    if node.op == "Mean" and constant(node.inputs[1]).reshape(-1).tolist() in ([1], [-2]):
        return "mean"
    if node.op == "Squeeze" and node.inputs[0].op == "GatherV2":
        return "cls_index"
    if tensorflow.takes_first_token(node):
        return "first"
    if node.op == "StridedSlice" and constant(node.inputs[1]).reshape(-1).tolist() == [0, -1]:
        return "last"
    raise unreadable(node, "the choice of the first or the last token, or the mean of all")


def _number(node: Node) -> float | None:
    """A number that stands in the graph."""
    while node.op == "Cast":
        node = node.inputs[0]
    return float(scalar(node)) if node.op == "Const" and constant(node).size == 1 else None
