"""The tokenizers of ALBERT, CamemBERT, DeBERTa-v2, XLM-RoBERTa and XLNet, from a SentencePiece model, written as tokenizer.json.

Strategy: each kind says which pieces its vocabulary is made of, how text is normalised, and how special tokens stand around it. As the
reference does, all kinds put a blank before the text, know no byte fallback, and take nothing of the model's own normaliser but its
table: what else a model says of these was never in force for those who trained with it.

Source: transformers 4.57.1, SpmConverter and its subclasses in convert_slow_tokenizer.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models import special_tokens as specials
from hubclient.models.sentencepiece_model import CONTROL, NORMAL, UNUSED, USER_DEFINED, SentencePieceModel, parse_sentencepiece
from hubclient.models.sentencepiece_pieces import Pieces, camembert, plain, without_number_commas, write, xlm_roberta
from hubclient.models.sentencepiece_pieces import model as piece_model
from hubclient.models.special_tokens import Added
from hubclient.models.template import template
from hubclient.models.tokenizer import TokenizerFiles, TokenizerParts, flag, no_case, required

if TYPE_CHECKING:
    from tokenizers.normalizers import Normalizer
    from tokenizers.pre_tokenizers import PreTokenizer

# Archives name the file after the architecture and this.
_SUFFIX = "_spp"
_BLANK = "▁"

_TYPES = ("input_ids", "token_type_ids", "attention_mask")
_NO_TYPES = ("input_ids", "attention_mask")


@dataclass(frozen=True)
class SentencePiece:
    """A kind of tokenizer.

    `single` and `pair` are templates in which `cls` and `sep` stand for the tokens of these names; `fixed` are ids of theirs that no
    model changes. `more` are further special tokens. `splits`: a setting can have it split text at punctuation.
    """

    tokenizer_class: str
    files: tuple[str, ...]
    pieces: Callable[[SentencePieceModel], Pieces]
    normalizers: Callable[[bytes, Mapping[str, Any], bool], list[Normalizer]]
    tokens: Mapping[str, Added]
    cls: str
    sep: str
    single: str = "cls:0 $A:0 sep:0"
    pair: str = "cls:0 $A:0 sep:0 $B:1 sep:1"
    fixed: tuple[tuple[str, int], ...] = ()
    more: tuple[str, ...] = ()
    inputs: tuple[str, ...] = _TYPES
    padding_side: str = "right"
    splits: bool = False
    lowercases: bool | None = None

    def from_files(self, files: Mapping[str, bytes]) -> TokenizerParts:
        (name,) = self.files
        return TokenizerParts(sentencepiece=parse_sentencepiece(required(files, name), name), settings=specials.read_settings(files))

    def from_archive(
        self, vocabulary: Mapping[str, int] | None, merges: Mapping[tuple[str, str], int] | None, files: Mapping[str, bytes]
    ) -> TokenizerParts:
        names = [name for name in files if name.endswith(_SUFFIX)]
        if len(names) != 1:
            why = f"names that end in {_SUFFIX}: {', '.join(names) or 'none'}"
            raise UnsupportedModel("the archive has no SentencePiece model", why=why)
        return TokenizerParts(sentencepiece=parse_sentencepiece(files[names[0]], names[0]))

    def check(self, parts: TokenizerParts, rows: int) -> None:
        self._layout(parts, rows)

    def is_lowercase(self, parts: TokenizerParts) -> bool | None:
        if self.lowercases is None:
            return None
        model = _needed(parts)
        special = {token.text for token in specials.special_tokens(parts.settings, self.tokens, self.more).tokens}
        texts = (text for text, kind in zip(model.pieces, model.types, strict=True) if kind in (NORMAL, UNUSED) and text not in special)
        return all(text == text.lower() for text in texts) or None

    def pad_id(self, parts: TokenizerParts, rows: int) -> int:
        layout = self._layout(parts, rows)
        return layout.ids[layout.padding]

    def build(self, parts: TokenizerParts, *, rows: int, lowercase: bool | None, max_length: int) -> TokenizerFiles:
        from tokenizers import Tokenizer, decoders, normalizers

        if self.lowercases is None:
            no_case(lowercase)
        case = flag(parts.settings, "do_lower_case", bool(self.lowercases)) if lowercase is None else lowercase
        model, layout = _needed(parts), self._layout(parts, rows)
        tokenizer = Tokenizer(piece_model(model, layout.pieces))
        tokenizer.normalizer = normalizers.Sequence(self.normalizers(model.charsmap, parts.settings, case))
        tokenizer.pre_tokenizer = self._pre_tokenizer(parts.settings)
        tokenizer.decoder = decoders.Metaspace(replacement=_BLANK, prepend_scheme="always")
        ids = {**layout.vocabulary, **layout.ids, **dict(self.fixed)}
        tokenizer.post_processor = template(self.single, self.pair, ids, cls=self.cls, sep=self.sep)
        specials.add(tokenizer, layout.tokens, layout.ids)
        config = {
            **specials.config(layout.special, layout.ids, max_length=max_length, inputs=self.inputs),
            "pad_token": layout.padding,
            "padding_side": self.padding_side,
            **({} if self.lowercases is None else {"do_lower_case": case}),
        }
        return TokenizerFiles(write(tokenizer, layout.pieces), config)

    def _pre_tokenizer(self, settings: Mapping[str, Any]) -> PreTokenizer:
        from tokenizers import pre_tokenizers

        words = pre_tokenizers.Metaspace(replacement=_BLANK, prepend_scheme="always")
        if not self.splits:
            return words
        punctuation = [pre_tokenizers.Punctuation(behavior="isolated")] if flag(settings, "split_by_punct", False) else []
        return pre_tokenizers.Sequence([*punctuation, words])

    def _layout(self, parts: TokenizerParts, rows: int) -> _Layout:
        """Which tokens there are, with their ids. Refuses what does not fit."""
        model = _needed(parts)
        pieces = self.pieces(model)
        if len(pieces.texts) > rows:
            raise InconsistentModel(
                "the vocabulary does not fit the embedding table", why=f"it has {len(pieces.texts)} pieces, and the table {rows} rows"
            )
        vocabulary = {text: index for index, text in enumerate(pieces.texts)}
        special = specials.special_tokens(parts.settings, self.tokens, self.more)
        tokens = (*_found_in_text(model), *special.tokens)
        size = len(pieces.texts) if model.algorithm == "unigram" else len(vocabulary)
        ids = specials.assign(tokens, vocabulary, size, rows)
        specials.check_stated(special, ids, rows)
        missing = [token for token in (self.cls, self.sep) if token not in ids and token not in vocabulary]
        if missing:
            raise UnsupportedModel(
                f"the vocabulary is not that of a {self.tokenizer_class}", why=f"it lacks the special tokens {', '.join(missing)}"
            )
        return _Layout(pieces, vocabulary, special, tokens, ids, _padding(model, special, ids, self.sep))


@dataclass(frozen=True)
class _Layout:
    """`ids` are those of the `tokens` that are found in a text, `vocabulary` those of the pieces. `padding` is one of the tokens."""

    pieces: Pieces
    vocabulary: Mapping[str, int]
    special: specials.SpecialTokens
    tokens: tuple[Added, ...]
    ids: Mapping[str, int]
    padding: str


def _needed(parts: TokenizerParts) -> SentencePieceModel:
    if parts.sentencepiece is None:
        raise UnsupportedModel("the origin has no SentencePiece model", hint="its model is one that needs one")
    return parts.sentencepiece


def _found_in_text(model: SentencePieceModel) -> list[Added]:
    """The pieces that are found in a text before it is split."""
    kinds = zip(model.pieces, model.types, strict=True)
    return [Added(text, special=kind == CONTROL) for text, kind in kinds if kind in (CONTROL, USER_DEFINED)]


def _padding(model: SentencePieceModel, special: specials.SpecialTokens, ids: Mapping[str, int], last: str) -> str:
    """A model's own padding piece where the table has no row for the usual one; else any token, since what is padded is masked."""
    usual = special.roles.get("pad_token")
    own = model.pieces[model.pad_id] if model.pad_id >= 0 else ""
    return next((text for text in (usual.text if usual else "", own) if text in ids), last)


