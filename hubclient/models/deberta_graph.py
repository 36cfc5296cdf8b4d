"""DeBERTa-v2 and v3 with a classification head, as an ONNX graph.

Hidden states travel as (batch x sequence, hidden) rows, so that each linear layer is one matrix product on the weights as they lie.
Scores of content and position are laid out by distance: each query meets one key of position for each distance that its text can have, and
not the whole table (each key likewise, and then turned). The table's projections depend on nothing but weights, and runtimes work them out
when the model is opened. Where only the first token is asked for, the last layer computes its query, its output and its feed-forward
part for that token alone.

Source: transformers/models/deberta_v2/modeling_deberta_v2.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hubclient.models import distances
from hubclient.models.builder import GraphBuilder, Slot
from hubclient.models.deberta_settings import OWN, SHARED, Convolution, Deberta, Relative

_MASKED = -3.4028234663852886e38  # the lowest float32: a masked score's softmax is exactly zero
_FLOAT = 1  # onnx.TensorProto.DataType


@dataclass(frozen=True)
class Positions:
    """The table of distances, and which of its rows belongs to each distance from 1 - length on, and to each from length - 1 down."""

    table: str
    rising: str
    falling: str


@dataclass(frozen=True)
class Common:
    """What all layers need. `present` is 1 in the row of a token and 0 in that of padding; `mask` is what is added to scores."""

    model: Deberta
    present: str
    mask: str
    positions: Positions | None


def build(model: Deberta, layout: Mapping[str, Slot], weights_file: str) -> bytes:
    graph = GraphBuilder(layout, weights_file)
    common = _common(graph, model)
    rows = embedded = _embeddings(graph, common)
    for number in range(model.layers):
        mixing = model.convolution if number == 0 else None
        first_only = model.head == "sequence" and number == model.layers - 1 and mixing is None
        rows = _layer(graph, common, rows, f"deberta.encoder.layer.{number}", first_only=first_only)
        if mixing:
            rows = _mixed(graph, common, mixing, embedded, rows)
            rows = _first_rows(graph, model, rows) if model.head == "sequence" and model.layers == 1 else rows
    return _answer(graph, model, rows)


def _answer(graph: GraphBuilder, model: Deberta, rows: str) -> bytes:
    inputs = ("input_ids", "attention_mask", *(["token_type_ids"] if model.types else []))
    classes = graph.shape("classifier.bias")[0]
    if model.head == "token":
        wanted = graph.node("Concat", graph.node("Shape", "input_ids"), graph.integers(classes), axis=0)
        logits = graph.node("Reshape", graph.linear(rows, "classifier"), wanted, outputs=["logits"])
        return graph.finish(inputs, logits, classes, per_token=True)
    pooled = graph.activation(graph.linear(rows, "pooler.dense"), model.pooler)
    return graph.finish(inputs, graph.linear(pooled, "classifier", output="logits"), classes)


def _common(graph: GraphBuilder, model: Deberta) -> Common:
    present = graph.node("Cast", "attention_mask", to=_FLOAT)
    absent = graph.node("Mul", graph.node("Sub", graph.floats(1.0), present), graph.floats(_MASKED))
    return Common(
        model=model,
        present=graph.node("Reshape", present, graph.integers(-1, 1)),
        mask=graph.node("Unsqueeze", absent, graph.integers(1, 2)),
        positions=_positions(graph, model, model.relative) if model.relative else None,
    )


def _embeddings(graph: GraphBuilder, common: Common) -> str:
    model, name = common.model, "deberta.embeddings"
    total = graph.node("Gather", graph.weight(f"{name}.word_embeddings.weight"), "input_ids")
    if model.positions:
        table = graph.weight(f"{name}.position_embeddings.weight")
        total = graph.node("Add", total, graph.node("Slice", table, graph.integers(0), distances.length(graph), graph.integers(0)))
    if model.types:
        total = graph.node("Add", total, graph.node("Gather", graph.weight(f"{name}.token_type_embeddings.weight"), "token_type_ids"))
    rows = graph.node("Reshape", total, graph.integers(-1, model.embedding))
    if model.embedding != model.hidden:
        rows = graph.node("Gemm", rows, graph.weight(f"{name}.embed_proj.weight"), transB=1)
    return graph.node("Mul", graph.layer_norm(rows, f"{name}.LayerNorm", model.epsilon), common.present)


def _layer(graph: GraphBuilder, common: Common, rows: str, name: str, *, first_only: bool) -> str:
    model = common.model
    asking = _first_rows(graph, model, rows) if first_only else rows
    context = _attention(graph, common, asking, rows, f"{name}.attention.self", first_only=first_only)
    attended = graph.node("Add", graph.linear(context, f"{name}.attention.output.dense"), asking)
    attended = graph.layer_norm(attended, f"{name}.attention.output.LayerNorm", model.epsilon)
    inner = graph.activation(graph.linear(attended, f"{name}.intermediate.dense"), model.function)
    output = graph.node("Add", graph.linear(inner, f"{name}.output.dense"), attended)
    return graph.layer_norm(output, f"{name}.output.LayerNorm", model.epsilon)


def _attention(graph: GraphBuilder, common: Common, asking: str, rows: str, name: str, *, first_only: bool) -> str:
    model = common.model
    size = model.hidden // model.heads
    batch = graph.node("Shape", "input_ids", start=0, end=1)
    split = graph.node("Concat", batch, graph.integers(-1, model.heads, size), axis=0)

    def heads(source: str, part: str) -> str:
        shaped = graph.node("Reshape", graph.linear(source, f"{name}.{part}"), split)
        return graph.node("Transpose", shaped, perm=[0, 2, 1, 3])

    query, key, value = heads(asking, "query_proj"), heads(rows, "key_proj"), heads(rows, "value_proj")
    scores = graph.node("MatMul", query, graph.node("Transpose", key, perm=[0, 1, 3, 2]))
    if model.relative and common.positions:
        names = SHARED if model.relative.shared else OWN
        for term in model.relative.terms:
            table = graph.linear(common.positions.table, f"{name}.{names[term]}")
            scored = _first_term if first_only else _term
            scores = graph.node("Add", scores, scored(graph, model, term, query if term == "c2p" else key, table, common.positions))
    scores = graph.node("Mul", scores, graph.floats((size * model.parts) ** -0.5))
    weights = graph.node("Softmax", graph.node("Add", scores, common.mask), axis=-1)
    context = graph.node("Transpose", graph.node("MatMul", weights, value), perm=[0, 2, 1, 3])
    return graph.node("Reshape", context, graph.integers(-1, model.hidden))


def _positions(graph: GraphBuilder, model: Deberta, relative: Relative) -> Positions:
    """Every layer takes rows of the same table, by the same distances."""
    table = graph.weight("deberta.encoder.rel_embeddings.weight")
    if relative.normed:
        table = graph.layer_norm(table, "deberta.encoder.LayerNorm", model.epsilon)
    rising = distances.ascending(graph)
    return Positions(table, table_rows(graph, relative, rising), table_rows(graph, relative, graph.node("Neg", rising)))


def table_rows(graph: GraphBuilder, relative: Relative, apart: str) -> str:
    """The table's row for each distance, query minus key."""
    if relative.buckets:
        edge = relative.buckets // 2
        bucket = distances.bucketed(graph, graph.node("Abs", apart), edge, borders(relative))
        apart = graph.node("Mul", graph.node("Sign", apart), bucket)
    row = graph.node("Add", apart, graph.integer(relative.span))
    return graph.node("Clip", row, graph.integer(0), graph.integer(2 * relative.span - 1))


