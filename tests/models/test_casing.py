"""The case setting of a tokenizer.json, changed where it stands."""

from __future__ import annotations

import json

import pytest
from tokenizers import Tokenizer, models, normalizers

from hubclient.errors import InconsistentModel, ModelError
from hubclient.models.casing import lowercases, normalizer_of, with_lowercase

BERT = normalizers.BertNormalizer(lowercase=True)
OTHERS = {
    "none": None,
    "lowercase": normalizers.Lowercase(),
    "nfkc": normalizers.NFKC(),
    "both": normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()]),
    "bert": BERT,
    "bert in a row": normalizers.Sequence([normalizers.NFKC(), BERT]),
}


def written(name: str, *, pretty: bool = False) -> str:
    tokenizer = Tokenizer(models.Unigram([("a", 0.0), ("A", -1.2345678901234567)], unk_id=0))
    if OTHERS[name] is not None:
        tokenizer.normalizer = OTHERS[name]
    return tokenizer.to_str(pretty=pretty)


@pytest.mark.parametrize(
    ("name", "stated"), [("none", None), ("lowercase", True), ("nfkc", None), ("both", True), ("bert", True), ("bert in a row", True)]
)
def test_what_is_stated(name: str, stated: bool | None) -> None:
    assert lowercases(normalizer_of(written(name))) is stated


@pytest.mark.parametrize("pretty", [False, True])
@pytest.mark.parametrize("wanted", [False, True])
@pytest.mark.parametrize("name", OTHERS)
def test_changes(name: str, wanted: bool, pretty: bool) -> None:
    text = written(name, pretty=pretty)
    changed = with_lowercase(text, wanted)
    normalizer = Tokenizer.from_str(changed).normalizer
    assert (normalizer.normalize_str("ÀB") if normalizer else "ÀB").endswith("b" if wanted else "B")
    assert {**json.loads(text), "normalizer": None} == {**json.loads(changed), "normalizer": None}
    assert "-1.2345678901234567" in changed
    again = with_lowercase(with_lowercase(changed, not wanted), wanted)
    assert bool(lowercases(normalizer_of(again))) is wanted


def test_nothing_is_changed_that_need_not_be() -> None:
    text = written("bert")
    assert with_lowercase(text, None) is text
    assert with_lowercase(text, True) is text


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"a": 1}', '{"normalizer"', '{"normalizer": nul', '{"a" 1}', '{"a": 1 "normalizer": null}', "[" * 9999]
)
def test_broken_files(text: str) -> None:
    with pytest.raises(InconsistentModel):
        normalizer_of(text)


@pytest.mark.parametrize("value", ["3", '"x"', '{"type": "Sequence"}', '{"type": "Sequence", "normalizers": [1]}'])
def test_normalizers_of_another_form(value: str) -> None:
    with pytest.raises(ModelError):
        lowercases(normalizer_of(f'{{"normalizer": {value}}}'))
