"""The tokenizers of BERT and its kin, from a vocabulary: WordPiece, written as tokenizer.json.

Settings that no origin states are those of the original BERT (google-research/bert, tokenization.py): text is cleaned, Chinese characters
stand alone, accents go exactly when case goes.

Source: transformers 4.57.1, BertConverter and MPNetConverter in convert_slow_tokenizer.py, load_vocab in models/bert/tokenization_bert.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from hubclient.errors import UnsupportedModel
from hubclient.models import special_tokens as specials
from hubclient.models.special_tokens import Added, SpecialTokens
from hubclient.models.template import template
from hubclient.models.tokenizer import TokenizerFiles, TokenizerParts, check_vocabulary, flag, needed, read_text

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["TokenizerFiles", "WordPiece", "build", "check_vocabulary", "is_lowercase", "special_tokens"]

# Without a token for each of these, nothing can be tokenized or batched.
_REQUIRED = ("unk_token", "sep_token", "pad_token", "cls_token")
_VOCABULARY = "vocab.txt"
_LONGEST_WORD = 100

BERT_TOKENS: Mapping[str, Added] = MappingProxyType(
    {
        "unk_token": Added("[UNK]"),
        "sep_token": Added("[SEP]"),
        "pad_token": Added("[PAD]"),
        "cls_token": Added("[CLS]"),
        "mask_token": Added("[MASK]"),
    }
)
MPNET_TOKENS: Mapping[str, Added] = MappingProxyType(
    {
        "bos_token": Added("<s>"),
        "eos_token": Added("</s>"),
        "unk_token": Added("[UNK]"),
        "sep_token": Added("</s>"),
        "pad_token": Added("<pad>"),
        "cls_token": Added("<s>"),
        "mask_token": Added("<mask>", lstrip=True),
    }
)


@dataclass(frozen=True)
class WordPiece:
    """A kind of tokenizer. `between`: how many separators stand between the texts of a pair."""

    tokenizer_class: str
    tokens: Mapping[str, Added]
    inputs: tuple[str, ...]
    between: int = 1
    files: tuple[str, ...] = (_VOCABULARY,)
    lowercases: bool | None = True
    more: tuple[str, ...] = ()

    def from_files(self, files: Mapping[str, bytes]) -> TokenizerParts:
        lines = read_text(files, _VOCABULARY).split("\n")
        vocabulary = {piece: index for index, piece in enumerate(lines[:-1] if lines[-1] == "" else lines)}
        return TokenizerParts(vocabulary=vocabulary, settings=specials.read_settings(files))

    def from_archive(
        self, vocabulary: Mapping[str, int] | None, merges: Mapping[tuple[str, str], int] | None, files: Mapping[str, bytes]
    ) -> TokenizerParts:
        return TokenizerParts(vocabulary=needed(vocabulary, "archive"))

    def check(self, parts: TokenizerParts, rows: int) -> None:
        self._tokens(parts, rows)

    def is_lowercase(self, parts: TokenizerParts) -> bool | None:
        special = {token.text for token in self._special(parts).tokens}
        return is_lowercase({piece: index for piece, index in (parts.vocabulary or {}).items() if piece not in special}) or None

    def pad_id(self, parts: TokenizerParts, rows: int) -> int:
        special, ids = self._tokens(parts, rows)
        return ids[special.roles["pad_token"].text]

    def build(self, parts: TokenizerParts, *, rows: int, lowercase: bool | None, max_length: int) -> TokenizerFiles:
        special, ids = self._tokens(parts, rows)
        case = flag(parts.settings, "do_lower_case", True) if lowercase is None else lowercase
        strip = flag(parts.settings, "strip_accents", case) if parts.settings.get("strip_accents") is not None else None
        chinese = flag(parts.settings, "tokenize_chinese_chars", True)
        unknown, first, last = (special.roles[role].text for role in ("unk_token", "cls_token", "sep_token"))
        tokenizer = _tokenizer(needed(parts.vocabulary, "origin"), unknown, lowercase=case, strip_accents=strip, chinese_characters=chinese)
        pair = f"cls:0 $A:0 {'sep:0 ' * self.between}$B:1 sep:1"
        tokenizer.post_processor = template("cls:0 $A:0 sep:0", pair, ids, cls=first, sep=last)
        specials.add(tokenizer, special.tokens, ids)
        config = {
            **specials.config(special, ids, max_length=max_length, inputs=self.inputs),
            "do_lower_case": case,
            "strip_accents": strip,
            "tokenize_chinese_chars": chinese,
        }
        return TokenizerFiles(tokenizer.to_str(), config)

    def _special(self, parts: TokenizerParts) -> SpecialTokens:
        return specials.special_tokens(parts.settings, self.tokens)

    def _tokens(self, parts: TokenizerParts, rows: int) -> tuple[SpecialTokens, dict[str, int]]:
        vocabulary = needed(parts.vocabulary, "origin")
        check_vocabulary(vocabulary, rows)
        special = self._special(parts)
        _demand(special, vocabulary, self.tokenizer_class)
        ids = specials.assign(special.tokens, vocabulary, len(vocabulary), rows)
        specials.check_stated(special, ids, rows)
        return special, ids


_INPUTS = ("input_ids", "token_type_ids", "attention_mask")
_NO_TYPES = ("input_ids", "attention_mask")

BERT = WordPiece("BertTokenizer", BERT_TOKENS, _INPUTS)
ELECTRA = WordPiece("ElectraTokenizer", BERT_TOKENS, _INPUTS)
DISTILBERT = WordPiece("DistilBertTokenizer", BERT_TOKENS, _NO_TYPES)
MPNET = WordPiece("MPNetTokenizer", MPNET_TOKENS, _NO_TYPES, between=2)


def build(
    vocabulary: Mapping[str, int],
    *,
    lowercase: bool,
    max_length: int,
    strip_accents: bool | None = None,
    chinese_characters: bool = True,
) -> TokenizerFiles:
    """`strip_accents`: None goes with `lowercase`. Raises UnsupportedModel for a vocabulary without BERT's special tokens."""
    settings = {"strip_accents": strip_accents, "tokenize_chinese_chars": chinese_characters}
    rows = 1 + max(vocabulary.values(), default=0)
    return BERT.build(TokenizerParts(vocabulary, settings=settings), rows=rows, lowercase=lowercase, max_length=max_length)


