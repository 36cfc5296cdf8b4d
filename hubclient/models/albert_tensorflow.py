"""ALBERT in a TensorFlow dataflow: tensors by the names of variables; how often each layer is applied tells how many there are.

Source: transformers/models/albert/modeling_tf_albert.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hubclient.models import tensorflow
from hubclient.models.albert_sharing import AlbertAnatomy, sharing_by_uses
from hubclient.models.encoder_reading import Reading
from hubclient.models.family import Head
from hubclient.models.naming import count_layers, hugging_face_tensors, root_of
from hubclient.models.tensorflow_settings import epsilon, function, heads, width

if TYPE_CHECKING:
    from hubclient.archive.graph import Dataflow


def read(anatomy: AlbertAnatomy, flow: Dataflow, shapes: Mapping[str, tuple[int, ...]], head: Head) -> Reading:
    """The reading's layers are those that are applied."""
    root = root_of(shapes, anatomy.base)
    tensors = hugging_face_tensors(shapes, root)
    start, numbered = f"{anatomy.base}.{anatomy.layers}", f"{root}{anatomy.base}/encoder/albert_layer_groups_._"
    groups = [
        [f"{numbered}{group}/albert_layers_._{place}" for place in range(count_layers(tensors, f"{start}.{group}.albert_layers"))]
        for group in range(count_layers(tensors, start))
    ]
    sharing = sharing_by_uses([[len(tensorflow.sums_with(flow, f"{layer}/ffn/bias")) for layer in group] for group in groups])
    layers = [layer for group in groups for layer in group]
    projections = [f"{layer}/attention/{part}" for layer in layers for part in ("query", "key", "value")]
    norms = [f"{layer}/{part}" for layer in layers for part in ("attention/LayerNorm", "full_layer_layer_norm")]
    return Reading(
        tensors,
        len(sharing.order),
        heads=[heads(flow, name, width(shapes, name)) for name in projections],
        functions=[function(flow, f"{layer}/ffn", f"{layer}/ffn_output") for layer in layers],
        epsilons=[epsilon(flow, [name]) for name in (f"{root}{anatomy.base}/embeddings/LayerNorm", *norms)],
        head_function=function(flow, f"{root}{anatomy.base}/pooler", f"{root}classifier") if head == "sequence" else None,
        pad=None,
    )