def _as_sentencepiece(charsmap: bytes, settings: Mapping[str, Any], lowercase: bool) -> list[Normalizer]:
    from tokenizers import Regex, normalizers

    return [*_table(charsmap), normalizers.Strip(left=False, right=True), normalizers.Replace(Regex(" {2,}"), _BLANK)]


def _without_accents(charsmap: bytes, settings: Mapping[str, Any], lowercase: bool) -> list[Normalizer]:
    from tokenizers import Regex, normalizers

    accents = [] if flag(settings, "keep_accents", False) else [normalizers.NFKD(), normalizers.StripAccents()]
    return [
        normalizers.Replace("``", '"'),
        normalizers.Replace("''", '"'),
        *accents,
        *([normalizers.Lowercase()] if lowercase else []),
        *_table(charsmap),
        normalizers.Replace(Regex(" {2,}"), " "),
    ]


def _stripped(charsmap: bytes, settings: Mapping[str, Any], lowercase: bool) -> list[Normalizer]:
    from tokenizers import Regex, normalizers

    return [
        *([normalizers.Lowercase()] if lowercase else []),
        normalizers.Strip(),
        *_table(charsmap),
        normalizers.Replace(Regex(" {2,}"), " "),
    ]


def _table(charsmap: bytes) -> list[Normalizer]:
    from tokenizers import normalizers

    return [normalizers.Precompiled(charsmap)] if charsmap else []


