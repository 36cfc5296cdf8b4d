"""DeBERTa-v2 and v3, read off a TensorFlow dataflow.

Which terms scores have is seen by what the projections are applied to: the table of distances goes through projections of its own, or
through those of the content, which are then applied twice. Buckets are known by the one logarithm that they are reckoned with.

Source: transformers/models/deberta_v2/modeling_tf_deberta_v2.py, whose names for the projections of positions are not PyTorch's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hubclient.archive.constants import constant
from hubclient.archive.graph import Dataflow, Node
from hubclient.errors import UnsupportedModel
from hubclient.models import deberta_settings, elementwise, tensorflow, tensorflow_settings
from hubclient.models.deberta_settings import Found
from hubclient.models.family import Head, Recipe, TensorSource
from hubclient.models.naming import count_layers, hugging_face_tensors, root_of, the_one

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_THEIRS = {"pos_key_proj": "pos_proj", "pos_query_proj": "pos_q_proj"}
_MIXING = "deberta/encoder/conv"
_MAX_STEPS = 8
_LARGEST_EXPONENT = 32


def read(flow: Dataflow, shapes: Mapping[str, tuple[int, ...]], head: Head) -> Recipe:
    root = root_of(shapes, "deberta")
    tensors = _tensors(shapes, root)
    layers = [f"{root}deberta/encoder/layer_._{number}" for number in range(count_layers(tensors, "deberta.encoder.layer"))]
    terms, shared = deberta_settings.terms_of([_uses(flow, layer) for layer in layers])
    middle, furthest = _buckets(flow) if terms else (None, None)
    norms = [f"{layer}/{part}/LayerNorm" for layer in layers for part in ("attention/output", "output")]
    functions = [tensorflow_settings.function(flow, f"{layer}/intermediate/dense", f"{layer}/output/dense") for layer in layers]
    found = Found(
        heads=int(str(the_one([_heads(flow, layer, shapes) for layer in layers], "numbers of attention heads"))),
        epsilon=tensorflow_settings.epsilon(flow, [f"{root}deberta/embeddings/LayerNorm", *norms]),
        function=str(the_one(list(functions), "activation functions")),
        pooler=tensorflow_settings.function(flow, f"{root}pooler/dense", f"{root}classifier") if head == "sequence" else None,
        mixing=_mixing(flow, f"{root}{_MIXING}"),
        terms=terms,
        shared=shared,
        middle=middle,
        furthest=furthest,
    )
    return deberta_settings.recipe(tensors, shapes, found, head)


def _tensors(shapes: Mapping[str, tuple[int, ...]], root: str) -> dict[str, TensorSource]:
    found: dict[str, TensorSource] = {}
    for name, source in hugging_face_tensors(shapes, root).items():
        ours = next((name.replace(f".{theirs}.", f".{ours}.") for ours, theirs in _THEIRS.items() if f".{theirs}." in name), name)
        # A convolution's kernel is (size, in, out) in TensorFlow and (out, in, size) in PyTorch.
        found[ours] = TensorSource(source.key, transposed=source.transposed or source.key == f"{root}{_MIXING}/conv/kernel")
    return found


def _heads(flow: Dataflow, layer: str, shapes: Mapping[str, tuple[int, ...]]) -> int:
    name = f"{layer}/attention/self/value_proj"
    return tensorflow_settings.heads(flow, name, tensorflow_settings.width(shapes, name))


def _uses(flow: Dataflow, layer: str) -> Callable[[str], int]:
    def count(name: str) -> int:
        node = flow.variables.get(f"{layer}/attention/self/{_THEIRS.get(name, name)}/bias")
        return len(flow.consumers(node)) if node else 0

    return count


def _buckets(flow: Dataflow) -> tuple[int | None, int | None]:
    """Where distances begin to share buckets, and from where on all do: of log(distance / middle) / log((furthest - 1) / middle)."""
    found = {ratio for node in flow.nodes for ratio in _ratios(node)}
    return deberta_settings.bucketed(found, logarithms=any(node.op == "Log" for node in flow.nodes))


def _ratios(node: Node) -> Iterator[tuple[int, int]]:
    if node.op != "RealDiv":
        return
    top, whole = (_uncast(side) for side in node.inputs)
    share = top.inputs[0] if top.op == "Log" else top
    if top.op != "Log" or share.op != "RealDiv":
        return
    middle, ratio = _number(_uncast(share.inputs[1])), _ratio(whole)
    if middle is not None and ratio is not None and math.isfinite(ratio * middle):
        yield round(middle), round(ratio * middle) + 1


def _ratio(whole: Node) -> float | None:
    """What this is the logarithm of."""
    if whole.op == "Log":
        return _number(whole.inputs[0])
    number = _number(whole)
    return math.exp(number) if number is not None and abs(number) < _LARGEST_EXPONENT else None


def _number(node: Node) -> float | None:
    value = constant(node) if node.op == "Const" else None
    return float(value.reshape(()).item()) if value is not None and value.size == 1 and value.dtype.kind in "iuf" else None


def _uncast(node: Node) -> Node:
    return node.inputs[0] if node.op == "Cast" else node


def _mixing(flow: Dataflow, name: str) -> str | None:
    """The activation function of the convolution, if there is one: between where padding becomes 0 and the sum that is normed."""
    if f"{name}/LayerNorm/beta" not in flow.variables:
        return None
    start = _masked(flow, tensorflow.sum_with(flow, f"{name}/conv/bias"))
    sums = [tensorflow.norm(flow, f"{name}/LayerNorm", result)[1] for result in tensorflow_settings.norms(flow, f"{name}/LayerNorm")]
    sides = {side for total in sums for side in total.inputs if start in (side, *side.upstream())}
    if len(sides) != 1:
        raise UnsupportedModel("the activation function of the convolution cannot be read from the graph", where=name)
    return elementwise.activation_name(sides.pop(), tensorflow.follow(start))


def _masked(flow: Dataflow, node: Node) -> Node:
    """What a value is once it is 0 for padding."""
    for _ in range(_MAX_STEPS):
        if node.op in ("SelectV2", "Select"):
            return node
        users = [user for user in flow.consumers(node) if user.op != "Shape"]
        if len(users) != 1:
            break
        node = users[0]
    raise UnsupportedModel("the mask of the convolution cannot be read from the graph", where=f"graph node '{node.name}' ({node.op})")
