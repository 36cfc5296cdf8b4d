"""Tokenizers of every family, against the token ids of the originals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import frexp, isclose, ldexp
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models.bytelevel import ROBERTA
from hubclient.models.sentencepiece import ALBERT, CAMEMBERT, DEBERTA_V2, XLM_ROBERTA, XLNET
from hubclient.models.sentencepiece_model import parse_sentencepiece
from hubclient.models.tokenizer import TokenizerFiles, TokenizerKind, TokenizerParts
from hubclient.models.tokenizer_kinds import KINDS, kind_of
from hubclient.models.wordpiece import BERT, MPNET
from tests.models import sentencepiece_bytes as spm
from tests.models.tokenizer_cases import PAIRS, SEED, SOME, Case, cases, digest
from tests.models.tokenizer_material import encodings, goldens, parts_of_archive, read_golden, save
from tests.models.tokenizer_texts import ALIKE, EMOJI, INVISIBLE, MARKS, WORDS, texts

CASES = {case.name: case for case in cases()}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def opened(files: TokenizerFiles, *, truncated: bool = False) -> Tokenizer:
    tokenizer = Tokenizer.from_str(files.tokenizer_json)
    if truncated:
        tokenizer.enable_truncation(files.config["model_max_length"])
    return tokenizer


def built(case: Case, *, rows: int | None = None, max_length: int = 512) -> TokenizerFiles:
    kind = KINDS[case.model_type]
    return kind.build(kind.from_files(case.files), rows=rows or case.size, lowercase=None, max_length=max_length)


def rows_of(kind: TokenizerKind, parts: TokenizerParts) -> int:
    """The shortest table that the vocabulary fits. fairseq's tokens come on top of the pieces."""
    if parts.vocabulary is not None:
        return len(parts.vocabulary)
    assert parts.sentencepiece is not None
    return len(parts.sentencepiece.pieces) + {"XLMRobertaTokenizer": 2, "CamembertTokenizer": 5}.get(kind.tokenizer_class, 0)


@pytest.mark.parametrize("path", goldens(), ids=lambda path: path.name.removesuffix(".golden.jsonl"))
def test_archives_give_the_ids_of_their_originals(path: Path) -> None:
    model_type, head, rows = read_golden(path)
    kind = KINDS[model_type]
    parts = parts_of_archive(path.with_name(head["archive"]), kind)
    lowercase = None if kind.lowercases is None else kind.is_lowercase(parts) or not head["case_sensitive"]
    tokenizer = opened(kind.build(parts, rows=rows_of(kind, parts), lowercase=lowercase, max_length=head["max_length"]), truncated=True)
    compared = list(encodings(head, rows))
    assert len(compared) >= 60
    for given_texts, golden in compared:
        encoding = tokenizer.encode_batch([given_texts if len(given_texts) == 2 else given_texts[0]])[0]
        assert encoding.ids == golden["input_ids"], given_texts
        assert encoding.type_ids == golden.get("token_type_ids", encoding.type_ids), given_texts


def test_some_texts_give_the_ids_of_the_reference(case: Case) -> None:
    tokenizer = opened(built(case))
    drawn = list(texts(SEED, SOME))
    found = [digest([encoding.ids]) for encoding in tokenizer.encode_batch(drawn)]
    expected = [case.some[start : start + 8] for start in range(0, len(case.some), 8)]
    assert [text for text, one, other in zip(drawn, found, expected, strict=True) if one != other] == []


def test_pairs_of_texts(case: Case) -> None:
    tokenizer = opened(built(case))
    for pair, expected in zip(PAIRS, case.pairs, strict=True):
        encoding = tokenizer.encode(*pair)
        assert encoding.ids == expected["ids"]
        assert encoding.type_ids == (expected["type_ids"] or encoding.type_ids)


