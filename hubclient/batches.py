"""Running tokenized texts in batches of like length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from hubclient.engines import Batch, Engine
from hubclient.errors import UsageError
from hubclient.padding import Padding

if TYPE_CHECKING:
    import numpy as np

Progress = Callable[[int], None]
BATCH = 32


class Tokens(Protocol):
    @property
    def ids(self) -> Sequence[int]: ...
    @property
    def type_ids(self) -> Sequence[int]: ...
    def __len__(self) -> int: ...


def check_size(batch_size: int) -> int:
    if not isinstance(batch_size, int) or batch_size < 1:
        raise UsageError(f"batch_size is {batch_size!r}, and must be a whole number of at least 1")
    return batch_size


def run(
    engine: Engine, texts: Sequence[Sequence[Tokens]], padding: Padding, batch_size: int, progress: Progress | None = None
) -> list[list[np.ndarray]]:
    """The logits of every part of every text, in order: of shape (labels,), or (tokens, labels) without those of padding.

    Parts of like length are run together, whatever text they are of; `progress` is told how many more texts are done.
    """
    owners = [text for text, parts in enumerate(texts) for _ in parts]
    parts = [part for parts in texts for part in parts]
    left = [len(parts) for parts in texts]
    answers: dict[int, np.ndarray] = {}
    for batch in _alike(parts, batch_size):
        padded = _batch([parts[number] for number in batch], padding)
        logits = engine.logits(padded)
        answers |= {number: _own(logits[row], padded.attention_mask[row]) for row, number in enumerate(batch)}
        for number in batch:
            left[owners[number]] -= 1
        if progress:
            progress(sum(left[text] == 0 for text in {owners[number] for number in batch}))
    ordered = (answers[number] for number in range(len(parts)))
    return [list(islice(ordered, len(parts))) for parts in texts]


def _alike(parts: Sequence[Tokens], size: int) -> Iterator[list[int]]:
    """The numbers of the parts in batches, short ones first."""
    order = sorted(range(len(parts)), key=lambda number: len(parts[number]))
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _own(logits: np.ndarray, mask: np.ndarray) -> np.ndarray:
    own: np.ndarray = logits if logits.ndim == 1 else logits[mask != 0]
    return own


def _batch(texts: Sequence[Tokens], padding: Padding) -> Batch:
    import numpy as np

    width = max(map(len, texts))
    ids, mask, types = (np.full((len(texts), width), fill, dtype=np.int64) for fill in (padding.token, 0, 0))
    for row, text in enumerate(texts):
        start = width - len(text) if padding.side == "left" else 0
        stop = start + len(text)
        ids[row, start:stop] = text.ids
        mask[row, start:stop] = 1
        types[row, start:stop] = text.type_ids
    return Batch(ids, mask, types)
