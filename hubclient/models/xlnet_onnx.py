"""XLNet's settings, read off an ONNX dataflow.

Source: transformers/models/xlnet/modeling_xlnet.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hubclient.archive.onnxmodel import data
from hubclient.errors import UnsupportedModel
from hubclient.models import elementwise
from hubclient.models.elementwise import unreadable
from hubclient.models.naming import count_layers, the_one
from hubclient.models.onnx import upstream

if TYPE_CHECKING:
    from hubclient.archive.onnxmodel import Dataflow, Node
    from hubclient.models.family import Head
    from hubclient.models.onnx_names import NamedWeights

_SUMMARY = "sequence_summary.summary"
_CHOICES = {0: "first", -1: "last"}


def settings(weights: NamedWeights, head: Head) -> dict[str, Any]:
    """What shapes do not tell. Raises UnsupportedModel for what cannot be read."""
    names = [f"transformer.layer.{number}" for number in range(count_layers(weights.tensors, "transformer.layer"))]
    functions = [weights.function(f"{name}.ff.layer_1", f"{name}.ff.layer_2") for name in names]
    return {
        "ff_activation": the_one(list(functions), "activation functions"),
        "layer_norm_eps": weights.epsilon([f"{name}.{part}.layer_norm" for name in names for part in ("rel_attn", "ff")]),
        **_attention(weights.flow),
        **(_summary(weights) if head == "sequence" else {}),
    }


def _attention(flow: Dataflow) -> dict[str, Any]:
    """Distances are counted down from the sequence's length: to its negative, or to -1 where each token sees only those before it."""
    encodings = [node for node in flow.nodes if node.op == "Sin"]
    if len(encodings) != 1:
        raise UnsupportedModel(f"the encoding of distances cannot be read: the graph has {len(encodings)} sines, where one was expected")
    steps = list(upstream(encodings[0], lambda node: node.op == "Range"))
    counts = [node for node in steps if node.op == "Range" and flow.number(node.inputs[2]) == -1]
    if len(counts) != 1:
        raise unreadable(encodings[0], "the sine of distances that are counted down")
    causal = flow.number(counts[0].inputs[1]) == -1
    limits = [flow.number(node.inputs[2]) for node in steps if node.op == "Clip" and len(node.inputs) == 3]
    return {
        "attn_type": "uni" if causal else "bi",
        "clamp_len": int(limits[0]) if limits and limits[0] is not None else -1,
        "same_length": causal and any(node.op == "Trilu" and node.attributes.get("upper", 1) == 0 for node in flow.nodes),
    }


def _summary(weights: NamedWeights) -> dict[str, Any]:
    """Which token stands for the text, and what becomes of it before the classifier."""
    reader = weights.reader
    node = weights.linear("logits_proj").source
    projected = f"{_SUMMARY}.bias" in weights.tensors
    start = weights.linear(_SUMMARY).node if projected else _choice(node)
    activation = "" if data(node) is start else elementwise.activation_name(node, reader.follow(start))
    chosen = data(weights.linear(_SUMMARY).source if projected else start)
    return {"summary_type": _kind(weights.flow, chosen), "summary_activation": activation}


def _choice(node: Node) -> Node:
    """The nearest node that takes one token, or the mean of all."""
    return next((inner for inner in upstream(node, lambda _: False) if inner.op in ("Gather", "ReduceMean")), node)


def _kind(flow: Dataflow, node: Node) -> str:
    if node.op == "ReduceMean":
        return "mean"
    index = flow.integers(node.inputs[1]) if node.op == "Gather" and node.attributes.get("axis", 0) == 1 else None
    if index is None or len(index) != 1 or index[0] not in _CHOICES:
        raise unreadable(node, "the choice of the first or the last token, or the mean of all")
    return _CHOICES[index[0]]
