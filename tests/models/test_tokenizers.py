"""Tokenizers of every family, against the token ids of the originals."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from hubclient.models.tokenizer import TokenizerFiles, TokenizerKind, TokenizerParts
from hubclient.models.tokenizer_kinds import KINDS
from tests.models.tokenizer_material import encodings, goldens, parts_of_archive, read_golden


def opened(files: TokenizerFiles) -> Tokenizer:
    tokenizer = Tokenizer.from_str(files.tokenizer_json)
    tokenizer.enable_truncation(files.config["model_max_length"])
    return tokenizer


def rows_of(kind: TokenizerKind, parts: TokenizerParts) -> int:
    """The shortest table that the vocabulary fits. fairseq's tokens come on top of the pieces."""
    if parts.vocabulary is not None:
        return len(parts.vocabulary)
    assert parts.sentencepiece is not None
    return len(parts.sentencepiece.pieces) + {"XLMRobertaTokenizer": 2, "CamembertTokenizer": 5}.get(kind.tokenizer_class, 0)


@pytest.mark.parametrize("path", goldens(), ids=lambda path: path.name.partition("_3.")[0])
def test_archives_give_the_ids_of_their_originals(path: Path) -> None:
    model_type, head, rows = read_golden(path)
    kind = KINDS[model_type]
    parts = parts_of_archive(path.with_name(head["archive"]), kind)
    lowercase = None if kind.lowercases is None else kind.is_lowercase(parts) or not head["case_sensitive"]
    files = kind.build(parts, rows=rows_of(kind, parts), lowercase=lowercase, max_length=head["max_length"])
    tokenizer = opened(files)
    compared = 0
    for texts, golden in encodings(head, rows):
        encoding = tokenizer.encode(*texts)
        assert encoding.ids == golden["input_ids"], texts
        assert encoding.type_ids == golden.get("token_type_ids", encoding.type_ids), texts
        compared += 1
    assert compared >= 60