def test_the_token_types_of_one_text(case: Case) -> None:
    encoding = opened(built(case)).encode("a Movie")
    last = 2 if case.model_type == "xlnet" else 0
    assert encoding.type_ids == [*[0] * (len(encoding) - 1), last]


def fitting(case: Case, rows: int) -> Tokenizer | None:
    try:
        return opened(built(case, rows=rows))
    except InconsistentModel:
        assert rows < case.size
        return None


def test_every_size_of_table(case: Case) -> None:
    """Tokens that have no row are left out, or the table is refused."""
    drawn = [*texts("rows", 200), *ALIKE, *(f"a {each} b" for each in ALIKE)]
    for rows in range(case.size - 4, case.size + 2):
        if tokenizer := fitting(case, rows):
            assert max(max(encoding.ids) for encoding in tokenizer.encode_batch(drawn)) < rows
            kind = KINDS[case.model_type]
            assert 0 <= kind.pad_id(kind.from_files(case.files), rows) < rows


def test_transformers_opens_what_is_written(case: Case, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    files = built(case, max_length=24)
    save(tmp_path, files, case.model_type)
    theirs, ours = AutoTokenizer.from_pretrained(tmp_path), opened(files, truncated=True)
    drawn = list(texts("opened", 60))
    encoded = theirs(drawn, truncation=True)
    assert encoded["input_ids"] == [encoding.ids for encoding in ours.encode_batch(drawn)]
    assert ("token_type_ids" in encoded) == ("token_type_ids" in files.config["model_input_names"])
    assert len(theirs) == ours.get_vocab_size()
    assert theirs.padding_side == ("left" if case.model_type == "xlnet" else "right")
    kind = KINDS[case.model_type]
    assert theirs.pad_token_id == kind.pad_id(kind.from_files(case.files), case.size)


TEXTS = st.lists(
    st.one_of(
        st.text(max_size=20),
        st.sampled_from([*WORDS, *ALIKE, *EMOJI, *INVISIBLE, *MARKS]),
        st.text("aeiouAEIOU éß'-,.\u0301", max_size=40),
        st.integers(1, 300).map("z".__mul__),
    ),
    max_size=8,
).map(" ".join)


@pytest.fixture(scope="module", params=["bert", "bert_cased", "electra", "distilbert_saved", "mpnet", "roberta", "longformer_saved"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Tokenizer]:
    """transformers' own tokenizer from the slow files, and ours. Its other families follow other rules since 5.0."""
    from transformers import AutoTokenizer

    case, folder = CASES[request.param], tmp_path_factory.mktemp("slow")
    for name, data in case.files.items():
        (folder / name).write_bytes(data)
    return AutoTokenizer.from_pretrained(folder), opened(built(case))


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS)
def test_any_text_gives_the_ids_of_transformers(both: tuple[Any, Tokenizer], text: str) -> None:
    theirs, ours = both
    assume("<mask>" not in text)  # since 5.0 it does not take the blank before it
    assert ours.encode(text).ids == theirs(text)["input_ids"]


@pytest.mark.parametrize(
    ("pieces", "lowercase"),
    [((), True), ((("Ab", -5, spm.NORMAL),), None), ((("▁É", -5, spm.UNUSED),), None), ((("[X]", 0, spm.USER_DEFINED),), True)],
)
def test_what_a_sentencepiece_model_shows_of_case(pieces: tuple[spm.Piece, ...], lowercase: bool | None) -> None:
    parts = albert({}, (*spm.BASE, *pieces))
    assert [kind.is_lowercase(parts) for kind in (ALBERT, XLNET, DEBERTA_V2)] == [lowercase] * 3
    assert [kind.is_lowercase(parts) for kind in (XLM_ROBERTA, CAMEMBERT)] == [None, None]


@pytest.mark.parametrize(("pieces", "lowercase"), [(["[X]", "<S>"], True), (["Ab"], None)])
def test_what_a_vocabulary_shows_of_case(pieces: list[str], lowercase: bool | None) -> None:
    parts = TokenizerParts({piece: index for index, piece in enumerate(pieces)}, settings={"cls_token": "<S>"})
    assert BERT.is_lowercase(parts) is lowercase
    assert ROBERTA.is_lowercase(byte_parts({})) is None


@pytest.mark.parametrize(("kind", "text"), [(BERT, "Abc"), (ALBERT, "Ab É"), (XLNET, "Ab É"), (DEBERTA_V2, "AB")])
def test_lower_casing_can_be_asked_for(kind: TokenizerKind, text: str) -> None:
    name = {"BertTokenizer": "bert", "AlbertTokenizer": "albert", "XLNetTokenizer": "xlnet", "DebertaV2Tokenizer": "deberta"}
    case = CASES[name[kind.tokenizer_class]]
    parts = kind.from_files(case.files)
    lower, cased = (opened(kind.build(parts, rows=case.size, lowercase=value, max_length=8)) for value in (True, False))
    assert lower.encode(text).ids == lower.encode(text.lower()).ids == cased.encode(text.lower()).ids != cased.encode(text).ids


@pytest.mark.parametrize("kind", [ROBERTA, XLM_ROBERTA, CAMEMBERT])
def test_some_have_no_setting_for_case(kind: TokenizerKind) -> None:
    case = next(case for case in CASES.values() if KINDS[case.model_type] is kind)
    with pytest.raises(UnsupportedModel, match="no setting for lower-casing"):
        kind.build(kind.from_files(case.files), rows=case.size, lowercase=True, max_length=8)


def test_the_class_that_a_repository_names_outranks_its_architecture() -> None:
    assert kind_of("bert", "XLMRobertaTokenizerFast") is XLM_ROBERTA
    assert kind_of("mpnet") is MPNET
    for name, tokenizer_class in (("bert", "BertJapaneseTokenizer"), ("gpt2", None)):
        with pytest.raises(UnsupportedModel, match=r"BertJapanese|gpt2"):
            kind_of(name, tokenizer_class)


BYTES = {"<s>": 0, "<pad>": 1, "</s>": 2, "a": 3, "b": 4, "c": 5, "ab": 6, "abc": 7}


def byte_parts(merges: Mapping[tuple[str, str], int], vocabulary: Mapping[str, int] = BYTES) -> TokenizerParts:
    return ROBERTA.from_archive(vocabulary, merges, {})


def test_merges_count_by_rank_and_the_heading_is_none() -> None:
    merges = {("b", "c"): 3, ("ab", "c"): 2, ("#version:", "0.2"): 0, ("a", "b"): 1}
    parts = byte_parts(merges, {**BYTES, "bc": 8})
    assert parts.merges == (("a", "b"), ("ab", "c"), ("b", "c"))
    tokenizer = opened(ROBERTA.build(parts, rows=9, lowercase=None, max_length=8))
    assert tokenizer.encode("abcbc").ids == [0, 7, 8, 2]


@pytest.mark.parametrize(
    ("merges", "why"),
    [
        ({("a", "c"): 0}, "'ac' is not in it"),
        ({("a", "x"): 0}, "'x' is not in it"),
        ({("#version:", "0.2"): 1, ("a", "b"): 0}, "#version:"),
        ({("a", "b"): 0, ("ab", "c"): 0}, "one rank"),
    ],
)
def test_merges_must_fit_the_vocabulary(merges: dict[tuple[str, str], int], why: str) -> None:
    with pytest.raises(InconsistentModel, match=why):
        ROBERTA.check(byte_parts(merges), 9)


@pytest.mark.parametrize("missing", ["<s>", "<pad>", "</s>"])
def test_byte_level_special_tokens_are_needed(missing: str) -> None:
    parts = byte_parts({}, {piece: index for piece, index in BYTES.items() if piece != missing})
    with pytest.raises(UnsupportedModel, match=missing):
        ROBERTA.check(parts, 9)


@pytest.mark.parametrize(
    ("vocabulary", "why"),
    [
        (b'{"a": 1.0}', "whole number"),
        (b'{"a": true}', "whole number"),
        (b"[]", "no JSON object"),
        (b'{"a": ', "not JSON"),
        (b'"\xff"', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"\\ud800": 0, "<s>": 1, "<pad>": 2, "</s>": 3}', "no Unicode text"),
    ],
)
def test_a_vocabulary_of_another_form(vocabulary: bytes, why: str) -> None:
    with pytest.raises(InconsistentModel, match=why):
        ROBERTA.check(ROBERTA.from_files({"vocab.json": vocabulary, "merges.txt": b"#version: 0.2\n"}), 9)


def test_files_that_are_no_text() -> None:
    with pytest.raises(InconsistentModel, match="not UTF-8"):
        ROBERTA.from_files({"vocab.json": b"{}", "merges.txt": b"\xff\n"})
    with pytest.raises(InconsistentModel, match="not UTF-8"):
        BERT.from_files({"vocab.txt": b"\xff\n"})


@pytest.mark.parametrize("line", ["a", "a b c", ""])
def test_a_merge_has_two_pieces(line: str) -> None:
    with pytest.raises(InconsistentModel, match="two pieces"):
        ROBERTA.from_files({"vocab.json": b"{}", "merges.txt": f"#version: 0.2\na b\n{line}\nb c\n".encode()})


def test_an_origin_without_its_parts() -> None:
    for kind in KINDS.values():
        with pytest.raises(UnsupportedModel, match="archive has no"):
            kind.from_archive(None, None, {"some_file": b""})
        with pytest.raises(UnsupportedModel, match=f"it lacks {kind.files[0]}"):
            kind.from_files({})
        with pytest.raises(UnsupportedModel):
            kind.check(TokenizerParts(), 10)


def albert(files: Mapping[str, Any], pieces: tuple[spm.Piece, ...] = spm.BASE) -> TokenizerParts:
    content = {name: json.dumps(value).encode() for name, value in files.items()}
    return ALBERT.from_files({"spiece.model": spm.model(pieces), **content})


CONFIG = "tokenizer_config.json"


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({CONFIG: {"do_lower_case": "yes"}}, "do_lower_case is 'yes'"),
        ({CONFIG: {"keep_accents": 1}}, "keep_accents is 1"),
        ({CONFIG: {"mask_token": 7}}, "mask_token is no token"),
        ({CONFIG: {"mask_token": {"content": "[MASK]", "lstrip": "x"}}}, "lstrip of mask_token"),
        ({CONFIG: {"mask_token": "\ud800"}}, "no Unicode text"),
        ({CONFIG: {"additional_special_tokens": "x"}}, "no list"),
        ({CONFIG: {"additional_special_tokens": [None]}}, "no token"),
        ({CONFIG: {"additional_special_tokens": 5}, "added_tokens.json": {"<e>": 11}}, "no list"),
        ({CONFIG: {"added_tokens_decoder": []}}, "no object"),
        ({CONFIG: {"added_tokens_decoder": {"x": {"content": "a"}}}}, "no number"),
        ({CONFIG: {"added_tokens_decoder": {"7": {"content": "<e>"}}}}, "the id 7, and the vocabulary leads to 11"),
        ({"added_tokens.json": {"[CLS]": 3}}, "the id 3, and the vocabulary leads to 2"),
        ({"added_tokens.json": {"<e>": "x"}}, "no number"),
        ({"added_tokens.json": {"<e>": 11, "<f>": 12, "<g>": 13}}, "'<g>' has no row"),
        ({"special_tokens_map.json": []}, "no JSON object"),
    ],
)
def test_settings_of_another_form_or_that_contradict(files: dict[str, Any], why: str) -> None:
    with pytest.raises(InconsistentModel, match=why):
        ALBERT.build(albert(files), rows=13, lowercase=None, max_length=8)


