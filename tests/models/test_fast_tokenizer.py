"""A repository's own tokenizer.json: what transformers' classes make of it by the settings beside it, and by their own defaults."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, processors
from transformers import AutoTokenizer

from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models.fast_tokenizer import as_opened, inputs, without_types
from hubclient.models.json_value import value_of, with_value
from hubclient.models.special_tokens import read_settings
from hubclient.models.tokenizer_kinds import KINDS, fast_kind_of
from tests.models.tokenizer_cases import PAIRS, Case, cases
from tests.models.tokenizer_texts import ALIKE, texts

CASES = {case.name: case for case in cases()}
TEXTS = [*texts("fast", 60), *(f"a {each} b" for each in ALIKE), *(f"x {each.upper()}y" for each in ALIKE), "a filmy  thing here, ÀÉ 日本"]
Settings = dict[str, Any]
CONFIG = "tokenizer_config.json"


def fast(name: str) -> tuple[str, Settings]:
    """The tokenizer.json of one of the cases, and its settings, as transformers writes both."""
    case = CASES[name]
    kind = KINDS[case.model_type]
    built = kind.build(kind.from_files(case.files), rows=case.size, lowercase=None, max_length=64)
    return built.tokenizer_json, {**built.config, "tokenizer_class": kind.tokenizer_class}


def opened(text: str, settings: Settings, case: Case, rows: int | None = None) -> str:
    stated = read_settings({CONFIG: json.dumps(settings).encode()}, value_of(text, "added_tokens"))
    kind = fast_kind_of(case.model_type, settings.get("tokenizer_class"))
    return as_opened(text, Tokenizer.from_str(text), stated, kind, rows or case.size)


def without(*names: str) -> Callable[[Settings], Settings]:
    return lambda settings: {name: value for name, value in settings.items() if name not in names}


def added(**more: Any) -> Callable[[Settings], Settings]:
    return lambda settings: {**settings, **more}


@pytest.mark.parametrize("name", CASES)
def test_what_a_class_wrote_stays_as_it_is(name: str) -> None:
    text, settings = fast(name)
    assert opened(text, settings, CASES[name]) is text
    plain = {**settings, "tokenizer_class": "PreTrainedTokenizerFast"}
    assert opened(text, plain, CASES[name]) is text


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("bert_cased", without("do_lower_case", "strip_accents", "tokenize_chinese_chars")),
        ("bert_cased", without("do_lower_case")),
        ("bert_cased", without("tokenizer_class", "strip_accents")),
        ("bert", added(do_lower_case=False)),
        ("bert", added(do_lower_case=False, strip_accents=True)),
        ("bert", added(tokenize_chinese_chars=False)),
        ("distilbert_saved", added(do_lower_case=False, additional_special_tokens=["filmy"])),
        ("electra", added(mask_token="filmy")),
        ("mpnet_saved", without("do_lower_case")),
        ("roberta_prefix", without("add_prefix_space")),
        ("roberta", added(add_prefix_space=True)),
        ("bert_cased", added(do_lower_case=True, tokenizer_class="PreTrainedTokenizerFast")),
    ],
)
def test_as_transformers_opens_it(name: str, change: Callable[[Settings], Settings], tmp_path: Path) -> None:
    """The installed version is asked. It agrees with 4.57.1 on all of these."""
    text, settings = fast(name)
    settings = change(settings)
    case = CASES[name]
    (tmp_path / "tokenizer.json").write_text(text, encoding="utf-8")
    (tmp_path / CONFIG).write_text(json.dumps(settings), encoding="utf-8")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": case.model_type}), encoding="utf-8")
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    ours = Tokenizer.from_str(opened(text, settings, case, case.size + 1))
    for asked in TEXTS:
        assert ours.encode(asked).ids == theirs(asked)["input_ids"], asked
    for pair in PAIRS:
        assert ours.encode(*pair).ids == theirs(*pair)["input_ids"]


def test_the_switches() -> None:
    """As 4.57.1 sets them: MPNet's class leaves one alone."""
    text, settings = fast("mpnet_saved")
    switched = {**settings, "do_lower_case": True, "strip_accents": False, "tokenize_chinese_chars": False}
    normalizer = value_of(opened(text, switched, CASES["mpnet_saved"]), "normalizer")
    assert normalizer == {**value_of(text, "normalizer"), "lowercase": True, "strip_accents": False}
    text, settings = fast("bert")
    normalizer = value_of(opened(text, {**settings, **switched, "tokenizer_class": "BertTokenizerFast"}, CASES["bert"]), "normalizer")
    assert (normalizer["lowercase"], normalizer["strip_accents"], normalizer["handle_chinese_chars"]) == (True, False, False)
    text, settings = fast("roberta_prefix")
    post = value_of(opened(text, {**settings, "trim_offsets": True}, CASES["roberta_prefix"]), "post_processor")
    assert (post["trim_offsets"], post["add_prefix_space"]) == (True, True)
    plain = {name: value for name, value in settings.items() if name != "add_prefix_space"} | {"tokenizer_class": "PreTrainedTokenizerFast"}
    changed = opened(text, plain, CASES["roberta_prefix"])
    assert (value_of(changed, "pre_tokenizer")["add_prefix_space"], value_of(changed, "post_processor")["add_prefix_space"]) == (
        False,
        True,
    )


