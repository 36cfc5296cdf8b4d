"""SentencePiece models put together by hand, in protobuf's encoding."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from tests.models.tokenizer_cases import field

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
Piece = tuple[str, float, int]

BASE: tuple[Piece, ...] = (
    ("<pad>", 0, CONTROL),
    ("<unk>", 0, UNKNOWN),
    ("[CLS]", 0, CONTROL),
    ("[SEP]", 0, CONTROL),
    ("[MASK]", 0, USER_DEFINED),
    ("▁", -2, NORMAL),
    ("a", -3, NORMAL),
    ("b", -3.5, NORMAL),
    ("▁ab", -4, NORMAL),
    ("ab", -3.25, NORMAL),
    ("é", -5, NORMAL),
)


def number(key: int, value: int) -> bytes:
    """A number of seven bits at most, or -1."""
    tag = key << 3
    head = bytes([tag]) if tag < 0x80 else bytes([tag & 0x7F | 0x80, tag >> 7])
    return head + (b"\xff" * 9 + b"\x01" if value < 0 else bytes([value]))


def piece(text: str | bytes, score: float, kind: int) -> bytes:
    raw = text if isinstance(text, bytes) else text.encode()
    return field(1, field(1, raw) + b"\x15" + struct.pack("<f", score) + number(3, kind))


def model(pieces: Iterable[Piece] = BASE, *, algorithm: int = 1, unk_id: int = 1, pad_id: int = 0, charsmap: bytes = b"") -> bytes:
    trainer = number(3, algorithm) + number(40, unk_id) + number(43, pad_id)
    return b"".join(piece(*each) for each in pieces) + field(2, trainer) + field(3, field(2, charsmap))