@pytest.mark.parametrize(
    ("files", "ids"),
    [
        ({}, [2, 8, 4, 8, 3]),
        # The model's own piece all the same, but it does not take the blank before it.
        ({CONFIG: {"mask_token": None}}, [2, 8, 5, 4, 8, 3]),
        ({CONFIG: {"additional_special_tokens": ["ab"]}}, [2, 9, 4, 5, 9, 3]),
        ({"added_tokens.json": {"ab": 9}, "special_tokens_map.json": {"cls_token": "[CLS]"}}, [2, 9, 4, 5, 9, 3]),
        ({CONFIG: {"added_tokens_decoder": {"9": {"content": "ab", "lstrip": True, "special": True}}}}, [2, 9, 4, 9, 3]),
    ],
)
def test_added_tokens_are_found_in_the_text(files: dict[str, Any], ids: list[int]) -> None:
    tokenizer = opened(ALBERT.build(albert(files), rows=11, lowercase=None, max_length=8))
    assert tokenizer.encode("ab [MASK] ab").ids == ids


@pytest.mark.parametrize("missing", ["[CLS]", "[SEP]"])
def test_a_token_of_the_template_is_needed(missing: str) -> None:
    pieces = tuple(piece for piece in spm.BASE if piece[0] != missing)
    with pytest.raises(UnsupportedModel, match="not that of a AlbertTokenizer"):
        ALBERT.check(albert({}, pieces), len(pieces))
    assert opened(ALBERT.build(albert({}, pieces), rows=20, lowercase=None, max_length=8)).token_to_id(missing) == len(pieces)


