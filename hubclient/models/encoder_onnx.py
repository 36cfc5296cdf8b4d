"""BERT and its like, read back from an ONNX dataflow: from the logits to the embeddings. No names are needed.

Source: transformers/models/{bert,roberta,electra,distilbert}/modeling_*.py, whose structure every exporter keeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubclient.errors import UnsupportedModel
from hubclient.models.encoder_reading import Reading
from hubclient.models.onnx import Linear, Norm, Reader
from hubclient.models.onnx_attention import Attention, read_attention

if TYPE_CHECKING:
    from hubclient.archive.onnxmodel import Dataflow, Node
    from hubclient.models.encoder_anatomy import Anatomy
    from hubclient.models.family import Head, TensorSource

_SCALE_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Layer:
    """One layer of the encoder; `source` is the node that it is computed from."""

    source: Node
    attention: Attention
    joined: Linear
    attended: Norm
    inner: Linear
    function: str
    outer: Linear
    output: Norm


@dataclass(frozen=True)
class _Head:
    """The dense layers of a head, the function between them, if there are two, and the node that it is computed from."""

    linears: list[Linear]
    function: str | None
    source: Node


def read(anatomy: Anatomy, flow: Dataflow, head: Head) -> Reading:
    """Raises UnsupportedModel, naming the node that is not what the architecture has there."""
    reader = Reader(flow)
    top = _head(reader, head)
    layers, node = _layers(reader, top.source)
    projection = reader.linear_at(node)
    embedded = reader.norm(projection.source if projection else node)
    tables, pad = _tables(anatomy, reader, embedded.source)
    parts = [*_names(anatomy, layers), (anatomy.embedded, embedded)]
    if projection:
        parts.append((anatomy.projection, projection))
    inner = [anatomy.head.inner] if head == "sequence" else []
    parts += zip([*inner, anatomy.classifier(head)], top.linears, strict=True)
    for number, layer in enumerate(layers):
        _check_scale(number, layer.attention)
    return Reading(
        {**tables, **{f"{name}.{leaf}": getattr(part, leaf) for name, part in parts for leaf in ("weight", "bias")}},
        len(layers),
        heads=[layer.attention.heads for layer in layers],
        functions=[layer.function for layer in layers],
        epsilons=[norm.epsilon for layer in layers for norm in (layer.attended, layer.output)] + [embedded.epsilon],
        head_function=top.function,
        pad=pad,
    )


def _head(reader: Reader, head: Head) -> _Head:
    outer = reader.linear(reader.flow.output)
    if head == "token":
        return _Head([outer], None, outer.source)
    function, inner = reader.activated(outer.source)
    return _Head([inner, outer], function, reader.first_token(inner.source))


def _layers(reader: Reader, node: Node) -> tuple[list[Layer], Node]:
    """The layers, first one first, and the node that the first is computed from."""
    layers: list[Layer] = []
    while reader.linear_at(node) is None and reader.residuals((output := reader.norm(node)).source):
        layers.append(_layer(reader, output))
        node = layers[-1].source
    if not layers:
        raise UnsupportedModel("the graph has no encoder layers", where=f"graph node '{node.name}' ({node.op})")
    return layers[::-1], node


def _layer(reader: Reader, output: Norm) -> Layer:
    outer, middle = reader.residual(output.source)
    function, inner = reader.activated(outer.source)
    attended = reader.norm(middle)
    joined, source, attention = _attention(reader, attended)
    same = {inner.source: middle, **{part.source: source for part in (attention.query, attention.key, attention.value)}}
    for found, wanted in same.items():
        if found is not wanted:
            raise UnsupportedModel("the graph is wired otherwise than an encoder", where=f"graph node '{found.name}'")
    return Layer(source, attention, joined, attended, inner, function, outer, output)


def _attention(reader: Reader, attended: Norm) -> tuple[Linear, Node, Attention]:
    """The dense layer on attention, what it was added to, and attention. What it was added to may be the projection of the embeddings."""
    sides = reader.residuals(attended.source)
    if len(sides) > 1:
        for joined, source in sides:
            with suppress(UnsupportedModel):
                return joined, source, read_attention(reader, joined.source)
    joined, source = reader.residual(attended.source)
    return joined, source, read_attention(reader, joined.source)


def _names(anatomy: Anatomy, layers: list[Layer]) -> Iterator[tuple[str, Linear | Norm]]:
    names = anatomy.layer
    for number, layer in enumerate(layers):
        attention = layer.attention
        yield from zip(
            [anatomy.part(number, part) for part in names.projections], (attention.query, attention.key, attention.value), strict=True
        )
        for part in ("joined", "attended", "inner", "outer", "output"):
            yield anatomy.part(number, getattr(names, part)), getattr(layer, part)


def _tables(anatomy: Anatomy, reader: Reader, total: Node) -> tuple[dict[str, TensorSource], int | None]:
    """The embedding tables by name, and the id that positions are counted without."""
    found = {lookup.by: lookup for lookup in map(reader.lookup, reader.terms(total))}
    numbered = "numbers" in found
    names = {"input_ids": anatomy.words, "numbers" if numbered else "positions": anatomy.positions}
    if anatomy.typed:
        names["token_type_ids" if anatomy.asks_types else "zeros"] = anatomy.types
    if found.keys() != names.keys():
        raise UnsupportedModel("the embeddings are not the architecture's", why=f"they are looked up by {', '.join(sorted(found))}")
    return {f"{name}.weight": found[by].table for by, name in names.items()}, found["numbers"].pad if numbered else None


def _check_scale(number: int, attention: Attention) -> None:
    wanted = (attention.query.width / attention.heads) ** -0.5
    if abs(attention.scale - wanted) > _SCALE_TOLERANCE * wanted:
        raise UnsupportedModel(f"layer {number} scales its attention scores by {attention.scale:g}, where {wanted:g} was expected")
