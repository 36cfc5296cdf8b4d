"""XLNet, as an ONNX graph (transformers' XLNetForSequenceClassification and XLNetForTokenClassification).

Source: transformers/models/xlnet/modeling_xlnet.py. Hidden states travel as (batch x sequence, hidden) rows. All that counts of a position
is how far tokens are apart, so texts may be filled up on either side: the token that sums up a text is found by the attention mask.
Where one token is enough, the last layer computes its query, its output and its feed-forward part for that token alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hubclient.models import distances
from hubclient.models.builder import GraphBuilder, Slot
from hubclient.models.family import Head

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_FLOAT = 1  # onnx.TensorProto.DataType
_MASKED = -1e30  # what transformers takes from a masked score
_WORDS = "transformer.word_embedding.weight"
_PROJECTION = re.compile(r"transformer\.layer\.\d+\.rel_attn\.[qkvor]")
_BIAS = re.compile(r"transformer\.layer\.\d+\.rel_attn\.r_[wrs]_bias")


@dataclass(frozen=True)
class XLNetShape:
    """What the graph cannot take from the tensors. `summary` is what stands for a text; `clamp` is None where distances have no limit."""

    head: Head
    layers: int
    heads: int
    size: int
    epsilon: float
    activation: str
    causal: bool
    alone: bool  # causal, and each token sees only itself: `same_length` without a memory
    clamp: int | None
    summary: str
    projected: bool
    summary_activation: str | None


@dataclass(frozen=True)
class _Asking:
    """The tokens whose next hidden states are computed: `positions` and `types` fit (batch, heads, asking, sequence).

    `everything`: they are all tokens; otherwise there is one for each text."""

    rows: str
    positions: str
    types: str
    everything: bool


@dataclass(frozen=True)
class _Common:
    """What all layers share: the sequence's length, its positions 0, 1, 2 …, (sequence,), the distances' encoding, the mask of padding."""

    length: str
    positions: str
    encoding: str
    mask: str


def build(shape: XLNetShape, layout: Mapping[str, Slot], weights_file: str) -> bytes:
    graph = GraphBuilder({name: _seen(name, slot, shape) for name, slot in layout.items()}, weights_file)
    rows = graph.node("Reshape", graph.node("Gather", graph.weight(_WORDS), "input_ids"), graph.integers(-1, _hidden(graph)))
    common = _common(graph, shape)
    asking = _everything(graph, rows, common)
    chosen = None if shape.head == "token" or shape.summary == "mean" else _chosen(graph, common, shape.summary)
    for number in range(shape.layers):
        if chosen is not None and number == shape.layers - 1:
            asking = _one_each(graph, asking.rows, common, chosen)
        rows = _layer(graph, shape, common, asking, rows, f"transformer.layer.{number}")
        asking = replace(asking, rows=rows)
    if shape.head == "token":
        return _token_head(graph, rows)
    summed = _mean(graph, rows) if chosen is None else rows
    if shape.projected:
        summed = graph.linear(summed, "sequence_summary.summary")
    if shape.summary_activation:
        summed = graph.activation(summed, shape.summary_activation)
    logits = graph.linear(summed, "logits_proj", output="logits")
    return graph.finish(INPUTS, logits, graph.shape("logits_proj.bias")[0])


def _seen(name: str, slot: Slot, shape: XLNetShape) -> Slot:
    """The same bytes in a shape that a matrix product, or an addition to (batch, heads, sequence, size), can use as they lie."""
    if _PROJECTION.fullmatch(name):
        return replace(slot, shape=(slot.shape[0], shape.heads * shape.size))
    return replace(slot, shape=(shape.heads, 1, shape.size)) if _BIAS.fullmatch(name) else slot


def _common(graph: GraphBuilder, shape: XLNetShape) -> _Common:
    length = graph.node("Squeeze", distances.length(graph))
    positions = graph.node("Range", graph.integer(0), length, graph.integer(1))
    present = graph.node("Cast", "attention_mask", to=_FLOAT)
    absent = graph.node("Mul", graph.node("Sub", graph.floats(1.0), present), graph.floats(_MASKED))
    return _Common(length, positions, _encoding(graph, shape), graph.node("Unsqueeze", absent, graph.integers(1, 2)))


def _encoding(graph: GraphBuilder, shape: XLNetShape) -> str:
    """(2 x sequence, hidden): sines and cosines of how far back a token lies, for the distances from 1 - sequence on."""
    back = graph.node("Neg", graph.node("Cast", distances.ascending(graph), to=_FLOAT))
    if shape.clamp is not None:
        back = graph.node("Clip", back, graph.floats(-shape.clamp), graph.floats(shape.clamp))
    hidden = _hidden(graph)
    steps = graph.node("Cast", graph.node("Range", graph.integer(0), graph.integer(hidden), graph.integer(2)), to=_FLOAT)
    powers = graph.node("Pow", graph.floats(10000.0), graph.node("Div", steps, graph.floats(hidden)))
    angles = graph.node("Mul", graph.node("Unsqueeze", back, graph.integers(1)), graph.node("Reciprocal", powers))
    return graph.node("Concat", graph.node("Sin", angles), graph.node("Cos", angles), axis=1)


def _everything(graph: GraphBuilder, rows: str, common: _Common) -> _Asking:
    positions = graph.node("Unsqueeze", common.positions, graph.integers(1))
    return _Asking(rows, positions, graph.node("Unsqueeze", "token_type_ids", graph.integers(1, 3)), everything=True)


def _chosen(graph: GraphBuilder, common: _Common, summary: str) -> str:
    """(batch,): where each text's first or last token is."""
    if summary == "first":
        return graph.node("ArgMax", graph.node("Cast", "attention_mask", to=_FLOAT), axis=1, keepdims=0)
    return graph.node("ReduceMax", graph.node("Mul", "attention_mask", common.positions), axes=[1], keepdims=0)


