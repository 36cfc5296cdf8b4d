"""A SentencePiece model file: its pieces, and how it normalises text. Data only; nothing of it is run.

Strategy: the messages are declared as a table of field numbers and given to protobuf's own parser, in a pool of their own, as
`archive/protobuf.py` does; fields that are not in the table are skipped. What the parser lets through is then held against what
SentencePiece itself demands of a model: no empty piece, no piece twice, one unknown piece.

Source: sentencepiece_model.proto and model_interface.cc (google/sentencepiece).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from hubclient.errors import CorruptArchive, UnsafeArchive, UnsupportedModel
from hubclient.models.charsmap import check_charsmap

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

Algorithm = Literal["unigram", "bpe"]

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)

_ALGORITHMS: dict[int, Algorithm] = {1: "unigram", 2: "bpe"}
_OTHERS = {3: "whole words", 4: "characters"}

# The largest known model, of 900,000 pieces, takes a quarter to half of each. A trie takes 350 bytes for each byte of a piece.
_MAX_FILE = 64 << 20
_MAX_PIECES = 4 << 20
_MAX_TEXT = 16 << 20
_MAX_PIECE = 1024

_PACKAGE = "hubclient.sentencepiece"
# One field: name, number, type, default. A leading `*` means repeated. Texts are read as bytes, so that it is we who decode them;
# enumerations as int32, which has the same encoding.
_MESSAGES = {
    "Model": "pieces 1 *Piece, trainer_spec 2 TrainerSpec, normalizer_spec 3 NormalizerSpec",
    "Piece": "piece 1 bytes, score 2 float, type 3 int32 1",
    "TrainerSpec": "model_type 3 int32 1, unk_id 40 int32 0, pad_id 43 int32 -1, unk_piece 45 bytes <unk>",
    "NormalizerSpec": "precompiled_charsmap 2 bytes",
}


@dataclass(frozen=True)
class SentencePieceModel:
    """`types` are NORMAL, UNKNOWN … for each piece; `charsmap` is empty where the text is not changed. `pad_id` is -1 for none."""

    algorithm: Algorithm
    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    types: bytes
    unk_id: int
    unk_piece: str
    pad_id: int
    charsmap: bytes


class _Piece(Protocol):
    piece: bytes
    score: float
    type: int


class _TrainerSpec(Protocol):
    model_type: int
    unk_id: int
    pad_id: int
    unk_piece: bytes


class _NormalizerSpec(Protocol):
    precompiled_charsmap: bytes


class _Model(Protocol):
    pieces: Sequence[_Piece]
    trainer_spec: _TrainerSpec
    normalizer_spec: _NormalizerSpec

    def HasField(self, name: str) -> bool: ...  # noqa: N802


def parse_sentencepiece(data: bytes, label: str) -> SentencePieceModel:
    """Raises CorruptArchive, UnsafeArchive for absurd sizes, UnsupportedModel for models of words or characters."""
    if len(data) > _MAX_FILE:
        raise UnsafeArchive(
            "the SentencePiece model is too large", where=label, why=f"it has {len(data)} bytes, at most {_MAX_FILE} are read"
        )
    model = _parse(data, label)
    for part in ("trainer_spec", "normalizer_spec"):
        if not model.HasField(part):
            raise CorruptArchive("the SentencePiece model is not complete", where=label, why=f"it has no {part}")
    trainer = model.trainer_spec
    if trainer.model_type not in _ALGORITHMS:
        kind = _OTHERS.get(trainer.model_type, f"type {trainer.model_type}")
        raise UnsupportedModel(f"the SentencePiece model is one of {kind}", where=label, why=f"known are {', '.join(_ALGORITHMS.values())}")
    if len(model.pieces) > _MAX_PIECES:
        raise UnsafeArchive(
            "the SentencePiece model has too many pieces", where=label, why=f"{len(model.pieces)}, at most {_MAX_PIECES} are read"
        )
    pieces = _texts(model.pieces, label)
    check_charsmap(model.normalizer_spec.precompiled_charsmap, label)
    return SentencePieceModel(
        algorithm=_ALGORITHMS[trainer.model_type],
        pieces=pieces,
        scores=_scores(model.pieces, label),
        types=_types(model.pieces, label),
        unk_id=trainer.unk_id,
        unk_piece=_text(trainer.unk_piece, "the unknown piece", label),
        pad_id=trainer.pad_id if trainer.pad_id < len(pieces) else -1,
        charsmap=model.normalizer_spec.precompiled_charsmap,
    )


def _texts(pieces: Sequence[_Piece], label: str) -> tuple[str, ...]:
    raw = [piece.piece for piece in pieces]
    longest = max(map(len, raw), default=0)
    if longest > _MAX_PIECE or sum(map(len, raw)) > _MAX_TEXT:
        raise UnsafeArchive("the pieces of the SentencePiece model are too long", where=label, why=f"one has {longest} bytes")
    texts = tuple(_text(piece, f"piece {index}", label) for index, piece in enumerate(raw))
    if "" in texts:
        raise CorruptArchive(f"piece {texts.index('')} of the SentencePiece model is empty", where=label)
    places = {text: index for index, text in enumerate(texts)}
    if len(places) != len(texts):
        first = next(index for index, text in enumerate(texts) if places[text] != index)
        raise CorruptArchive(f"pieces {first} and {places[texts[first]]} of the SentencePiece model are one", where=label)
    return texts


def _text(raw: bytes, what: str, label: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CorruptArchive(f"{what} of the SentencePiece model is not UTF-8", where=label, why=str(error)) from error


def _scores(pieces: Sequence[_Piece], label: str) -> tuple[float, ...]:
    scores = tuple(piece.score for piece in pieces)
    for index, score in enumerate(scores):
        if not math.isfinite(score):
            raise CorruptArchive(f"the score of piece {index} of the SentencePiece model is {score}", where=label)
    return scores


def _types(pieces: Sequence[_Piece], label: str) -> bytes:
    types = [piece.type for piece in pieces]
    for index, kind in enumerate(types):
        if not NORMAL <= kind <= BYTE:
            raise CorruptArchive(f"the type of piece {index} of the SentencePiece model is {kind}", where=label)
    if types.count(UNKNOWN) != 1:
        raise CorruptArchive(f"the SentencePiece model has {types.count(UNKNOWN)} unknown pieces", where=label, why="it needs exactly one")
    return bytes(types)


def _parse(data: bytes, label: str) -> _Model:
    from google.protobuf.message import DecodeError

    model = _class()()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise CorruptArchive("the file is not a SentencePiece model", where=label, why=str(error)) from error
    return cast(_Model, model)


@cache
def _class() -> Any:
    from google.protobuf import descriptor_pool, message_factory
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    file = FileDescriptorProto(name="hubclient_sentencepiece.proto", package=_PACKAGE, syntax="proto2")
    for name, fields in _MESSAGES.items():
        _declare(file, name, fields)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Model"))


def _declare(file: FileDescriptorProto, name: str, fields: str) -> None:
    message = file.message_type.add(name=name)
    for stated in fields.split(", "):
        title, number, kind, *default = stated.split(" ")
        field = message.field.add(name=title, number=int(number), label=3 if kind.startswith("*") else 1)
        kind = kind.removeprefix("*")
        if kind in _MESSAGES:
            field.type, field.type_name = 11, f".{_PACKAGE}.{kind}"
        else:
            field.type = field.Type.Value(f"TYPE_{kind.upper()}")
        if default:
            field.default_value = default[0]
