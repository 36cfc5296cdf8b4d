"""The tokenizers of RoBERTa and Longformer: byte-level BPE, from a vocabulary and merges, written as tokenizer.json.

Strategy: both come as they are; merges are in the order of their rank. The merges of an archive start with the heading of merges.txt,
which its writer took for the first of them.

Source: transformers 4.57.1, RobertaConverter in convert_slow_tokenizer.py, RobertaTokenizer in models/roberta/tokenization_roberta.py;
com.johnsnowlabs.nlp.annotators.classifier.dl.RoBertaForSequenceClassification (Spark NLP) for the heading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models import special_tokens as specials
from hubclient.models.special_tokens import Added, SpecialTokens
from hubclient.models.tokenizer import (
    TokenizerFiles,
    TokenizerParts,
    check_vocabulary,
    flag,
    needed,
    no_case,
    read_object,
    read_text,
    required,
)

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_VOCABULARY = "vocab.json"
_MERGES = "merges.txt"
_HEADING = "#version:"
_REQUIRED = ("cls_token", "sep_token", "pad_token")

# All but the mask are looked for in the normalised text, and the text is normalised by nothing: this says in which order they are found.
ROBERTA_TOKENS: Mapping[str, Added] = MappingProxyType(
    {
        "bos_token": Added("<s>", normalized=True),
        "eos_token": Added("</s>", normalized=True),
        "unk_token": Added("<unk>", normalized=True),
        "sep_token": Added("</s>", normalized=True),
        "pad_token": Added("<pad>", normalized=True),
        "cls_token": Added("<s>", normalized=True),
        "mask_token": Added("<mask>", lstrip=True),
    }
)


@dataclass(frozen=True)
class ByteLevel:
    """A kind of tokenizer."""

    tokenizer_class: str
    files: tuple[str, ...] = (_VOCABULARY, _MERGES)
    lowercases: bool | None = None
    tokens: Mapping[str, Added] = field(default_factory=lambda: ROBERTA_TOKENS)
    more: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ("input_ids", "attention_mask")

    def from_files(self, files: Mapping[str, bytes]) -> TokenizerParts:
        vocabulary = read_object({_VOCABULARY: required(files, _VOCABULARY)}, _VOCABULARY)
        for piece, index in vocabulary.items():
            if not isinstance(index, int) or isinstance(index, bool):
                raise InconsistentModel(f"the id of '{piece}' is {index!r}, and must be a whole number", where=_VOCABULARY)
        # The first line is the heading, and what stands after the last line feed does not count.
        lines = read_text(files, _MERGES).split("\n")[1:-1]
        merges = tuple(dict.fromkeys(_pair(line, number) for number, line in enumerate(lines, 2)))
        return TokenizerParts(vocabulary, merges, settings=specials.read_settings(files))

    def from_archive(
        self, vocabulary: Mapping[str, int] | None, merges: Mapping[tuple[str, str], int] | None, files: Mapping[str, bytes]
    ) -> TokenizerParts:
        if merges is None:
            raise UnsupportedModel("the archive has no merges", hint="its model is one that needs a vocabulary and merges")
        return TokenizerParts(needed(vocabulary, "archive"), in_order(merges))

    def check(self, parts: TokenizerParts, rows: int) -> None:
        self._tokens(parts, rows)

    def is_lowercase(self, parts: TokenizerParts) -> bool | None:
        """Its pieces are bytes, of which every one is in the vocabulary."""
        return None

    def pad_id(self, parts: TokenizerParts, rows: int) -> int:
        special, ids = self._tokens(parts, rows)
        return ids[special.roles["pad_token"].text]

    def build(self, parts: TokenizerParts, *, rows: int, lowercase: bool | None, max_length: int) -> TokenizerFiles:
        from tokenizers import decoders, pre_tokenizers, processors

        no_case(lowercase)
        special, ids = self._tokens(parts, rows)
        space, trim = flag(parts.settings, "add_prefix_space", False), flag(parts.settings, "trim_offsets", True)
        first, last = (special.roles[role].text for role in ("cls_token", "sep_token"))
        tokenizer = _model(needed(parts.vocabulary, "origin"), parts.merges or ())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=space)
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.post_processor = processors.RobertaProcessing(
            (last, ids[last]), (first, ids[first]), trim_offsets=trim, add_prefix_space=space
        )
        specials.add(tokenizer, special.tokens, ids)
        config = {
            **specials.config(special, ids, max_length=max_length, inputs=self.inputs),
            "add_prefix_space": space,
            "trim_offsets": trim,
        }
        return TokenizerFiles(tokenizer.to_str(), config)

    def _tokens(self, parts: TokenizerParts, rows: int) -> tuple[SpecialTokens, dict[str, int]]:
        vocabulary = needed(parts.vocabulary, "origin")
        check_vocabulary(vocabulary, rows)
        _check_merges(vocabulary, parts.merges or ())
        special = specials.special_tokens(parts.settings, self.tokens)
        ids = specials.assign(special.tokens, vocabulary, len(vocabulary), rows)
        missing = [role for role in _REQUIRED if role not in special.roles or special.roles[role].text not in vocabulary]
        if missing:
            names = ", ".join(special.roles[role].text if role in special.roles else role for role in missing)
            raise UnsupportedModel(f"the vocabulary is not that of a {self.tokenizer_class}", why=f"it lacks the special tokens {names}")
        specials.check_stated(special, ids, rows)
        return special, ids


ROBERTA = ByteLevel("RobertaTokenizer")
LONGFORMER = ByteLevel("LongformerTokenizer")


def in_order(merges: Mapping[tuple[str, str], int]) -> tuple[tuple[str, str], ...]:
    """The merges of an archive by rank, without the heading."""
    if len(set(merges.values())) != len(merges):
        raise InconsistentModel("two merges have one rank")
    ordered = sorted(merges, key=lambda pair: merges[pair])
    return tuple(ordered[1:] if ordered and ordered[0][0] == _HEADING else ordered)


def _pair(line: str, number: int) -> tuple[str, str]:
    parts = line.split()
    if len(parts) != 2:
        raise InconsistentModel("a merge is not of two pieces", where=f"{_MERGES}, line {number}", why=repr(line)[:200])
    return parts[0], parts[1]


def _check_merges(vocabulary: Mapping[str, int], merges: Sequence[tuple[str, str]]) -> None:
    for left, right in merges:
        for piece in (left, right, left + right):
            if piece not in vocabulary:
                raise InconsistentModel(
                    "the merges do not fit the vocabulary", why=f"'{left}' and '{right}' are merged, and '{piece[:200]}' is not in it"
                )


def _model(vocabulary: Mapping[str, int], merges: Sequence[tuple[str, str]]) -> Tokenizer:
    from tokenizers import Tokenizer
    from tokenizers.models import BPE

    model = BPE(dict(vocabulary), list(merges), dropout=None, continuing_subword_prefix="", end_of_word_suffix="", fuse_unk=False)
    return Tokenizer(model)
