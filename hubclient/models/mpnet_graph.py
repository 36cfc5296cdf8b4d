"""MPNet's graph: that of any encoder, with what each head adds to the scores for each distance.

The sum of that and of the mask is the same for all layers, and worked out once.

Source: transformers/models/mpnet/modeling_mpnet.py, MPNetEncoder.compute_position_bias.
"""

from __future__ import annotations

from hubclient.models import distances
from hubclient.models.builder import GraphBuilder
from hubclient.models.encoder_graph import EncoderGraph

DISTANCES = "mpnet.encoder.relative_attention_bias.weight"
BUCKETS = 32
_HALF = BUCKETS // 2  # for keys before the query, and for those after it
_EXACT = _HALF // 2
_FURTHEST = 128


class MPNetGraph(EncoderGraph):
    def _mask(self) -> str:
        """What is added to the scores (batch, heads, query, key)."""
        return self.graph.node("Add", self._by_distance(), super()._mask())

    def _layer(self, layer: int, asking: str, rows: str, mask: str) -> str:
        if asking != rows:  # the first token alone
            mask = self.graph.node("Slice", mask, self.graph.integers(0), self.graph.integers(1), self.graph.integers(2))
        return super()._layer(layer, asking, rows, mask)

    def _by_distance(self) -> str:
        """(1, heads, query, key)."""
        graph = self.graph
        values = graph.node("Gather", graph.weight(DISTANCES), buckets(graph, distances.ascending(graph)))
        rows = graph.node("Unsqueeze", graph.node("Transpose", values, perm=[1, 0]), graph.integers(0, 2))
        each = graph.node("Concat", graph.integers(1, 1), distances.length(graph), graph.integers(1), axis=0)
        return distances.laid_out(graph, graph.node("Expand", rows, each))


def buckets(graph: GraphBuilder, after: str) -> str:
    """The rows of the table for these distances, key minus query."""
    bucket = distances.bucketed(graph, graph.node("Abs", after), _EXACT, borders())
    return graph.node(
        "Add", bucket, graph.node("Where", graph.node("Greater", after, graph.integer(0)), graph.integer(_HALF), graph.integer(0))
    )


def borders() -> list[int]:
    """Where the buckets begin that stand for more than one distance: relative_position_bucket, turned around."""
    import numpy as np

    whole = distances.logarithm(_FURTHEST / _EXACT)

    def bucket(distance: int) -> int:
        share = distances.logarithm(distance / _EXACT) / whole
        return int(share * np.float32(_HALF - _EXACT)) + _EXACT

    return distances.borders(bucket, _EXACT, _HALF - 1)
