"""SentencePiece models that are damaged or hostile: only our own errors come out, and what is accepted can be used."""

from __future__ import annotations

import math
import random
import struct
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from hubclient.errors import CorruptArchive, HubError, InconsistentModel, UnsafeArchive, UnsupportedModel
from hubclient.models.charsmap import check_charsmap
from hubclient.models.sentencepiece import ALBERT, CAMEMBERT, DEBERTA_V2, XLM_ROBERTA, XLNET, SentencePiece
from hubclient.models.sentencepiece_model import parse_sentencepiece
from hubclient.models.tokenizer import TokenizerFiles, TokenizerParts
from tests.models import sentencepiece_bytes as spm
from tests.models.tokenizer_cases import CHARSMAPS, FOLDER, charsmap, field, files_of
from tests.models.tokenizer_texts import texts

TEXTS = ["", " ", "ab é Ab\u0301 ™ ﬁ 😀😀 x", "[MASK] <unk> ▁▁ \x00\t日本", *texts("hostile", 4)]
RULES = parse_sentencepiece(files_of(FOLDER / "camembert")["sentencepiece.bpe.model"], "camembert").charsmap
NFKC = charsmap(CHARSMAPS["nmt_nfkc"])
SMALL = spm.model(charsmap=RULES)
KINDS = (ALBERT, CAMEMBERT, DEBERTA_V2, XLM_ROBERTA, XLNET)


def build(kind: SentencePiece, data: bytes) -> TokenizerFiles:
    return kind.build(TokenizerParts(sentencepiece=parse_sentencepiece(data, "tiny")), rows=20_000, lowercase=None, max_length=8)


def use(data: bytes, kind: SentencePiece = ALBERT) -> bool:
    """Reads the model and tokenizes with it; whether that can be done."""
    try:
        files = build(kind, data)
    except HubError:
        return False
    Tokenizer.from_str(files.tokenizer_json).encode_batch(TEXTS)
    return True


def test_a_model_is_read() -> None:
    model = parse_sentencepiece(SMALL, "tiny")
    assert (model.algorithm, model.pieces[:2], model.scores[5], model.unk_id, model.pad_id) == ("unigram", ("<pad>", "<unk>"), -2, 1, 0)
    assert list(model.types[:6]) == [3, 2, 3, 3, 4, 1]
    assert model.charsmap == RULES
    assert use(SMALL)


@pytest.mark.parametrize("algorithm", [1, 2])
def test_truncated_at_every_byte(algorithm: int) -> None:
    data = spm.model(algorithm=algorithm, charsmap=RULES)
    assert use(data)
    assert not any(use(data[:end]) for end in range(len(data)))


def flipped(data: bytes, place: int, bit: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]


@pytest.mark.parametrize("algorithm", [1, 2])
def test_a_bit_of_every_byte_flipped(algorithm: int) -> None:
    data, source = spm.model(algorithm=algorithm, charsmap=RULES), random.Random(algorithm)
    refused = sum(not use(flipped(data, place, source.randrange(8))) for place in range(len(data)))
    assert 50 < refused < len(data)


@pytest.mark.slow
@pytest.mark.parametrize(("algorithm", "kind"), [(1, ALBERT), (1, CAMEMBERT), (2, XLM_ROBERTA)])
def test_every_bit_flipped(algorithm: int, kind: SentencePiece) -> None:
    pieces = (("<unk>", 0, spm.UNKNOWN), ("<s>", 0, spm.CONTROL), ("</s>", 0, spm.CONTROL), ("<sep>", 0, 4), ("<cls>", 0, 4))
    data = spm.model((*pieces, *spm.BASE[2:]), algorithm=algorithm, unk_id=0, pad_id=-1)
    assert use(data, kind)
    assert 50 < sum(not use(flipped(data, place, bit), kind) for place in range(len(data)) for bit in range(8)) < 8 * len(data)


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    use(data)
    use(SMALL + data)


