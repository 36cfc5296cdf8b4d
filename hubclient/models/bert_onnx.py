"""BERT with a sequence classification head, read back from an ONNX dataflow: from the logits to the embeddings.

Source: transformers/models/bert/modeling_bert.py, whose structure every exporter keeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubclient.errors import UnsupportedModel
from hubclient.models.family import TensorSource
from hubclient.models.onnx import Linear, Norm, Reader
from hubclient.models.onnx_attention import Attention, read_attention

if TYPE_CHECKING:
    from hubclient.archive.onnxmodel import Dataflow, Node

_TABLES = {"input_ids": "word_embeddings", "positions": "position_embeddings", "token_type_ids": "token_type_embeddings"}


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
class Bert:
    """`tables` have transformers' names; `layers` come in their order."""

    tables: dict[str, TensorSource]
    embedded: Norm
    layers: tuple[Layer, ...]
    pooler: Linear
    classifier: Linear

    @property
    def norms(self) -> list[Norm]:
        return [self.embedded, *(norm for layer in self.layers for norm in (layer.attended, layer.output))]

    def tensors(self) -> Iterator[tuple[str, TensorSource]]:
        """Hugging Face's name of each tensor, and where it is."""
        for table, source in self.tables.items():
            yield f"bert.embeddings.{table}.weight", source
        yield from _named("bert.embeddings.LayerNorm", self.embedded)
        for number, layer in enumerate(self.layers):
            name = f"bert.encoder.layer.{number}"
            for part in ("query", "key", "value"):
                yield from _named(f"{name}.attention.self.{part}", getattr(layer.attention, part))
            yield from _named(f"{name}.attention.output.dense", layer.joined)
            yield from _named(f"{name}.attention.output.LayerNorm", layer.attended)
            yield from _named(f"{name}.intermediate.dense", layer.inner)
            yield from _named(f"{name}.output.dense", layer.outer)
            yield from _named(f"{name}.output.LayerNorm", layer.output)
        yield from _named("bert.pooler.dense", self.pooler)
        yield from _named("classifier", self.classifier)


def read(flow: Dataflow) -> Bert:
    """Raises UnsupportedModel, naming the node that is not what BERT has there."""
    reader = Reader(flow)
    classifier = reader.linear(flow.output)
    function, pooler = reader.activated(classifier.source)
    if function != "tanh":
        raise UnsupportedModel(f"the pooler's activation function is {function} and not tanh")
    node = reader.first_token(pooler.source)
    layers: list[Layer] = []
    while len(reader.terms((output := reader.norm(node)).source)) == 2:
        layers.append(_layer(reader, output))
        node = layers[-1].source
    if not layers:
        raise UnsupportedModel("the graph has no encoder layers", where=f"graph node '{node.name}' ({node.op})")
    return Bert(_tables(reader, output.source), output, tuple(reversed(layers)), pooler, classifier)


def _layer(reader: Reader, output: Norm) -> Layer:
    outer, middle = reader.residual(output.source)
    function, inner = reader.activated(outer.source)
    attended = reader.norm(middle)
    joined, source = reader.residual(attended.source)
    attention = read_attention(reader, joined.source)
    same = {inner.source: middle, **{part.source: source for part in (attention.query, attention.key, attention.value)}}
    for found, wanted in same.items():
        if found is not wanted:
            raise UnsupportedModel("the graph is wired otherwise than BERT's encoder", where=f"graph node '{found.name}'")
    return Layer(source, attention, joined, attended, inner, function, outer, output)


def _tables(reader: Reader, total: Node) -> dict[str, TensorSource]:
    found = dict(reader.lookup(term) for term in reader.terms(total))
    if found.keys() != _TABLES.keys():
        raise UnsupportedModel("the embeddings are not BERT's", why=f"they are looked up by {', '.join(sorted(found))}")
    return {table: found[by] for by, table in _TABLES.items()}


def _named(name: str, part: Linear | Norm) -> Iterator[tuple[str, TensorSource]]:
    yield f"{name}.weight", part.weight
    yield f"{name}.bias", part.bias
