"""Tokenizers from vocabularies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models import wordpiece

SPECIALS = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4}
LOWER = {**SPECIALS, "good": 5, "##s": 6, "e": 7}
CASED = {**LOWER, "Good": 8}


def ids(vocabulary: dict[str, int], text: str, *, lowercase: bool) -> list[int]:
    files = wordpiece.build(vocabulary, lowercase=lowercase, max_length=16)
    found: list[int] = Tokenizer.from_str(files.tokenizer_json).encode(text).ids
    return found


def test_pieces_and_special_tokens() -> None:
    assert ids(LOWER, "Goods é [MASK] zzz", lowercase=True) == [2, 5, 6, 7, 4, 1, 3]
    assert ids(CASED, "Good good", lowercase=False) == [2, 8, 5, 3]


def test_a_pair_has_two_types() -> None:
    files = wordpiece.build(LOWER, lowercase=True, max_length=16)
    encoding = Tokenizer.from_str(files.tokenizer_json).encode("good", "goods")
    assert encoding.ids == [2, 5, 3, 5, 6, 3]
    assert encoding.type_ids == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("lowercase", [True, False])
def test_transformers_reads_the_same(tmp_path: Path, lowercase: bool) -> None:
    from transformers import AutoTokenizer

    files = wordpiece.build(CASED, lowercase=lowercase, max_length=4)
    (tmp_path / "tokenizer.json").write_text(files.tokenizer_json, encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(files.config), encoding="utf-8")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}), encoding="utf-8")
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    text = "Good goods É [SEP] e"
    ours = Tokenizer.from_str(files.tokenizer_json)
    assert theirs(text)["input_ids"] == ours.encode(text).ids
    assert len(theirs(text, truncation=True)["input_ids"]) == 4


@pytest.mark.parametrize("missing", ["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
def test_another_kind_of_vocabulary_is_refused(missing: str) -> None:
    with pytest.raises(UnsupportedModel, match="not that of a BertTokenizer") as caught:
        wordpiece.build({piece: index for piece, index in LOWER.items() if piece != missing}, lowercase=True, max_length=8)
    assert missing in str(caught.value)


def test_a_mask_token_is_not_invented() -> None:
    without = {piece: index for piece, index in LOWER.items() if piece != "[MASK]"}
    assert wordpiece.special_tokens(without)["mask_token"] is None
    assert max(ids(without, "[MASK]", lowercase=True)) < len(LOWER)


@pytest.mark.parametrize(
    ("vocabulary", "why"),
    [({}, "empty"), ({"a": 0, "b": 3}, "does not fit"), ({"a": -1}, "does not fit"), ({"a": 0, "b": 0}, "one id to two")],
)
def test_a_vocabulary_must_fit_its_table(vocabulary: dict[str, int], why: str) -> None:
    with pytest.raises(InconsistentModel, match=why):
        wordpiece.check_vocabulary(vocabulary, 3)


@pytest.mark.parametrize(
    ("pieces", "lowercase"),
    [
        (["[CLS]", "[unused1]", "good", "##ß", "日"], True),
        (["[CLS]", "\u211d"], True),  # upper-case, but lower-casing leaves it
        (["[CLS]", "good", "Good"], False),
        (["[CLS]", "##É"], False),
        (["[CLS]", "["], True),
    ],
)
def test_what_a_vocabulary_shows_of_case(pieces: list[str], lowercase: bool) -> None:
    assert wordpiece.is_lowercase({piece: index for index, piece in enumerate(pieces)}) is lowercase
