"""Which tokenized texts are run together: those of like length, filled up to the longest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from hubclient.engines import Batch
from hubclient.errors import UsageError

if TYPE_CHECKING:
    from hubclient.padding import Padding

# Of fewer tokens, no batch gains by being run beside another one: see `bench/batches.py`.
SMALLEST = 128


class Tokens(Protocol):
    @property
    def ids(self) -> Sequence[int]: ...
    @property
    def type_ids(self) -> Sequence[int]: ...
    def __len__(self) -> int: ...


def check_size(batch_size: int | None) -> int | None:
    if batch_size is not None and (type(batch_size) is not int or batch_size < 1):
        raise UsageError(f"batch_size is {batch_size!r}, and must be a whole number of at least 1")
    return batch_size


def alike(parts: Sequence[Tokens], *, tokens: int, lanes: int = 1, size: int | None = None) -> list[list[int]]:
    """The numbers of the parts in batches, the longest first: of `tokens` at most, those of padding counted, unless one part has more.

    Where there is too little for all `lanes`, batches are smaller. `size`: batches of so many parts instead.
    """
    lengths = [len(part) for part in parts]
    order = sorted(range(len(parts)), key=lengths.__getitem__, reverse=True)
    if size is not None:
        return [order[start : start + size] for start in range(0, len(order), size)]
    budget = min(tokens, max(SMALLEST, -(-sum(lengths) // lanes)))
    return list(_within(order, lengths, budget))


def _within(order: list[int], lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    start = 0
    while start < len(order):
        room = max(1, budget // max(1, lengths[order[start]]))
        yield order[start : start + room]
        start += room


def filled(parts: Sequence[Tokens], padding: Padding) -> Batch:
    """The parts as an engine takes them."""
    import numpy as np

    lengths = [len(part) for part in parts]
    width = max(lengths)
    ids = np.full((len(parts), width), padding.token, dtype=np.int64)
    mask, types = np.zeros_like(ids), np.zeros_like(ids)
    for row, (part, length) in enumerate(zip(parts, lengths, strict=True)):
        place = slice(width - length, width) if padding.side == "left" else slice(length)
        ids[row, place] = part.ids
        mask[row, place] = 1
        types[row, place] = part.type_ids
    return Batch(ids, mask, types)