def borders(relative: Relative) -> list[int]:
    """Where the buckets begin that stand for more than one distance: make_log_bucket_position, turned around."""
    import numpy as np

    middle = relative.buckets // 2
    whole = distances.logarithm((relative.furthest - 1) / middle)

    def bucket(distance: int) -> int:
        share = distances.logarithm(distance / middle) / whole
        return int(np.ceil(share * np.float32(middle - 1))) + middle

    return distances.borders(bucket, middle, relative.span)


def _term(graph: GraphBuilder, model: Deberta, term: str, content: str, table: str, positions: Positions) -> str:
    """Content (batch, heads, sequence, size) and the positions at each distance: what is added to the scores (…, query, key)."""
    of_queries = term == "c2p"
    rows = graph.node("Gather", table, positions.falling if of_queries else positions.rising, axis=0)
    shaped = graph.node("Reshape", rows, graph.integers(-1, model.heads, model.hidden // model.heads))
    by_distance = graph.node("MatMul", content, graph.node("Transpose", shaped, perm=[1, 2, 0]))
    found = distances.laid_out(graph, by_distance)
    return found if of_queries else graph.node("Transpose", found, perm=[0, 1, 3, 2])


def _first_term(graph: GraphBuilder, model: Deberta, term: str, content: str, table: str, positions: Positions) -> str:
    """As `_term`, for the first query alone: its distances to the keys are 0, -1, -2 …, one for each."""
    length = distances.length(graph)
    start = graph.node("Sub", length, graph.integers(1))
    chosen = graph.node("Slice", positions.falling, start, graph.node("Add", start, length), graph.integers(0))
    rows = graph.node("Gather", table, chosen, axis=0)
    shaped = graph.node("Reshape", rows, graph.integers(-1, model.heads, model.hidden // model.heads))
    if term == "c2p":
        return graph.node("MatMul", content, graph.node("Transpose", shaped, perm=[1, 2, 0]))
    each = graph.node("Mul", content, graph.node("Transpose", shaped, perm=[1, 0, 2]))
    return graph.node("Unsqueeze", graph.node("ReduceSum", each, graph.integers(-1), keepdims=0), graph.integers(2))


def _mixed(graph: GraphBuilder, common: Common, mixing: Convolution, embedded: str, rows: str) -> str:
    """The first layer's result plus a convolution of what it was given; padding is nothing in both."""
    model, name = common.model, "deberta.encoder.conv"
    batch = graph.node("Shape", "input_ids", start=0, end=1)
    shaped = graph.node("Reshape", embedded, graph.node("Concat", batch, graph.integers(-1, model.hidden), axis=0))
    across = graph.node("Transpose", shaped, perm=[0, 2, 1])
    weights = (graph.weight(f"{name}.conv.weight"), graph.weight(f"{name}.conv.bias"))
    found = graph.node("Conv", across, *weights, pads=[mixing.size // 2] * 2, group=mixing.groups)
    flat = graph.node("Reshape", graph.node("Transpose", found, perm=[0, 2, 1]), graph.integers(-1, model.hidden))
    added = graph.activation(graph.node("Mul", flat, common.present), mixing.function)
    total = graph.node("Add", rows, added)
    return graph.node("Mul", graph.layer_norm(total, f"{name}.LayerNorm", model.epsilon), common.present)


def _first_rows(graph: GraphBuilder, model: Deberta, rows: str) -> str:
    """(batch x sequence, hidden) -> (batch, hidden): the row of each text's first token."""
    batch = graph.node("Shape", "input_ids", start=0, end=1)
    shaped = graph.node("Reshape", rows, graph.node("Concat", batch, graph.integers(-1, model.hidden), axis=0))
    return graph.node("Gather", shaped, graph.integer(0), axis=1)
