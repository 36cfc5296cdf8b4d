from __future__ import annotations

import pytest

from hubclient.archive import features
from hubclient.errors import CorruptArchive, InconsistentModel
from tests.archive.builders import JavaWriter, map_feature, sequence_file


def test_parts_make_one_map_in_whatever_order() -> None:
    vocabulary = {f"token{index}": index for index in range(57)}
    rows = list(vocabulary.items())
    parts = {"part-00001": map_feature(rows[:20]), "part-00000": map_feature(rows[20:]), "part-00002": map_feature([])}
    assert features.numbers(parts) == vocabulary


def test_texts_and_pairs() -> None:
    assert features.texts({"part-00000": map_feature([("logits", "StatefulPartitionedCall:0")])}) == {"logits": "StatefulPartitionedCall:0"}
    merges = {("Ġ", "t"): 0, ("h", "e"): 1}
    assert features.pairs({"part-00000": map_feature(merges.items())}) == merges


def test_a_key_may_come_twice_with_one_value() -> None:
    part = map_feature([("a", 1)])
    assert features.numbers({"part-00000": part, "part-00001": part}) == {"a": 1}


def test_a_key_with_two_values_is_refused_with_both() -> None:
    with pytest.raises(InconsistentModel, match="'a' has two values") as caught:
        features.numbers({"part-00000": map_feature([("a", 1)]), "part-00001": map_feature([("a", 2)])})
    assert caught.value.why == "1 and 2"


@pytest.mark.parametrize("entry", [("a", "1"), ("a", True), ("a", None), ("a", 1.5), (1, 1), (None, 1), (("a", "b"), 1)])
def test_entries_of_another_kind_are_corrupt(entry: tuple[object, object]) -> None:
    with pytest.raises(CorruptArchive, match="another kind"):
        features.numbers({"part-00000": map_feature([entry])})


@pytest.mark.parametrize("key", ["ab", ("a", 1), ("a", ("b", "c")), (None, "b")])
def test_keys_that_are_no_pairs_are_corrupt(key: object) -> None:
    with pytest.raises(CorruptArchive, match="another kind"):
        features.pairs({"part-00000": map_feature([(key, 1)])})


@pytest.mark.parametrize("value", ["text", 5, None, ("a", 1)])
def test_records_without_an_array_are_corrupt(value: object) -> None:
    with pytest.raises(CorruptArchive, match="no array"):
        features.numbers({"part-00000": sequence_file([JavaWriter().write(value)])})