def _one_each(graph: GraphBuilder, rows: str, common: _Common, chosen: str) -> _Asking:
    batch = graph.node("Squeeze", graph.node("Shape", "input_ids", start=0, end=1))
    texts = graph.node("Range", graph.integer(0), batch, graph.integer(1))
    index = graph.node("Add", graph.node("Mul", texts, common.length), chosen)
    types = graph.node("Gather", graph.node("Reshape", "token_type_ids", graph.integers(-1)), index)
    return _Asking(graph.node("Gather", rows, index), _spread(graph, chosen), _spread(graph, types), everything=False)


def _spread(graph: GraphBuilder, values: str) -> str:
    """(batch,) -> (batch, 1, 1, 1)."""
    return graph.node("Unsqueeze", values, graph.integers(1, 2, 3))


def _layer(graph: GraphBuilder, shape: XLNetShape, common: _Common, asking: _Asking, rows: str, name: str) -> str:
    context = _attention(graph, shape, common, asking, rows, f"{name}.rel_attn")
    joined = graph.node("Gemm", context, graph.weight(f"{name}.rel_attn.o"), transB=1)
    attended = graph.layer_norm(graph.node("Add", joined, asking.rows), f"{name}.rel_attn.layer_norm", shape.epsilon)
    inner = graph.activation(graph.linear(attended, f"{name}.ff.layer_1"), shape.activation)
    output = graph.node("Add", graph.linear(inner, f"{name}.ff.layer_2"), attended)
    return graph.layer_norm(output, f"{name}.ff.layer_norm", shape.epsilon)


def _attention(graph: GraphBuilder, shape: XLNetShape, common: _Common, asking: _Asking, rows: str, name: str) -> str:
    """The context of the asking tokens, as rows (…, heads x size)."""
    batch = graph.node("Shape", "input_ids", start=0, end=1)
    split = graph.node("Concat", batch, graph.integers(-1, shape.heads, shape.size), axis=0)

    def heads(source: str, part: str, order: list[int]) -> str:
        projected = graph.node("MatMul", source, graph.weight(f"{name}.{part}"))
        return graph.node("Transpose", graph.node("Reshape", projected, split), perm=order)

    query, key, value = heads(asking.rows, "q", [0, 2, 1, 3]), heads(rows, "k", [0, 2, 3, 1]), heads(rows, "v", [0, 2, 1, 3])

    def questions(bias: str) -> str:
        total = graph.node("Add", query, graph.weight(f"{name}.{bias}"))
        return graph.node("Mul", total, graph.floats(shape.size**-0.5))

    by_content = graph.node("MatMul", questions("r_w_bias"), key)
    by_distance = _by_distance(graph, shape, common, asking, questions("r_r_bias"), name)
    by_segment = _by_segment(graph, asking, questions("r_s_bias"), name)
    scores = graph.node("Add", graph.node("Add", by_content, by_distance), by_segment)
    weights = graph.node("Softmax", graph.node("Add", scores, _mask(graph, shape, common, asking)), axis=-1)
    context = graph.node("Transpose", graph.node("MatMul", weights, value), perm=[0, 2, 1, 3])
    return graph.node("Reshape", context, graph.integers(-1, shape.heads * shape.size))