def special_tokens(vocabulary: Mapping[str, int]) -> dict[str, str | None]:
    """transformers' names of the special tokens -> the tokens; the mask token is None where the vocabulary lacks it."""
    _demand(specials.special_tokens({}, BERT_TOKENS), vocabulary, BERT.tokenizer_class)
    return {role: token.text if token.text in vocabulary else None for role, token in BERT_TOKENS.items()}


def is_lowercase(vocabulary: Mapping[str, int]) -> bool:
    """Whether lower-casing changes no piece that a text can give.

    A bracketed piece such as `[CLS]` does not count: text is split at punctuation, so no text gives it.
    """
    return all(piece == piece.lower() for piece in vocabulary if not (piece.startswith("[") and piece.endswith("]") and len(piece) > 2))


def _demand(special: SpecialTokens, vocabulary: Mapping[str, int], title: str) -> None:
    missing = [special.roles[role].text if role in special.roles else role for role in _REQUIRED if not _has(special, vocabulary, role)]
    if missing:
        raise UnsupportedModel(
            f"the vocabulary is not that of a {title}",
            why=f"it lacks the special tokens {', '.join(missing)}",
            hint="models with other special tokens cannot be read from an archive",
        )


def _has(special: SpecialTokens, vocabulary: Mapping[str, int], role: str) -> bool:
    return role in special.roles and special.roles[role].text in vocabulary


def _tokenizer(
    vocabulary: Mapping[str, int], unknown: str, *, lowercase: bool, strip_accents: bool | None, chinese_characters: bool
) -> Tokenizer:
    from tokenizers import Tokenizer, decoders
    from tokenizers.models import WordPiece as Model
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer

    tokenizer = Tokenizer(Model(dict(vocabulary), unk_token=unknown, max_input_chars_per_word=_LONGEST_WORD))
    tokenizer.normalizer = BertNormalizer(
        clean_text=True, handle_chinese_chars=chinese_characters, strip_accents=strip_accents, lowercase=lowercase
    )
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    return tokenizer