_ROBERTA_TOKENS: Mapping[str, Added] = MappingProxyType(
    {
        "bos_token": Added("<s>"),
        "eos_token": Added("</s>"),
        "unk_token": Added("<unk>"),
        "sep_token": Added("</s>"),
        "pad_token": Added("<pad>"),
        "cls_token": Added("<s>"),
        "mask_token": Added("<mask>", lstrip=True),
    }
)
_PAIR_WITHOUT_TYPES = "cls:0 $A:0 sep:0 sep:0 $B:0 sep:0"

XLM_ROBERTA = SentencePiece(
    "XLMRobertaTokenizer",
    ("sentencepiece.bpe.model",),
    xlm_roberta,
    _as_sentencepiece,
    _ROBERTA_TOKENS,
    cls="<s>",
    sep="</s>",
    pair=_PAIR_WITHOUT_TYPES,
    fixed=(("<s>", 0), ("</s>", 2)),
    inputs=_NO_TYPES,
)
CAMEMBERT = SentencePiece(
    "CamembertTokenizer",
    ("sentencepiece.bpe.model",),
    camembert,
    _as_sentencepiece,
    _ROBERTA_TOKENS,
    cls="<s>",
    sep="</s>",
    pair=_PAIR_WITHOUT_TYPES,
    more=("<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"),
    inputs=_NO_TYPES,
)
ALBERT = SentencePiece(
    "AlbertTokenizer",
    ("spiece.model",),
    without_number_commas,
    _without_accents,
    MappingProxyType(
        {
            "bos_token": Added("[CLS]"),
            "eos_token": Added("[SEP]"),
            "unk_token": Added("<unk>"),
            "sep_token": Added("[SEP]"),
            "pad_token": Added("<pad>"),
            "cls_token": Added("[CLS]"),
            "mask_token": Added("[MASK]", lstrip=True),
        }
    ),
    cls="[CLS]",
    sep="[SEP]",
    lowercases=True,
)
XLNET = SentencePiece(
    "XLNetTokenizer",
    ("spiece.model",),
    without_number_commas,
    _without_accents,
    MappingProxyType({**_ROBERTA_TOKENS, "sep_token": Added("<sep>"), "cls_token": Added("<cls>")}),
    cls="<cls>",
    sep="<sep>",
    single="$A:0 sep:0 cls:2",
    pair="$A:0 sep:0 $B:1 sep:1 cls:2",
    more=("<eop>", "<eod>"),
    padding_side="left",
    lowercases=False,
)
DEBERTA_V2 = SentencePiece(
    "DebertaV2Tokenizer",
    ("spm.model",),
    plain,
    _stripped,
    MappingProxyType(
        {
            "bos_token": Added("[CLS]"),
            "eos_token": Added("[SEP]"),
            "unk_token": Added("[UNK]", normalized=True),
            "sep_token": Added("[SEP]"),
            "pad_token": Added("[PAD]"),
            "cls_token": Added("[CLS]"),
            "mask_token": Added("[MASK]"),
        }
    ),
    cls="[CLS]",
    sep="[SEP]",
    splits=True,
    lowercases=False,
)
