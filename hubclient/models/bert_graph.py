"""BERT with a sequence classification head, as an ONNX graph (transformers' BertForSequenceClassification).

Hidden states travel as (batch x sequence, hidden) rows, so that each linear layer is one matrix product on the weights as they lie.
Only the first token reaches the pooler: the last layer computes its query, its output and its feed-forward part for that token alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hubclient.models.builder import GraphBuilder, Slot

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_MASKED = -3.4028234663852886e38  # the lowest float32: a masked score's softmax is exactly zero


@dataclass(frozen=True)
class BertShape:
    """What the graph cannot take from the tensors."""

    layers: int
    heads: int
    epsilon: float
    activation: str


def build(shape: BertShape, layout: Mapping[str, Slot], weights_file: str) -> bytes:
    graph = GraphBuilder(layout, weights_file)
    rows = _embeddings(graph, shape)
    mask = _mask(graph)
    for layer in range(shape.layers):
        rows = _layer(graph, shape, rows, mask, f"bert.encoder.layer.{layer}", first_only=layer == shape.layers - 1)
    pooled = graph.node("Tanh", graph.linear(rows, "bert.pooler.dense"))
    logits = graph.linear(pooled, "classifier", output="logits")
    return graph.finish(INPUTS, logits, graph.shape("classifier.bias")[0])


def _embeddings(graph: GraphBuilder, shape: BertShape) -> str:
    length = graph.node("Shape", "input_ids", start=1, end=2)
    positions = graph.node(
        "Slice", graph.weight("bert.embeddings.position_embeddings.weight"), graph.integers(0), length, graph.integers(0)
    )
    words = graph.node("Gather", graph.weight("bert.embeddings.word_embeddings.weight"), "input_ids")
    types = graph.node("Gather", graph.weight("bert.embeddings.token_type_embeddings.weight"), "token_type_ids")
    total = graph.node("Add", graph.node("Add", words, types), positions)
    normed = graph.layer_norm(total, "bert.embeddings.LayerNorm", shape.epsilon)
    return graph.node("Reshape", normed, graph.integers(-1, _hidden(graph)))


def _mask(graph: GraphBuilder) -> str:
    """What is added to the scores (batch, heads, query, key): 0 where a token is, the lowest float where padding is."""
    present = graph.node("Cast", "attention_mask", to=1)
    absent = graph.node("Mul", graph.node("Sub", graph.floats(1.0), present), graph.floats(_MASKED))
    return graph.node("Unsqueeze", absent, graph.integers(1, 2))


def _layer(graph: GraphBuilder, shape: BertShape, rows: str, mask: str, name: str, *, first_only: bool) -> str:
    asking = _first_rows(graph, rows) if first_only else rows
    context = _attention(graph, shape, asking, rows, mask, f"{name}.attention.self")
    attended = graph.node("Add", graph.linear(context, f"{name}.attention.output.dense"), asking)
    attended = graph.layer_norm(attended, f"{name}.attention.output.LayerNorm", shape.epsilon)
    inner = graph.activation(graph.linear(attended, f"{name}.intermediate.dense"), shape.activation)
    output = graph.node("Add", graph.linear(inner, f"{name}.output.dense"), attended)
    return graph.layer_norm(output, f"{name}.output.LayerNorm", shape.epsilon)


def _attention(graph: GraphBuilder, shape: BertShape, asking: str, rows: str, mask: str, name: str) -> str:
    hidden = _hidden(graph)
    size = hidden // shape.heads
    batch = graph.node("Shape", "input_ids", start=0, end=1)
    split = graph.node("Concat", batch, graph.integers(-1, shape.heads, size), axis=0)

    def heads(source: str, part: str, order: list[int]) -> str:
        projected = graph.linear(source, f"{name}.{part}")
        return graph.node("Transpose", graph.node("Reshape", projected, split), perm=order)

    query, key, value = heads(asking, "query", [0, 2, 1, 3]), heads(rows, "key", [0, 2, 3, 1]), heads(rows, "value", [0, 2, 1, 3])
    scores = graph.node("Mul", graph.node("MatMul", query, key), graph.floats(size**-0.5))
    weights = graph.node("Softmax", graph.node("Add", scores, mask), axis=-1)
    context = graph.node("Transpose", graph.node("MatMul", weights, value), perm=[0, 2, 1, 3])
    return graph.node("Reshape", context, graph.integers(-1, hidden))


def _first_rows(graph: GraphBuilder, rows: str) -> str:
    """(batch x sequence, hidden) -> (batch, hidden): the row of each text's first token."""
    batch = graph.node("Shape", "input_ids", start=0, end=1)
    shaped = graph.node("Reshape", rows, graph.node("Concat", batch, graph.integers(-1, _hidden(graph)), axis=0))
    return graph.node("Gather", shaped, graph.integer(0), axis=1)


def _hidden(graph: GraphBuilder) -> int:
    return graph.shape("bert.embeddings.word_embeddings.weight")[1]
