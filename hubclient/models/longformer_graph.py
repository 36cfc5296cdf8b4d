"""Longformer's graph: that of any encoder, with attention to a window of tokens on both sides, and to the first token from everywhere.

A token heeds those at most half a window away. Where one answer is given for a text, its first token is heeded by all, and itself heeds
all with projections of its own; it is then no part of the windows. transformers cuts overlapping pieces out of a text that it has filled up
to a multiple of the window. Here each piece of half a window asks itself and the pieces before and after it, which are looked up; what is
too far away, outside the text, or padding is masked. The result is the same, and memory grows with the length of the text alone. A text of
up to three halves of a window is one piece: to look up its neighbours would cost more (300 tokens: 0.33 s in one piece, 0.42 s in two).

Source: transformers/models/longformer/modeling_longformer.py, LongformerSelfAttention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hubclient.models.builder import GraphBuilder
from hubclient.models.encoder_anatomy import Anatomy, Settings
from hubclient.models.encoder_graph import EncoderGraph

_MASKED = -3.4028234663852886e38  # the lowest float32: a masked score's softmax is exactly zero
_WHOLE = 3  # up to how many halves of a window a text is one piece
_END = (1 << 63) - 1
GLOBAL = {part: f"attention.self.{part}_global" for part in ("query", "key", "value")}


@dataclass(frozen=True)
class _Pieces:
    """Which tokens ask in each piece, and which are asked: positions of shape (pieces, asking) and (pieces, asked).

    `mask` is what is added to the scores (batch, pieces, heads, asking, asked)."""

    asking: str
    asked: str
    mask: str


class LongformerGraph(EncoderGraph):
    """`windows` are those of each layer, both sides together."""

    def __init__(self, anatomy: Anatomy, settings: Settings, graph: GraphBuilder, windows: Sequence[int]) -> None:
        super().__init__(anatomy, settings, graph)
        self._windows = windows
        self._pieces: dict[int, _Pieces] = {}
        self._everywhere = EncoderGraph(replace(anatomy, layer=replace(anatomy.layer, **GLOBAL)), settings, graph)

    def _attention(self, layer: int, asking: str, rows: str, mask: str) -> str:
        if self.settings.head == "token":
            return self._rows(self._in_windows(layer, rows, mask))
        if asking != rows:
            return self._everywhere._attention(layer, asking, rows, mask)
        graph = self.graph
        first = self._everywhere._attention(layer, self._first(rows), rows, mask)
        others = graph.node("Slice", self._in_windows(layer, rows, mask), graph.integers(1), graph.integers(_END), graph.integers(1))
        return self._rows(graph.node("Concat", graph.node("Unsqueeze", first, graph.integers(1)), others, axis=1))

    def _in_windows(self, layer: int, rows: str, mask: str) -> str:
        """(batch, sequence, hidden): each token's context."""
        graph, names, heads = self.graph, self.anatomy.layer, self.settings.heads
        pieces, size = self._cut(self._windows[layer] // 2, mask), self.settings.hidden // heads
        split = graph.integers(0, 0, 0, heads, size)

        def part(name: str, positions: str, order: list[int]) -> str:
            projected = graph.linear(rows, self.anatomy.part(layer, name))
            shaped = graph.node("Reshape", projected, graph.node("Concat", self._batch(), graph.integers(-1, heads * size), axis=0))
            return graph.node("Transpose", graph.node("Reshape", graph.node("Gather", shaped, positions, axis=1), split), perm=order)

        query, key = part(names.query, pieces.asking, [0, 1, 3, 2, 4]), part(names.key, pieces.asked, [0, 1, 3, 4, 2])
        value = part(names.value, pieces.asked, [0, 1, 3, 2, 4])
        scores = graph.node("MatMul", graph.node("Mul", query, graph.floats(size**-0.5)), key)
        weights = graph.node("Softmax", graph.node("Add", scores, pieces.mask), axis=-1)
        context = graph.node("Transpose", graph.node("MatMul", weights, value), perm=[0, 1, 3, 2, 4])
        joined = graph.node("Reshape", context, graph.integers(0, -1, heads * size))
        return graph.node("Slice", joined, graph.integers(0), self._length(), graph.integers(1))

    def _cut(self, half: int, mask: str) -> _Pieces:
        """`mask` is padding's, (batch, 1, 1, sequence). Layers with the same window share the pieces."""
        if half not in self._pieces:
            self._pieces[half] = self._cut_anew(half, mask)
        return self._pieces[half]

    def _cut_anew(self, half: int, mask: str) -> _Pieces:
        graph = self.graph
        length, zero, one = graph.node("Squeeze", self._length()), graph.integer(0), graph.integer(1)
        whole = graph.node("LessOrEqual", length, graph.integer(_WHOLE * half))
        piece, beside = (graph.node("Where", whole, size, graph.integer(half)) for size in (length, zero))
        end = graph.node("Add", length, graph.node("Sub", piece, one))
        starts = graph.node("Range", zero, graph.node("Sub", end, graph.node("Mod", end, piece)), piece)
        starts = graph.node("Unsqueeze", starts, graph.integers(1))
        asking = graph.node("Add", starts, graph.node("Range", zero, piece, one))
        asked = graph.node("Add", starts, graph.node("Range", graph.node("Neg", beside), graph.node("Add", piece, beside), one))
        far = self._far(half, asking, asked, length)
        last = graph.node("Sub", length, one)
        asking, asked = (graph.node("Min", graph.node("Max", positions, zero), last) for positions in (asking, asked))
        if self.settings.head == "sequence":  # the first token is put before them, and never masked
            asked, far = graph.node("Pad", asked, graph.integers(0, 1, 0, 0)), graph.node("Pad", far, graph.integers(0, 0, 1, 0, 0, 0))
        padding = graph.node("Gather", graph.node("Squeeze", mask, graph.integers(1, 2)), asked, axis=1)
        together = graph.node("Min", far, graph.node("Unsqueeze", padding, graph.integers(2)))
        return _Pieces(asking, asked, graph.node("Unsqueeze", together, graph.integers(2)))

    def _far(self, half: int, asking: str, asked: str, length: str) -> str:
        """(pieces, asking, asked): the lowest float where a position is too far away, outside the text, or that of the first token."""
        graph, first = self.graph, self.settings.head == "sequence"
        there = graph.node("Unsqueeze", asked, graph.integers(1))
        apart = graph.node("Abs", graph.node("Sub", graph.node("Unsqueeze", asking, graph.integers(2)), there))
        near = graph.node("LessOrEqual", apart, graph.integer(half))
        inside = graph.node("And", graph.node("GreaterOrEqual", there, graph.integer(int(first))), graph.node("Less", there, length))
        return graph.node("Where", graph.node("And", near, inside), graph.floats(0.0), graph.floats(_MASKED))

    def _rows(self, context: str) -> str:
        return self.graph.node("Reshape", context, self.graph.integers(-1, self.settings.hidden))

    def _length(self) -> str:
        return self.graph.node("Shape", "input_ids", start=1, end=2)
