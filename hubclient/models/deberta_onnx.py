"""DeBERTa-v2 and v3, read back from an ONNX dataflow by the names that it kept.

As with TensorFlow, the terms of scores are seen by what the projections are applied to, and buckets by their logarithm.

Source: transformers/models/deberta_v2/modeling_deberta_v2.py, as torch exports it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from hubclient.archive.onnxmodel import data
from hubclient.errors import UnsupportedModel
from hubclient.models import deberta_settings, elementwise
from hubclient.models.deberta_settings import Found
from hubclient.models.family import Head, Recipe
from hubclient.models.naming import count_layers, the_one
from hubclient.models.onnx import MOVES, upstream
from hubclient.models.onnx_names import NamedWeights

if TYPE_CHECKING:
    from hubclient.archive.onnxmodel import Dataflow, Node

_MIXING = "deberta.encoder.conv"
_MOVES = MOVES | {"Cast"}
_LARGEST_EXPONENT = 32


def read(flow: Dataflow, head: Head) -> Recipe:
    weights = NamedWeights(flow, "deberta")
    layers = [f"deberta.encoder.layer.{number}" for number in range(count_layers(weights.tensors, "deberta.encoder.layer"))]
    terms, shared = deberta_settings.terms_of([_uses(weights, layer) for layer in layers])
    middle, furthest = _buckets(flow) if terms else (None, None)
    norms = [f"{layer}.{part}.LayerNorm" for layer in layers for part in ("attention.output", "output")]
    functions = [weights.function(f"{layer}.intermediate.dense", f"{layer}.output.dense") for layer in layers]
    heads = [weights.heads(f"{layer}.attention.self.value_proj") for layer in layers]
    found = Found(
        heads=int(str(the_one(list(heads), "numbers of attention heads"))),
        epsilon=weights.epsilon(["deberta.embeddings.LayerNorm", *norms]),
        function=str(the_one(list(functions), "activation functions")),
        pooler=weights.function("pooler.dense", "classifier") if head == "sequence" else None,
        mixing=_mixing(weights),
        terms=terms,
        shared=shared,
        middle=middle,
        furthest=furthest,
    )
    return deberta_settings.recipe(weights.tensors, flow.shapes, found, head)


def _uses(weights: NamedWeights, layer: str) -> Callable[[str], int]:
    return lambda name: weights.uses(f"{layer}.attention.self.{name}")


def _buckets(flow: Dataflow) -> tuple[int | None, int | None]:
    """Where distances begin to share buckets, and from where on all do: of log(distance / middle) / log((furthest - 1) / middle)."""
    found = {ratio for node in flow.nodes for ratio in _ratios(flow, node)}
    return deberta_settings.bucketed(found, logarithms=any(node.op == "Log" for node in flow.nodes))


def _ratios(flow: Dataflow, node: Node) -> Iterator[tuple[int, int]]:
    if node.op != "Div":
        return
    top, whole = (data(side, _MOVES) for side in node.inputs)
    share = data(top.inputs[0], _MOVES) if top.op == "Log" else top
    if top.op != "Log" or share.op != "Div":
        return
    middle, ratio = flow.number(data(share.inputs[1], _MOVES)), _ratio(flow, whole)
    if middle is not None and ratio is not None and math.isfinite(ratio * middle):
        yield round(middle), round(ratio * middle) + 1


def _ratio(flow: Dataflow, whole: Node) -> float | None:
    """What this is the logarithm of."""
    if whole.op == "Log":
        return flow.number(data(whole.inputs[0], _MOVES))
    number = flow.number(whole)
    return math.exp(number) if number is not None and abs(number) < _LARGEST_EXPONENT else None


def _mixing(weights: NamedWeights) -> str | None:
    """The activation function of the convolution, if there is one: between where padding becomes 0 and the sum that is normed."""
    if f"{_MIXING}.conv.weight" not in weights.tensors:
        return None
    total = weights.norm(f"{_MIXING}.LayerNorm").source
    for side in weights.reader.terms(total):
        starts = [node for node in upstream(side, lambda inner: inner.op in ("Where", "Conv")) if node.op == "Where"]
        if len(starts) == 1 and data(starts[0].inputs[2], _MOVES).op == "Conv":
            return elementwise.activation_name(side, weights.reader.follow(starts[0]))
    raise UnsupportedModel("the activation function of the convolution cannot be read from the graph")