@settings(max_examples=300, deadline=None)
@given(
    pieces=st.lists(
        st.tuples(
            st.binary(max_size=6) | st.sampled_from([b"<unk>", b"[CLS]", b"[SEP]", b"a", b"ab"]), st.floats(width=32), st.integers(0, 8)
        )
    ),
    algorithm=st.integers(0, 5),
    unk_id=st.integers(-1, 9),
    pad_id=st.integers(-1, 9),
)
def test_any_pieces(pieces: list[tuple[bytes, float, int]], algorithm: int, unk_id: int, pad_id: int) -> None:
    body = spm.model((), algorithm=algorithm, unk_id=unk_id, pad_id=pad_id, charsmap=RULES)
    for kind in KINDS:
        use(b"".join(spm.piece(*piece) for piece in pieces) + body, kind)


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        ((*spm.BASE, ("a", 0, 1)), "pieces 6 and 11"),
        ((*spm.BASE, ("", 0, 1)), "piece 11 of the SentencePiece model is empty"),
        ((*spm.BASE, ("x", math.inf, 1)), "score of piece 11"),
        ((*spm.BASE, ("x", math.nan, 1)), "score of piece 11"),
        ((*spm.BASE, ("x", 0, 7)), "type of piece 11"),
        ((*spm.BASE, ("x", 0, 2)), "2 unknown pieces"),
        ((), "0 unknown pieces"),
    ],
)
def test_what_sentencepiece_would_not_take_either(pieces: tuple[spm.Piece, ...], why: str) -> None:
    with pytest.raises(CorruptArchive, match=why):
        parse_sentencepiece(spm.model(pieces), "tiny")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"".join(spm.piece(*piece) for piece in spm.BASE), "no trainer_spec"),
        (spm.model().removesuffix(field(3, field(2, b""))), "no normalizer_spec"),
        (spm.piece(b"\xff", 0, 1) + SMALL, "not UTF-8"),
        (SMALL + b"\x0a", "not a SentencePiece model"),
    ],
)
def test_what_is_not_complete_or_no_text(data: bytes, why: str) -> None:
    with pytest.raises(CorruptArchive, match=why):
        parse_sentencepiece(data, "tiny")


@pytest.mark.parametrize(("algorithm", "why"), [(3, "whole words"), (4, "characters"), (9, "type 9")])
def test_models_of_another_kind(algorithm: int, why: str) -> None:
    with pytest.raises(UnsupportedModel, match=why):
        parse_sentencepiece(spm.model(algorithm=algorithm), "tiny")


def test_facts_that_contradict() -> None:
    with pytest.raises(InconsistentModel, match="number 1, and its settings say 0"):
        build(ALBERT, spm.model(unk_id=0))
    with pytest.raises(InconsistentModel, match="11 pieces, and the table 10"):
        ALBERT.check(TokenizerParts(sentencepiece=parse_sentencepiece(SMALL, "tiny")), 10)
    # XLM-RoBERTa leaves out the first three pieces, of which others are made.
    left_out = spm.model((("<", -1, 1), ("<unk>", 0, 2), ("x", -1, 1), ("<x", -2, 1)), algorithm=2)
    with pytest.raises(InconsistentModel, match="builds pieces from '<'"):
        build(XLM_ROBERTA, left_out)