NEW = {"content": "filmy", "lstrip": False, "rstrip": False, "single_word": False, "normalized": False, "special": False}


@pytest.mark.parametrize("name", ["bert", "deberta_bpe", "xlm_roberta", "roberta", "camembert"])
def test_tokens_that_the_settings_add(name: str) -> None:
    text, settings = fast(name)
    case = CASES[name]
    stated = {**settings, "added_tokens_decoder": {str(case.size): NEW}}
    tokenizer = Tokenizer.from_str(opened(text, stated, case, case.size + 1))
    assert case.size in tokenizer.encode("a good filmy").ids
    with pytest.raises(InconsistentModel, match="'filmy' has no row"):
        opened(text, stated, case)
    special = {**settings, "additional_special_tokens": ["filmy"]}
    assert opened(text, special, case, case.size) is text
    assert case.size in Tokenizer.from_str(opened(text, special, case, case.size + 1)).encode("a good filmy").ids


@pytest.mark.parametrize("name", CASES)
def test_tokens_that_the_file_lacks(name: str) -> None:
    """Those of the class are found in texts, where the vocabulary has them; scores stay what they are."""
    text, settings = fast(name)
    case = CASES[name]
    bare = with_value(text, "added_tokens", [])
    found = opened(bare, settings, case)
    model = text.index('"model"')
    assert found[found.index('"model"') :] == text[model:]
    known = {token["content"]: token for token in value_of(text, "added_tokens")}
    roles = {settings[role] for role in ("cls_token", "sep_token", "unk_token") if settings[role]}
    for token in value_of(found, "added_tokens"):
        if token["content"] in roles:
            assert (token["id"], token["special"]) == (known[token["content"]]["id"], True)
            assert token["id"] in Tokenizer.from_str(found).encode(f"a {token['content']} b", add_special_tokens=False).ids
            roles.remove(token["content"])
    assert not roles


def test_a_mask_that_nobody_names_takes_the_blank_before_it() -> None:
    text, settings = fast("roberta_prefix")
    assert not next(token for token in value_of(text, "added_tokens") if token["content"] == "<mask>")["lstrip"]
    changed = opened(text, {"add_prefix_space": True, "trim_offsets": False}, CASES["roberta_prefix"])
    assert next(token for token in value_of(changed, "added_tokens") if token["content"] == "<mask>")["lstrip"]
    assert opened(text, settings, CASES["roberta_prefix"]) is text


