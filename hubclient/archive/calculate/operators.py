"""All operators that can be worked out, by name: the allow-list."""

from __future__ import annotations

from collections.abc import Mapping

from hubclient.archive.calculate import creations, einsum, elementwise, gathers, norms, products, reductions, shapes, slices
from hubclient.archive.calculate.operator import Operator

OPERATORS: Mapping[str, Operator] = {
    **creations.OPERATORS,
    **einsum.OPERATORS,
    **elementwise.OPERATORS,
    **gathers.OPERATORS,
    **norms.OPERATORS,
    **products.OPERATORS,
    **reductions.OPERATORS,
    **shapes.OPERATORS,
    **slices.OPERATORS,
}
