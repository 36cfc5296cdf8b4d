"""The vocabulary that a tokenizer makes of the pieces of a SentencePiece model, and the model of the `tokenizers` library over it.

Scores are written so that the library reads the very same numbers. Of the usual decimals it reads every seventh as a neighbour of
the score, which is enough to decide between ways of splitting a word that are equally likely: one in a hundred texts came out otherwise.

Source: transformers 4.57.1, SpmConverter and its subclasses and generate_merges in convert_slow_tokenizer.py; `f64_from_parts` in de.rs
(serde_json).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubclient.errors import InconsistentModel, UnsafeArchive
from hubclient.models.sentencepiece_model import UNKNOWN, SentencePieceModel

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from tokenizers.models import BPE, Unigram

# SentencePiece makes pieces of up to 16 characters, unless it is told otherwise.
_MERGES_PER_PIECE = 16
_ALWAYS_FINE = 1 << 16
# What the original does not want to be used, but cannot leave out.
_UNWANTED = -100.0


@dataclass(frozen=True)
class Pieces:
    """The place of each is its id; of two with one text the later counts."""

    texts: tuple[str, ...]
    scores: tuple[float, ...]
    unk_id: int


def plain(model: SentencePieceModel) -> Pieces:
    return Pieces(model.pieces, model.scores, _unk_id(model))


def without_number_commas(model: SentencePieceModel) -> Pieces:
    """As ALBERT and XLNet have it: a piece that ends in a digit and a comma is as good as never used."""
    commas = (text.endswith(",") and text[-2:-1].isdigit() for text in model.pieces)
    scores = tuple(score + _UNWANTED if comma else score for score, comma in zip(model.scores, commas, strict=True))
    return Pieces(model.pieces, scores, _unk_id(model))


def xlm_roberta(model: SentencePieceModel) -> Pieces:
    """As fairseq has it: four tokens of its own in place of the first three pieces."""
    return _between(model, 3, {"<s>": 0.0, "<pad>": 0.0, "</s>": 0.0, "<unk>": 0.0})


def camembert(model: SentencePieceModel) -> Pieces:
    """As fairseq has it: five tokens of its own in place of the first piece."""
    return _between(model, 1, {"<s>NOTUSED": 0.0, "<pad>": 0.0, "</s>NOTUSED": 0.0, "<unk>": 0.0, "<unk>NOTUSED": _UNWANTED})


def model(origin: SentencePieceModel, pieces: Pieces) -> Unigram | BPE:
    from tokenizers.models import BPE, Unigram

    if origin.algorithm == "unigram":
        return Unigram(list(zip(pieces.texts, pieces.scores, strict=True)), unk_id=pieces.unk_id, byte_fallback=False)
    vocabulary = {text: index for index, text in enumerate(pieces.texts)}
    if origin.unk_piece not in vocabulary:
        raise InconsistentModel(f"the SentencePiece model lacks its unknown piece '{origin.unk_piece}'")
    return BPE(
        vocabulary, _merges(origin, pieces, vocabulary), unk_token=origin.unk_piece, fuse_unk=True, byte_fallback=False, dropout=None
    )


def write(tokenizer: Tokenizer, pieces: Pieces) -> str:
    """tokenizer.json."""
    content = json.loads(tokenizer.to_str())
    if content["model"]["type"] != "Unigram":
        return json.dumps(content, ensure_ascii=False)
    rows = (f"[{json.dumps(text, ensure_ascii=False)},{_decimal(score)}]" for text, score in zip(pieces.texts, pieces.scores, strict=True))
    content["model"]["vocab"] = _Verbatim(f"[{','.join(rows)}]")
    return _object({**content, "model": _Verbatim(_object(content["model"]))})


class _Verbatim(str):
    """Text that is JSON already."""


def _object(content: dict[str, object]) -> str:
    items = ((key, value if isinstance(value, _Verbatim) else json.dumps(value, ensure_ascii=False)) for key, value in content.items())
    return "{" + ",".join(f"{json.dumps(key)}:{value}" for key, value in items) + "}"


def _unk_id(model: SentencePieceModel) -> int:
    place = model.types.index(UNKNOWN)
    if place != model.unk_id:
        raise InconsistentModel(f"the SentencePiece model's unknown piece is number {place}, and its settings say {model.unk_id}")
    return place


def _between(model: SentencePieceModel, left_out: int, first: dict[str, float]) -> Pieces:
    if len(model.pieces) < left_out:
        raise InconsistentModel(f"the SentencePiece model has only {len(model.pieces)} pieces")
    texts = (*first, *model.pieces[left_out:], "<mask>")
    return Pieces(texts, (*first.values(), *model.scores[left_out:], 0.0), list(first).index("<unk>"))


def _merges(origin: SentencePieceModel, pieces: Pieces, vocabulary: dict[str, int]) -> list[tuple[str, str]]:
    """Each way to put a piece together of two others, those of the best pieces first."""
    limit = max(_ALWAYS_FINE, _MERGES_PER_PIECE * len(pieces.texts))
    ranks = {text: index for index, text in enumerate(origin.pieces)}
    found: list[tuple[float, str, str]] = []
    for text, score in dict(zip(pieces.texts, pieces.scores, strict=True)).items():
        pairs = ((text[:cut], text[cut:]) for cut in range(1, len(text)))
        known = [(left, right) for left, right in pairs if left in ranks and right in ranks]
        found.extend((score, *pair) for pair in sorted(known, key=lambda pair: (ranks[pair[0]], ranks[pair[1]])))
        if len(found) > limit:
            raise UnsafeArchive("the SentencePiece model has absurdly many merges", why=f"more than {limit}")
    found.sort(key=lambda merge: (merge[0], len(merge[1]), len(merge[2])), reverse=True)
    lost = next((piece for _, *pair in found for piece in pair if piece not in vocabulary), None)
    if lost is not None:
        raise InconsistentModel(f"the SentencePiece model builds pieces from '{lost}', which the vocabulary leaves out")
    return [(left, right) for _, left, right in found]


def _decimal(number: float) -> str:
    """A text of which every parser makes this number, and no neighbour of it.

    Of one number in a thousand the library's parser makes no text at all. Then it is one that differs in the fortieth bit: sums of such
    numbers are not rounded either, so that what was equally likely stays so.
    """
    step = math.ldexp(math.ulp(number), 13)
    exact = (_exact(number + nudge * step) for nudge in (0, 1, -1, 2, -2, 3, -3, 4, -4))
    return next(filter(None, exact), repr(number))


def _exact(number: float) -> str | None:
    """A whole number divided by a power of ten. A float holds both exactly, so that only the quotient is rounded."""
    size = abs(number)
    if not size:
        return "0.0"
    for digits in range(max(0, 15 - math.ceil(math.log10(size))), 23):
        power = 10.0**digits
        nearest = float(round(size * power))
        for whole in (nearest, math.nextafter(nearest, 0), math.nextafter(nearest, math.inf)):
            if whole.is_integer() and whole < 2**64 and whole / power == size:
                return f"{'-' if number < 0 else ''}{int(whole)}e-{digits}"
    return None
