"""How far tokens are apart, in a graph: distances put into buckets, and a value for each distance laid out for each pair of tokens.

Buckets grow with the logarithm of the distance, and whether one that lies on a border goes up or down depends on the last bit of a
logarithm, which runtimes round differently. So the borders are worked out here, in float32 as PyTorch has it, and the graph only counts how
many of them a distance has reached: whole numbers, the same in every runtime.

Laying out: a row of values, one for each distance, starts one place further left for each token. Read as one long row, cut off at the
front, and folded to rows that are one shorter, every row starts where it must (Dai et al., Transformer-XL, appendix B).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from hubclient.models.builder import GraphBuilder

_INT64 = 7  # onnx.TensorProto.DataType
_FURTHEST = 1 << 24  # float32 has all whole numbers up to here


def borders(bucket: Callable[[int], int], edge: int, last: int) -> list[int]:
    """The least distance above `edge` of each bucket from `edge + 1` to `last`, as far as there are any. `bucket` never falls."""
    found: list[int] = []
    for number in range(edge + 1, last + 1):
        start = found[-1] if found else edge + 1
        distance = start + bisect_left(range(start, _FURTHEST), number, key=bucket)
        if distance == _FURTHEST:
            break
        found.append(distance)
    return found


def logarithm(ratio: float) -> np.float32:
    """Of a float32, rounded to float32."""
    import numpy as np

    return np.float32(math.log(float(np.float32(ratio))))


def length(graph: GraphBuilder) -> str:
    """How many tokens the longest text of the batch has, as a vector of one number."""
    return graph.node("Shape", "input_ids", start=1, end=2)


def ascending(graph: GraphBuilder) -> str:
    """The distances from 1 - length to length, whose last is there for `laid_out` alone."""
    count = graph.node("Squeeze", length(graph))
    one = graph.integer(1)
    return graph.node("Range", graph.node("Sub", one, count), graph.node("Add", count, one), one)


def bucketed(graph: GraphBuilder, distances: str, edge: int, steps: Sequence[int]) -> str:
    """Distances of 0 or more up to `edge` as they are; of greater ones, `edge` plus the number of borders that they have reached."""
    near = graph.node("Min", distances, graph.integer(edge))
    if not steps:
        return near
    column = graph.node("Unsqueeze", distances, graph.integers(1))
    reached = graph.node("Cast", graph.node("GreaterOrEqual", column, graph.integers(*steps)), to=_INT64)
    return graph.node("Add", near, graph.node("ReduceSum", reached, graph.integers(1), keepdims=0))


def laid_out(graph: GraphBuilder, values: str) -> str:
    """(batch, heads, tokens, 2 x tokens) -> (batch, heads, tokens, tokens): in row i, column j is what was in column j - i + tokens - 1."""
    tokens, one = length(graph), graph.integers(1)
    width = graph.node("Sub", graph.node("Add", tokens, tokens), one)
    start = graph.node("Sub", tokens, one)
    end = graph.node("Add", start, graph.node("Mul", tokens, width))
    flat = graph.node("Reshape", values, graph.integers(0, 0, -1))
    cut = graph.node("Slice", flat, start, end, graph.integers(2))
    rows = graph.node("Reshape", cut, graph.node("Concat", graph.integers(0, 0), tokens, width, axis=0))
    return graph.node("Slice", rows, graph.integers(0), tokens, graph.integers(3))