@pytest.mark.parametrize("token", ["a:b", "$A", "a b"])
def test_a_template_cannot_name_every_token(token: str) -> None:
    parts = TokenizerParts({"[UNK]": 0, "[PAD]": 1, token: 2, "[SEP]": 3}, settings={"cls_token": token})
    with pytest.raises(UnsupportedModel, match="cannot name it"):
        BERT.build(parts, rows=4, lowercase=None, max_length=8)


def test_padding_without_a_row_for_the_usual_token() -> None:
    own = DEBERTA_V2.from_files({"spm.model": spm.model()})
    assert DEBERTA_V2.pad_id(own, 11) == 0  # the model's own <pad>
    assert DEBERTA_V2.pad_id(own, 20) == 12  # [PAD], after [UNK]
    none = DEBERTA_V2.from_files({"spm.model": spm.model(pad_id=-1)})
    files = DEBERTA_V2.build(none, rows=11, lowercase=None, max_length=8)
    assert (DEBERTA_V2.pad_id(none, 11), files.config["pad_token"], files.config["unk_token"]) == (3, "[SEP]", None)


@settings(max_examples=300, deadline=None)
@given(scores=st.lists(st.floats(-(2.0**13), -(2.0**-13), width=32), min_size=20, max_size=20))
def test_scores_are_read_as_they_are(scores: list[float]) -> None:
    """Sums of scores decide, and many are equal but for the last place. What cannot be written has few digits, so that sums are exact."""
    pieces = (*spm.BASE[:6], *((f"p{index}", score, spm.NORMAL) for index, score in enumerate(scores)))
    parts = TokenizerParts(sentencepiece=parse_sentencepiece(spm.model(pieces), "tiny"))
    files = ALBERT.build(parts, rows=40, lowercase=None, max_length=8)
    written = [score for _, score in json.loads(files.tokenizer_json)["model"]["vocab"]][6:]
    read = [score for _, score in json.loads(opened(files).to_str())["model"]["vocab"]][6:]
    assert read == written
    assert all(
        found == score or (isclose(found, score, rel_tol=1e-11) and few_digits(found)) for found, score in zip(read, scores, strict=True)
    )


def few_digits(number: float) -> bool:
    return ldexp(frexp(number)[0], 41).is_integer()