def _by_distance(graph: GraphBuilder, shape: XLNetShape, common: _Common, asking: _Asking, questions: str, name: str) -> str:
    """The score of position j, asked from i, stands in column j - i + sequence - 1 of questions times distances."""
    projected = graph.node("MatMul", common.encoding, graph.weight(f"{name}.r"))
    keys = graph.node("Transpose", graph.node("Reshape", projected, graph.integers(-1, shape.heads, shape.size)), perm=[1, 2, 0])
    scores = graph.node("MatMul", questions, keys)
    if asking.everything:
        return distances.laid_out(graph, scores)
    columns = graph.node("Add", graph.node("Sub", common.positions, asking.positions), graph.node("Sub", common.length, graph.integer(1)))
    wanted = graph.node("Concat", graph.node("Shape", "input_ids", start=0, end=1), graph.integers(shape.heads, 1, 1), axis=0)
    return graph.node("GatherElements", scores, graph.node("Expand", columns, wanted), axis=3)


def _by_segment(graph: GraphBuilder, asking: _Asking, questions: str, name: str) -> str:
    """What is added where types differ. What transformers adds where they do not is the same for all that a token asks, and left out."""
    table = graph.weight(f"{name}.seg_embed")
    same, other = (graph.node("Gather", table, graph.integer(row)) for row in (0, 1))
    change = graph.node("MatMul", questions, graph.node("Unsqueeze", graph.node("Sub", other, same), graph.integers(2)))
    alike = graph.node("Equal", asking.types, graph.node("Unsqueeze", "token_type_ids", graph.integers(1, 2)))
    return graph.node("Mul", change, graph.node("Cast", graph.node("Not", alike), to=_FLOAT))


def _mask(graph: GraphBuilder, shape: XLNetShape, common: _Common, asking: _Asking) -> str:
    if not shape.causal:
        return common.mask
    later = graph.node("Greater", common.positions, asking.positions)
    hidden = graph.node("Not", graph.node("Equal", common.positions, asking.positions)) if shape.alone else later
    return graph.node("Add", common.mask, graph.node("Mul", graph.node("Cast", hidden, to=_FLOAT), graph.floats(_MASKED)))


def _mean(graph: GraphBuilder, rows: str) -> str:
    """(batch, hidden): over the tokens of each text."""
    batch = graph.node("Shape", "input_ids", start=0, end=1)
    shaped = graph.node("Reshape", rows, graph.node("Concat", batch, graph.integers(-1, _hidden(graph)), axis=0))
    present = graph.node("Cast", "attention_mask", to=_FLOAT)
    share = graph.node("Div", present, graph.node("ReduceSum", present, graph.integers(1), keepdims=1))
    return graph.node("Squeeze", graph.node("MatMul", graph.node("Unsqueeze", share, graph.integers(1)), shaped), graph.integers(1))


def _token_head(graph: GraphBuilder, rows: str) -> bytes:
    classes = graph.shape("classifier.bias")[0]
    wanted = graph.node("Concat", graph.node("Shape", "input_ids"), graph.integers(classes), axis=0)
    logits = graph.node("Reshape", graph.linear(rows, "classifier"), wanted, outputs=["logits"])
    return graph.finish(INPUTS, logits, classes, per_token=True)


def _hidden(graph: GraphBuilder) -> int:
    return graph.shape(_WORDS)[1]
