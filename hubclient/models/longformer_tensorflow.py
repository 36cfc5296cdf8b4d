"""Longformer in a TensorFlow dataflow: what all encoders have, and the windows.

Half a window shows in the mask of what would lie before the text: it is cut out of a matrix of ones with a row for each of its tokens.

Source: transformers/models/longformer/modeling_tf_longformer.py, TFLongformerSelfAttention._mask_invalid_locations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubclient.archive.constants import constant, scalar, vector
from hubclient.errors import UnsupportedModel
from hubclient.models import encoder_tensorflow, tensorflow
from hubclient.models.encoder_reading import Reading

if TYPE_CHECKING:
    from hubclient.archive.graph import Dataflow, Node
    from hubclient.models.encoder_anatomy import Anatomy
    from hubclient.models.family import Head


@dataclass(frozen=True)
class WindowReading(Reading):
    """`windows` are those of the layers, both sides together."""

    windows: tuple[int, ...]


def read(anatomy: Anatomy, flow: Dataflow, shapes: Mapping[str, tuple[int, ...]], head: Head) -> WindowReading:
    """Raises UnsupportedModel, naming what cannot be read."""
    reading = encoder_tensorflow.read(anatomy, flow, shapes, head, padded=False)

    def variables(layer: int, part: str) -> str:
        source = reading.tensors.get(f"{anatomy.part(layer, part)}.bias")
        if source is None:
            raise UnsupportedModel(f"the graph lacks the layer '{anatomy.part(layer, part)}'")
        return source.key.rpartition("/")[0]

    names, layers = anatomy.layer, range(reading.layers)
    windows = tuple(_window(flow, variables(number, names.query), variables(number, names.joined)) for number in layers)
    return WindowReading(**{**vars(reading), "pad": _pad(flow)}, windows=windows)


def _window(flow: Dataflow, query: str, joined: str) -> int:
    """That of the attention between two dense layers, named by their variables."""
    source, context = (tensorflow.dense(flow, name, tensorflow.sum_with(flow, f"{name}/bias")) for name in (query, joined))
    bands = [node for node in _between(context, source) if node.op == "MatrixBandPart"]
    halves = {sides[0] for node in bands if len(sides := _sides(node.inputs[0])) == 2 and sides[1] == sides[0] + 1}
    if len(halves) != 1:
        raise UnsupportedModel(
            "the window of attention cannot be read from the graph",
            where=f"dense layer '{joined}'",
            why=f"found: {sorted(halves) or 'none'}",
        )
    return 2 * halves.pop()


def _between(start: Node, end: Node) -> list[Node]:
    """What `start` is computed from, up to `end`, without what only the shape of something tells."""
    found, pending = {start}, [start]
    while pending:
        node = pending.pop()
        if node.op != "Shape":
            fresh = [inner for inner in dict.fromkeys(node.inputs) if inner not in found and inner is not end]
            found.update(fresh)
            pending.extend(fresh)
    return list(found)


def _sides(node: Node) -> tuple[int, ...]:
    """Of a matrix that is the same for all texts; none if it is another."""
    if node.op == "Const":
        return tuple(constant(node).shape)
    sides = vector(node.inputs[0]) if node.op == "Fill" else None
    return tuple(side for side in sides or () if side is not None)


def _pad(flow: Dataflow) -> int:
    """What ids are held against, filled up to a multiple of the window, so as not to count padding."""
    sides = [pair for node in flow.nodes if node.op == "NotEqual" for pair in (node.inputs, node.inputs[::-1])]
    found = {scalar(number) for ids, number in sides if number.op == "Const" and tensorflow.is_input(_filled(ids), "input_ids")}
    numbers = [number for number in found if type(number) is int]
    if len(found) != 1 or len(numbers) != 1:
        raise UnsupportedModel("the id of padding cannot be read from the graph", why=f"found: {', '.join(map(str, found)) or 'none'}")
    return numbers[0]


def _filled(node: Node) -> Node:
    """What was there before it was filled up."""
    while node.op in ("Cast", "Pad", "PadV2"):
        node = node.inputs[0]
    return node
