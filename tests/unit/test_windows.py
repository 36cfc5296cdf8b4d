"""Windows are those of transformers: special tokens in each, an overlap, nothing left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing

from hubclient.errors import InvalidText, UsageError
from hubclient.windows import Windows, cut, pool, settle

TEMPLATES = {
    "bert": ("<s> $A </s>", "<s> $A </s> $B:1 </s>:1"),
    "roberta": ("<s> $A </s>", "<s> $A </s> </s> $B </s>"),
    "xlnet": ("$A </s> <s>:2", "$A </s> $B:1 </s>:1 <s>:2"),
}
LENGTH = 12


def tokenizer(template: str) -> Tokenizer:
    made = Tokenizer(WordLevel({"<s>": 0, "</s>": 1, "?": 2, **{str(number): number for number in range(3, 200)}}, "?"))
    made.pre_tokenizer = WhitespaceSplit()
    single, pair = TEMPLATES[template]
    made.post_processor = TemplateProcessing(single=single, pair=pair, special_tokens=[("<s>", 0), ("</s>", 1)])
    return made


def numbers(count: int, first: int = 3) -> str:
    return " ".join(str(first + number) for number in range(count))


@pytest.mark.parametrize("template", TEMPLATES)
@given(words=st.integers(0, 60), others=st.integers(0, 5), paired=st.booleans(), stride=st.integers(0, 3))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_windows_are_the_librarys(template: str, words: int, others: int, paired: bool, stride: int) -> None:
    whole, theirs = tokenizer(template), tokenizer(template)
    theirs.enable_truncation(LENGTH, stride=stride, strategy="only_first")
    text: Any = (numbers(words), numbers(others, 100)) if paired else numbers(words)
    wanted = theirs.encode_batch([text])[0]
    found = list(cut(whole.encode_batch([text])[0], LENGTH, stride))
    assert [(window.ids, window.type_ids) for window in found] == [(one.ids, one.type_ids) for one in (wanted, *wanted.overflowing)]
    assert all(len(window) == len(window.places) <= LENGTH for window in found)


def test_a_quarter_overlaps_unless_it_is_said() -> None:
    first, second, *_ = cut(tokenizer("bert").encode(numbers(40)), LENGTH, None)
    assert first.ids[-3:-1] == second.ids[1:3]
    assert first.ids[1:-1] == list(range(3, 13))


def test_a_second_text_that_leaves_no_room() -> None:
    with pytest.raises(InvalidText, match="no room"):
        list(cut(tokenizer("bert").encode("3 4 5", numbers(10)), LENGTH, 0))
    with pytest.raises(UsageError, match="stride is 2"):
        list(cut(tokenizer("bert").encode("3 4 5", numbers(7)), LENGTH, 2))
    assert len(list(cut(tokenizer("bert").encode("3 4 5", numbers(7)), LENGTH, 1))) == 2


def test_pooling() -> None:
    answers = [np.array([1.0, -2.0], np.float32), np.array([3.0, -4.0], np.float32)]
    assert pool(answers, "mean").tolist() == [2.0, -3.0]
    assert pool(answers, "max").tolist() == [3.0, -2.0]
    assert pool(answers[:1], "max") is answers[0]
    assert pool(answers, "mean").dtype == np.float32


def test_what_is_asked_for() -> None:
    assert settle(None, None, None) is None
    assert settle("truncate", None, None, Windows(3)) is None
    assert settle("window", None, None) == Windows(None, "mean")
    assert settle("window", 4, "max") == Windows(4, "max")
    # What is not said stays as it was.
    assert settle(None, 5, None, Windows(3, "max")) == Windows(5, "max")
    assert settle("window", None, "mean", Windows(3, "max")) == Windows(3, "mean")


@pytest.mark.parametrize(
    "asked",
    [
        ("cut", None, None),
        ("window", -1, None),
        ("window", 1.5, None),
        ("window", True, None),
        ("window", None, "sum"),
        (None, 3, None),
        ("truncate", None, "max"),
    ],
)
def test_what_cannot_be_asked_for(asked: Any) -> None:
    with pytest.raises(UsageError):
        settle(*asked)