BOMBS: dict[str, tuple[int, Callable[[], list[str]]]] = {
    "a trie of millions of nodes": (1, lambda: [f"{index:0900x}" for index in range(20_000)]),
    "a long piece": (1, lambda: ["a" * 1100]),
    "half a million merges": (2, lambda: [letter * size for letter in "abcdefghijklmnop" for size in range(1, 1000)]),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs(bomb: str) -> None:
    algorithm, pieces = BOMBS[bomb]
    usual = (piece for piece in spm.BASE if piece[0] not in ("a", "b"))
    data, started = spm.model((*usual, *((text, -1.0, spm.NORMAL) for text in pieces())), algorithm=algorithm), time.monotonic()
    with pytest.raises(UnsafeArchive):
        build(ALBERT, data)
    assert time.monotonic() - started < 60


def table(units: list[int], replacements: bytes) -> bytes:
    """Units beyond those given are zero."""
    trie = struct.pack(f"<{max(len(units), 512)}I", *units, *[0] * (512 - len(units)))
    return struct.pack("<I", len(trie)) + trie + replacements


def test_tables_of_sentencepiece_are_fine() -> None:
    for name in CHARSMAPS.values():
        check_charsmap(charsmap(name), name)
    check_charsmap(b"", "none")


def entry(letter: bytes, value: int, offset: int = 1, units: int = 512) -> list[int]:
    """A trie with one entry: each letter leads from a block of its own to the next."""
    found = [0] * units
    place = 256 * offset
    found[0] = place << 10
    for index, byte in enumerate(letter):
        last = index == len(letter) - 1
        found[place ^ byte] = byte | byte << 10 | 0x100 * last
        place = place ^ byte ^ byte
    found[place] = value | 1 << 31
    return found


@pytest.mark.parametrize(
    ("data", "error", "why"),
    [
        (table(entry(b"a", 0), b"xy\0"), None, ""),
        (table(entry(b"a", 3), b"xy\0"), None, ""),
        (table(entry(b"a", 4), b"xy\0"), CorruptArchive, "starts at byte 4 of 3"),
        (table(entry(b"a", 1), "é\0".encode()), CorruptArchive, "starts inside a character"),
        (table(entry(b"a", 0), b"\xff\0"), CorruptArchive, "not UTF-8"),
        (table(entry(b"\xc3", 0), b"x\0"), CorruptArchive, "ends inside a character"),
        (table(entry(b"\x80", 9), b"x\0"), None, ""),  # no text leads there
        (table(entry("é".encode(), 0), b"x\0"), None, ""),
        (table([400 << 10 | 1 << 9], b""), CorruptArchive, "leads out of itself"),
        (table([2 << 18, *entry(b"a", 0)[1:]], b"x\0"), CorruptArchive, "leads out of itself"),
        (table(entry(b"a", 0), b"x" * 1025 + b"\0"), UnsafeArchive, "absurdly long replacement"),
        (table(entry(b"a" * 2000, 0), b"x\0"), None, ""),  # leads back to itself, which is allowed
        (b"\0\0", CorruptArchive, "in a table of 2"),
        (struct.pack("<I", 0) + b"abcd", CorruptArchive, "0 bytes"),
        (struct.pack("<I", 0xFFFFFFFC) + b"abcd", CorruptArchive, "4294967292 bytes"),
        (struct.pack("<I", 6) + bytes(8), CorruptArchive, "6 bytes"),
        (bytes(5 << 20), UnsafeArchive, "too large"),
    ],
)
def test_tables(data: bytes, error: type[HubError] | None, why: str) -> None:
    if error is None:
        check_charsmap(data, "table")
        assert use(spm.model(charsmap=data))
    else:
        with pytest.raises(error, match=why):
            check_charsmap(data, "table")


def test_a_chain_without_end() -> None:
    blocks = 1100
    units = [0] * (256 * (blocks + 2))
    units[0] = 256 << 10
    for block in range(1, blocks):
        place = 256 * block
        units[place ^ 97] = 97 | ((place ^ 97 ^ (place + 256)) << 10)
    trie = struct.pack(f"<{len(units)}I", *units)
    with pytest.raises(UnsafeArchive, match="absurdly long entries"):
        check_charsmap(struct.pack("<I", len(trie)) + trie, "table")


@pytest.mark.parametrize("seed", range(200))
def test_a_damaged_table_of_unicode(seed: int) -> None:
    """Flipped bits in what a text can reach: refused, or harmless to every text."""
    source, damaged = random.Random(seed), bytearray(NFKC)
    for _ in range(source.choice((1, 10, 1000))):
        damaged[source.randrange(4, len(damaged))] ^= 1 << source.randrange(8)
    use(spm.model(charsmap=bytes(damaged)))


def test_a_wild_table_never_harms_the_library() -> None:
    source, accepted = random.Random(0), 0
    for _ in range(300):
        units = [source.choice((0, byte | (source.randrange(512) ^ place) << 10 | 0x100, 1 << 31 | source.randrange(4))) for place, byte in
                 enumerate([*range(256)] * 2)]  # fmt: skip
        units[0] = source.randrange(512) << 10
        accepted += use(spm.model(charsmap=table(units, b"ab\0")))
    assert 0 < accepted < 300
