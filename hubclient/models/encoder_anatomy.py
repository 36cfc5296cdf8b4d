"""What BERT and its like are made of: embeddings, layers that are normed after each half, and a head. What differs between them is data.

All names are those of transformers' PyTorch checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hubclient.models.family import Head


@dataclass(frozen=True)
class LayerNames:
    """What the parts of one layer are called, below the layer's own name."""

    query: str = "attention.self.query"
    key: str = "attention.self.key"
    value: str = "attention.self.value"
    joined: str = "attention.output.dense"
    attended: str = "attention.output.LayerNorm"
    inner: str = "intermediate.dense"
    outer: str = "output.dense"
    output: str = "output.LayerNorm"

    @property
    def projections(self) -> tuple[str, str, str]:
        return self.query, self.key, self.value


@dataclass(frozen=True)
class HeadNames:
    """A head on the first token: two dense layers, and the activation function between them, by its transformers name."""

    inner: str
    function: str
    outer: str


@dataclass(frozen=True)
class Anatomy:
    """`base` is the name of the base model, `tagger` that of the dense layer that answers for each token. `typed` says whether there is a
    table of token types, `asks_types` whether these are an input.
    """

    base: str
    head: HeadNames
    layers: str = "encoder.layer"
    layer: LayerNames = LayerNames()
    typed: bool = True
    asks_types: bool = True
    tagger: str = "classifier"

    @property
    def words(self) -> str:
        return f"{self.base}.embeddings.word_embeddings"

    @property
    def positions(self) -> str:
        return f"{self.base}.embeddings.position_embeddings"

    @property
    def types(self) -> str:
        return f"{self.base}.embeddings.token_type_embeddings"

    @property
    def embedded(self) -> str:
        """The layer norm of the embeddings."""
        return f"{self.base}.embeddings.LayerNorm"

    @property
    def projection(self) -> str:
        """The dense layer from the embeddings' width to the layers', where these differ."""
        return f"{self.base}.embeddings_project"

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("input_ids", "attention_mask", "token_type_ids") if self.asks_types else ("input_ids", "attention_mask")

    def part(self, layer: int, name: str) -> str:
        return f"{self.base}.{self.layers}.{layer}.{name}"

    def classifier(self, head: Head) -> str:
        """The last dense layer."""
        return self.head.outer if head == "sequence" else self.tagger

    def norms(self, layers: int) -> Iterator[str]:
        yield self.embedded
        for layer in range(layers):
            yield self.part(layer, self.layer.attended)
            yield self.part(layer, self.layer.output)


@dataclass(frozen=True)
class Settings:
    """What tells one encoder of an anatomy from another.

    `vocabulary`, `positions` and `types` are the rows of the tables, `embedded` is their width; `pad` is the id that positions are counted
    without, None where all tokens are counted.
    """

    vocabulary: int
    positions: int
    types: int
    embedded: int
    hidden: int
    inner: int
    layers: int
    heads: int
    epsilon: float
    function: str
    pad: int | None
    head: Head

    @property
    def longest(self) -> int:
        """How many tokens a text may have."""
        return self.positions if self.pad is None else self.positions - self.pad - 1


def tensor_shapes(anatomy: Anatomy, settings: Settings, labels: int) -> dict[str, tuple[int, ...]]:
    """Every tensor with its shape."""
    shapes: dict[str, tuple[int, ...]] = {}

    def linear(name: str, outputs: int, inputs: int) -> None:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (outputs, inputs), (outputs,)

    def norm(name: str, width: int) -> None:
        shapes[f"{name}.weight"] = shapes[f"{name}.bias"] = (width,)

    hidden, names = settings.hidden, anatomy.layer
    shapes[f"{anatomy.words}.weight"] = (settings.vocabulary, settings.embedded)
    shapes[f"{anatomy.positions}.weight"] = (settings.positions, settings.embedded)
    if anatomy.typed:
        shapes[f"{anatomy.types}.weight"] = (settings.types, settings.embedded)
    norm(anatomy.embedded, settings.embedded)
    if settings.embedded != hidden:
        linear(anatomy.projection, hidden, settings.embedded)
    for layer in range(settings.layers):
        for part in (*names.projections, names.joined):
            linear(anatomy.part(layer, part), hidden, hidden)
        linear(anatomy.part(layer, names.inner), settings.inner, hidden)
        linear(anatomy.part(layer, names.outer), hidden, settings.inner)
        norm(anatomy.part(layer, names.attended), hidden)
        norm(anatomy.part(layer, names.output), hidden)
    if settings.head == "sequence":
        linear(anatomy.head.inner, hidden, hidden)
    linear(anatomy.classifier(settings.head), labels, hidden)
    return shapes
