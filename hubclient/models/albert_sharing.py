"""How ALBERT's layers share their weights: a layer is applied several times, in groups, and which group's turn it is, is reckoned.

Source: transformers/models/albert/modeling_albert.py, AlbertTransformer.forward.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hubclient.errors import UnsupportedModel
from hubclient.models.encoder_anatomy import Anatomy

MOST_LAYERS = 1_000


@dataclass(frozen=True)
class AlbertAnatomy(Anatomy):
    """`order` has the group, and the place in it, of each layer that is applied."""

    order: tuple[tuple[int, int], ...] = ((0, 0),)

    @property
    def projection(self) -> str:
        """The dense layer from the embeddings' width to the layers', which is there even where these are the same."""
        return f"{self.base}.encoder.embedding_hidden_mapping_in"

    def part(self, layer: int, name: str) -> str:
        group, place = self.order[layer]
        return f"{self.base}.{self.layers}.{group}.albert_layers.{place}.{name}"


@dataclass(frozen=True)
class Sharing:
    """`turns` of a group at a time, each of `inner` layers after each other."""

    turns: int
    groups: int
    inner: int

    @property
    def order(self) -> tuple[tuple[int, int], ...]:
        """Group and place in it of each layer, as they are applied."""
        # The division is transformers' own, rounding and all.
        starts = [int(turn / (self.turns / self.groups)) for turn in range(self.turns)]
        return tuple((group, place) for group in starts for place in range(self.inner))


def sharing_of(layers: Sequence[int]) -> Sharing:
    """That of layers that are applied in this order; layers of one number have the same weights, and are numbered as they first come."""
    distinct = len(set(layers))
    for inner in range(1, distinct + 1):
        if distinct % inner or len(layers) % inner:
            continue
        sharing = Sharing(len(layers) // inner, distinct // inner, inner)
        if list(layers) == [group * inner + place for group, place in sharing.order]:
            return sharing
    raise UnsupportedModel("the layers do not share their weights as ALBERT's do", why=f"they come in the order {list(layers)[:24]}")


def sharing_by_uses(uses: Sequence[Sequence[int]]) -> Sharing:
    """That of groups whose layers are applied so often, in no known order."""
    turns, inner = sum(group[0] for group in uses), len(uses[0])
    sharing = Sharing(turns, len(uses), inner)
    order = sharing.order if turns * inner <= MOST_LAYERS else ()
    wanted = [[order.count((group, place)) for place in range(inner)] for group in range(len(uses))]
    if [list(group) for group in uses] != wanted:
        raise UnsupportedModel("the layers do not share their weights as ALBERT's do", why=f"they are applied so often: {list(uses)[:24]}")
    return sharing
