"""Texts of like length together, and never more than suits an engine."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubclient.batches import SMALLEST, alike, check_size
from hubclient.errors import UsageError


@dataclass
class Sized:
    length: int

    @property
    def ids(self) -> list[int]:
        return [1] * self.length

    type_ids = ids

    def __len__(self) -> int:
        return self.length


def sized(lengths: list[int]) -> list[Sized]:
    return [Sized(length) for length in lengths]


@given(st.lists(st.integers(1, 600), max_size=80), st.integers(1, 8))
def test_every_text_is_in_one_batch_within_the_budget(lengths: list[int], lanes: int) -> None:
    batches = alike(sized(lengths), tokens=512, lanes=lanes)
    assert sorted(number for batch in batches for number in batch) == list(range(len(lengths)))
    for batch in batches:
        assert max(lengths[number] for number in batch) * len(batch) <= 512 or len(batch) == 1
    ordered = [lengths[number] for batch in batches for number in batch]
    assert ordered == sorted(lengths, reverse=True)


def test_little_is_spread_over_the_lanes() -> None:
    assert [len(batch) for batch in alike(sized([32] * 16), tokens=512)] == [16]
    assert [len(batch) for batch in alike(sized([32] * 16), tokens=512, lanes=2)] == [8, 8]
    # Not so thin that the lanes lose more than they gain.
    assert [len(batch) for batch in alike(sized([32] * 16), tokens=512, lanes=64)] == [SMALLEST // 32] * 4
    assert [len(batch) for batch in alike(sized([32] * 64), tokens=512, lanes=2)] == [16] * 4


def test_so_many_texts_a_batch() -> None:
    assert alike(sized([1, 900, 5, 7]), tokens=512, lanes=8, size=3) == [[1, 3, 2], [0]]
    assert alike([], tokens=512) == []


@pytest.mark.parametrize("size", [0, -1, 1.5, "8", True])
def test_sizes_that_cannot_be(size: int) -> None:
    with pytest.raises(UsageError, match="batch_size"):
        check_size(size)
