"""The tokenizer of BERT and its kin, from a vocabulary: Hugging Face's BertTokenizer, written as tokenizer.json.

Settings that no archive states are those of the original BERT (google-research/bert, tokenization.py): text is cleaned,
Chinese characters stand alone, accents go exactly when case goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hubclient.errors import InconsistentModel, UnsupportedModel

_REQUIRED = {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]"}
_MASK = "[MASK]"


@dataclass(frozen=True)
class TokenizerFiles:
    tokenizer_json: str
    config: Mapping[str, Any]


def build(
    vocabulary: Mapping[str, int],
    *,
    lowercase: bool,
    max_length: int,
    strip_accents: bool | None = None,
    chinese_characters: bool = True,
) -> TokenizerFiles:
    """`strip_accents`: None goes with `lowercase`. Raises UnsupportedModel for a vocabulary without BERT's special tokens."""
    from tokenizers import AddedToken, Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import TemplateProcessing

    specials = special_tokens(vocabulary)
    tokenizer = Tokenizer(WordPiece(dict(vocabulary), unk_token=_REQUIRED["unk_token"], max_input_chars_per_word=100))
    tokenizer.normalizer = BertNormalizer(
        clean_text=True, handle_chinese_chars=chinese_characters, strip_accents=strip_accents, lowercase=lowercase
    )
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    known = sorted((token for token in specials.values() if token), key=lambda token: vocabulary[token])
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in known])
    config = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": lowercase,
        "strip_accents": strip_accents,
        "tokenize_chinese_chars": chinese_characters,
        "model_max_length": max_length,
        **specials,
    }
    return TokenizerFiles(tokenizer.to_str(), config)


def special_tokens(vocabulary: Mapping[str, int]) -> dict[str, str | None]:
    """transformers' names of the special tokens -> the tokens; the mask token is None where the vocabulary lacks it."""
    missing = [token for token in _REQUIRED.values() if token not in vocabulary]
    if missing:
        raise UnsupportedModel(
            "the vocabulary is not that of a BERT tokenizer",
            why=f"it lacks the special tokens {', '.join(missing)}",
            hint="models with other special tokens cannot be read from an archive",
        )
    return {**_REQUIRED, "mask_token": _MASK if _MASK in vocabulary else None}


def check_vocabulary(vocabulary: Mapping[str, int], rows: int) -> None:
    """Each piece has an id of its own, and each id a row in an embedding table of `rows`."""
    if not vocabulary:
        raise InconsistentModel("the vocabulary is empty")
    piece, highest = max(vocabulary.items(), key=lambda item: item[1])
    lowest = min(vocabulary.values())
    if lowest < 0 or highest >= rows:
        raise InconsistentModel(
            "the vocabulary does not fit the embedding table",
            why=f"ids run from {lowest} to {highest} ('{piece}'), and the table has {rows} rows",
        )
    if len(set(vocabulary.values())) != len(vocabulary):
        raise InconsistentModel("the vocabulary gives one id to two pieces")


def is_lowercase(vocabulary: Mapping[str, int]) -> bool:
    """Whether lower-casing changes no piece that a text can give.

    A bracketed piece such as `[CLS]` does not count: text is split at punctuation, so no text gives it.
    """
    return all(piece == piece.lower() for piece in vocabulary if not (piece.startswith("[") and piece.endswith("]") and len(piece) > 2))