def test_the_file_counts_over_older_settings() -> None:
    """How a token is found; which id it has is the file's affair in any case."""
    text, settings = fast("bert_renamed")
    case = CASES["bert_renamed"]
    tokens = [{**token, "lstrip": True} if token["content"] == "movie" else token for token in value_of(text, "added_tokens")]
    text = with_value(text, "added_tokens", tokens)
    files = {CONFIG: json.dumps(settings).encode(), "added_tokens.json": json.dumps({"movie": 7}).encode()}
    older = read_settings(files, value_of(text, "added_tokens"))
    assert as_opened(text, Tokenizer.from_str(text), older, KINDS["bert"], case.size) is text
    newer = {**settings, "added_tokens_decoder": {"601": {**NEW, "content": "movie"}}}
    assert not next(token for token in value_of(opened(text, newer, case), "added_tokens") if token["content"] == "movie")["lstrip"]


@pytest.mark.parametrize("name", ["bert", "albert", "xlnet", "deberta"])
def test_no_token_types(name: str) -> None:
    text, _ = fast(name)
    ours, theirs = Tokenizer.from_str(without_types(text)), Tokenizer.from_str(text)
    for pair in PAIRS:
        assert ours.encode(*pair).ids == theirs.encode(*pair).ids
        assert set(ours.encode(*pair).type_ids) == {0} != set(theirs.encode(*pair).type_ids)
    assert without_types(without_types(text)) == without_types(text)


def test_no_token_types_of_the_first_kind_of_post_processor() -> None:
    tokenizer = Tokenizer.from_str(fast("bert")[0])
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 7), ("[CLS]", 6))
    ours = Tokenizer.from_str(without_types(tokenizer.to_str()))
    assert ours.encode(*PAIRS[0]).ids == tokenizer.encode(*PAIRS[0]).ids
    assert set(ours.encode(*PAIRS[0]).type_ids) == {0} != set(tokenizer.encode(*PAIRS[0]).type_ids)


def test_what_a_tokenizer_gives() -> None:
    assert inputs({}, None) == inputs({}, KINDS["bert"]) == ("input_ids", "token_type_ids", "attention_mask")
    assert inputs({}, KINDS["roberta"]) == inputs({"model_input_names": ["input_ids", "attention_mask"]}, KINDS["bert"])
    for value in ("input_ids", [1], 5):
        with pytest.raises(InconsistentModel, match="model_input_names"):
            inputs({"model_input_names": value}, None)


@pytest.mark.parametrize("name", ["PreTrainedTokenizer", "PreTrainedTokenizerFast", "TokenizersBackend"])
def test_classes_without_defaults(name: str) -> None:
    assert fast_kind_of("bert", name) is None
    assert fast_kind_of("bert", "RobertaTokenizerFast") is KINDS["roberta"]
    assert fast_kind_of("bert") is KINDS["bert"]


@pytest.mark.parametrize("name", ["BertJapaneseTokenizer", "BertweetTokenizer", "LlamaTokenizerFast"])
def test_classes_that_read_other_files_or_otherwise(name: str) -> None:
    with pytest.raises(UnsupportedModel, match=name):
        fast_kind_of("bert", name)


@pytest.mark.parametrize("settings", [{"do_lower_case": "yes"}, {"strip_accents": 1}, {"tokenize_chinese_chars": []}])
def test_switches_that_are_none(settings: Settings) -> None:
    with pytest.raises(InconsistentModel, match=next(iter(settings))):
        opened(fast("bert")[0], settings, CASES["bert"])


@pytest.mark.parametrize("key", ["normalizer", "pre_tokenizer", "post_processor"])
def test_files_that_leave_a_part_out(key: str) -> None:
    """The tokenizers library reads these."""
    text = json.dumps({name: value for name, value in json.loads(fast("bert")[0]).items() if name != key})
    with pytest.raises(InconsistentModel, match=f"has no {key}"):
        as_opened(text, Tokenizer.from_str(text), {}, KINDS["bert"], 1000)
