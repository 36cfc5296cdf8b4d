"""BERT and its like in a TensorFlow dataflow: tensors by the names of variables, settings read off the graph around these.

The graph is not followed as a whole: whoever rebuilds the model must prove that it answers as the graph does.

Source: transformers/models/{bert,roberta,electra,distilbert}/modeling_tf_*.py.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from hubclient.archive.constants import scalar
from hubclient.errors import UnsupportedModel
from hubclient.models import tensorflow, tensorflow_settings
from hubclient.models.encoder_reading import Reading
from hubclient.models.naming import count_layers, hugging_face_tensors, root_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hubclient.archive.graph import Dataflow, Node
    from hubclient.models.encoder_anatomy import Anatomy
    from hubclient.models.family import Head


def read(anatomy: Anatomy, flow: Dataflow, shapes: Mapping[str, tuple[int, ...]], head: Head, *, padded: bool) -> Reading:
    """`padded`: positions are counted without padding. Raises UnsupportedModel, naming what cannot be read."""
    root = root_of(flow.variables, anatomy.base)
    tensors = hugging_face_tensors({name: shapes[name] for name in flow.variables}, root)
    layers = count_layers(tensors, f"{anatomy.base}.{anatomy.layers}")

    def variable(name: str) -> str:
        """The start of a layer's variables' names, by the name of its tensors."""
        source = tensors.get(f"{name}.bias")
        if source is None:
            raise UnsupportedModel(f"the graph lacks the layer '{name}'")
        return source.key.rpartition("/")[0]

    def heads(name: str) -> int:
        return tensorflow_settings.heads(flow, name, prod(shapes[f"{name}/bias"]))

    def function(inner: str, outer: str) -> str:
        return tensorflow_settings.function(flow, variable(inner), variable(outer))

    names, numbers = anatomy.layer, range(layers)
    projections = [variable(anatomy.part(number, part)) for number in numbers for part in names.projections]
    return Reading(
        tensors,
        layers,
        heads=[heads(name) for name in projections],
        functions=[function(anatomy.part(number, names.inner), anatomy.part(number, names.outer)) for number in numbers],
        epsilons=[tensorflow_settings.epsilon(flow, [variable(name)]) for name in anatomy.norms(layers)],
        head_function=function(anatomy.head.inner, anatomy.head.outer) if head == "sequence" else None,
        pad=_pad(flow) if padded else None,
    )


def _pad(flow: Dataflow) -> int:
    """What ids are held against, so as not to count padding."""
    found = {scalar(other) for node in flow.nodes if node.op == "NotEqual" for other in _held_against_ids(node)}
    numbers = [number for number in found if type(number) is int]
    if len(found) != 1 or len(numbers) != 1:
        raise UnsupportedModel("the id of padding cannot be read from the graph", why=f"found: {', '.join(map(str, found)) or 'none'}")
    return numbers[0]


def _held_against_ids(node: Node) -> list[Node]:
    sides = [side.inputs[0] if side.op == "Cast" else side for side in node.inputs]
    return [side for side in sides if side.op == "Const"] if any(tensorflow.is_input(side, "input_ids") for side in sides) else []
