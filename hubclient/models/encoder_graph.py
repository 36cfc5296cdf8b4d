"""BERT and its like with a classification head, as an ONNX graph.

Hidden states travel as (batch x sequence, hidden) rows, so that each linear layer is one matrix product on the weights as they lie.
Where only the first token reaches the head, the last layer computes its query, its output and its feed-forward part for that token alone.

Source: transformers/models/{bert,roberta,electra,distilbert}/modeling_*.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from hubclient.models.builder import GraphBuilder, Slot
from hubclient.models.encoder_anatomy import Anatomy, Settings

_MASKED = -3.4028234663852886e38  # the lowest float32: a masked score's softmax is exactly zero
_INT64 = 7  # onnx.TensorProto.DataType


def build(anatomy: Anatomy, settings: Settings, layout: Mapping[str, Slot], weights_file: str) -> bytes:
    return EncoderGraph(anatomy, settings, GraphBuilder(layout, weights_file)).build()


class EncoderGraph:
    def __init__(self, anatomy: Anatomy, settings: Settings, graph: GraphBuilder) -> None:
        self.anatomy = anatomy
        self.settings = settings
        self.graph = graph

    def build(self) -> bytes:
        rows, mask, last = self._embeddings(), self._mask(), self.settings.layers - 1
        for layer in range(last):
            rows = self._layer(layer, rows, rows, mask)
        classes = self.graph.shape(f"{self.anatomy.classifier(self.settings.head)}.bias")[0]
        if self.settings.head == "token":
            self._token_head(self._layer(last, rows, rows, mask))
            return self.graph.finish(self.anatomy.inputs, "logits", classes, per_token=True)
        self._sequence_head(self._layer(last, self._first(rows), rows, mask))
        return self.graph.finish(self.anatomy.inputs, "logits", classes)

    def _embeddings(self) -> str:
        graph, anatomy = self.graph, self.anatomy
        total = graph.node("Gather", graph.weight(f"{anatomy.words}.weight"), "input_ids")
        if anatomy.typed:
            index = "token_type_ids" if anatomy.asks_types else graph.integer(0)
            total = graph.node("Add", total, graph.node("Gather", graph.weight(f"{anatomy.types}.weight"), index))
        total = graph.node("Add", total, self._positions(graph.weight(f"{anatomy.positions}.weight")))
        normed = graph.layer_norm(total, anatomy.embedded, self.settings.epsilon)
        rows = graph.node("Reshape", normed, graph.integers(-1, self.settings.embedded))
        return rows if self.settings.embedded == self.settings.hidden else graph.linear(rows, anatomy.projection)

    def _positions(self, table: str) -> str:
        """The rows of the position table: from the first on, or, where padding is not counted, of each token's number among the others."""
        graph, pad = self.graph, self.settings.pad
        if pad is None:
            return graph.node("Slice", table, graph.integers(0), graph.node("Shape", "input_ids", start=1, end=2), graph.integers(0))
        present = graph.node("Cast", graph.node("Not", graph.node("Equal", "input_ids", graph.integer(pad))), to=_INT64)
        counted = graph.node("Mul", graph.node("CumSum", present, graph.integer(1)), present)
        return graph.node("Gather", table, graph.node("Add", counted, graph.integer(pad)))

    def _mask(self) -> str:
        """What is added to the scores (batch, heads, query, key): 0 where a token is, the lowest float where padding is."""
        graph = self.graph
        present = graph.node("Cast", "attention_mask", to=1)
        absent = graph.node("Mul", graph.node("Sub", graph.floats(1.0), present), graph.floats(_MASKED))
        return graph.node("Unsqueeze", absent, graph.integers(1, 2))

    def _layer(self, layer: int, asking: str, rows: str, mask: str) -> str:
        """The layer's result for the rows that ask, of which each heeds all `rows` of its text."""
        graph, names, epsilon = self.graph, self.anatomy.layer, self.settings.epsilon

        def name(part: str) -> str:
            return self.anatomy.part(layer, part)

        context = self._attention(layer, asking, rows, mask)
        attended = graph.node("Add", graph.linear(context, name(names.joined)), asking)
        attended = graph.layer_norm(attended, name(names.attended), epsilon)
        inner = graph.activation(graph.linear(attended, name(names.inner)), self.settings.function)
        output = graph.node("Add", graph.linear(inner, name(names.outer)), attended)
        return graph.layer_norm(output, name(names.output), epsilon)

    def _attention(self, layer: int, asking: str, rows: str, mask: str) -> str:
        graph, names = self.graph, self.anatomy.layer
        size = self.settings.hidden // self.settings.heads
        split = graph.node("Concat", self._batch(), graph.integers(-1, self.settings.heads, size), axis=0)

        def heads(source: str, part: str, order: list[int]) -> str:
            projected = graph.linear(source, self.anatomy.part(layer, part))
            return graph.node("Transpose", graph.node("Reshape", projected, split), perm=order)

        query, key = heads(asking, names.query, [0, 2, 1, 3]), heads(rows, names.key, [0, 2, 3, 1])
        value = heads(rows, names.value, [0, 2, 1, 3])
        scores = graph.node("Mul", graph.node("MatMul", query, key), graph.floats(size**-0.5))
        weights = graph.node("Softmax", graph.node("Add", scores, mask), axis=-1)
        context = graph.node("Transpose", graph.node("MatMul", weights, value), perm=[0, 2, 1, 3])
        return graph.node("Reshape", context, graph.integers(-1, self.settings.hidden))

    def _first(self, rows: str) -> str:
        """(batch x sequence, hidden) -> (batch, hidden): the row of each text's first token."""
        graph = self.graph
        shape = graph.node("Concat", self._batch(), graph.integers(-1, self.settings.hidden), axis=0)
        return graph.node("Gather", graph.node("Reshape", rows, shape), graph.integer(0), axis=1)

    def _batch(self) -> str:
        return self.graph.node("Shape", "input_ids", start=0, end=1)

    def _sequence_head(self, rows: str) -> None:
        head = self.anatomy.head
        pooled = self.graph.activation(self.graph.linear(rows, head.inner), head.function)
        self.graph.linear(pooled, head.outer, output="logits")

    def _token_head(self, rows: str) -> None:
        graph = self.graph
        answers = graph.linear(rows, self.anatomy.tagger)
        shape = graph.node("Concat", graph.node("Shape", "input_ids"), graph.integers(-1), axis=0)
        graph.node("Reshape", answers, shape, outputs=["logits"])
