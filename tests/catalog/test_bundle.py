"""The bundled index: what is written is read again, what is damaged is refused, and what ships holds the facts of the public cards."""

from __future__ import annotations

import hashlib
import json
import lzma
import zlib
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest

from hubclient.bundled import CARDS, INDEX
from hubclient.cards import Card, parse_card
from hubclient.cards.facts_form import from_facts, to_facts
from hubclient.catalog.bundle import Bundle, BundledCard, read_bundle, write_bundle
from hubclient.errors import CardError
from tests.archive.damage import flips_read, survives, truncations_read
from tests.cards.shared import ROOT, card_text

PROSE = {"description", "how_to_use", "results", "data_source", "benchmarking", "references", "other_sections", "front_matter", "author"}
SMALL: list[tuple[str, dict[str, Any]]] = [
    ("b/second.md", {"name": "second", "language": "xx", "labels": ["a\nb", 'c"d', "\u2028", "é", "😀", "\x1c"], "size_mb": 0.5}),
    ("a/first.md", {"name": "first", "language": "en", "model_info": {"Size": "1 MB"}}),
    ('a/"quoted", {here}.md', {"name": "third", "language": "en"}),
]


def small() -> bytes:
    return write_bundle(SMALL, origin="somewhere, Apache-2.0")


def packed(header: Any, *lines: bytes) -> bytes:
    """A file whose digest is right, whatever the lines are; the header's fields replace those of a good one."""
    body = b"".join(line + b"\n" for line in lines)
    good = {"format": 1, "cards": len(lines), "origin": "here", "sha256": hashlib.sha256(body).hexdigest()}
    head = header if isinstance(header, bytes) else json.dumps({**good, **header}).encode()
    return lzma.compress(head + b"\n" + body)


def refusal(data: bytes) -> CardError:
    with pytest.raises(CardError, match="the bundled index is damaged") as caught:
        read_bundle(data, path="some.xz")
    assert caught.value.hint == "install hubclient again"
    assert caught.value.where is not None
    assert caught.value.where.startswith("some.xz")
    return caught.value


def test_what_is_written_is_read_again() -> None:
    bundle = read_bundle(small())
    assert bundle.origin == "somewhere, Apache-2.0"
    assert [(card.file, card.facts()) for card in bundle.cards] == sorted(SMALL, key=lambda item: item[0])
    assert [json.loads(card.text) for card in bundle.cards] == [card.facts() for card in bundle.cards]


def test_a_card_comes_back_without_its_prose() -> None:
    card = parse_card(card_text(labels="`neg`, `pos`, ` two\u3000words`"))
    (only,) = read_bundle(write_bundle([("a.md", to_facts(card))], origin="")).cards
    assert to_facts(from_facts(only.facts())) == to_facts(card)


def test_the_order_of_the_cards_makes_no_difference() -> None:
    assert write_bundle(reversed(SMALL), origin="somewhere, Apache-2.0") == small()


def test_there_may_be_no_card() -> None:
    assert read_bundle(write_bundle([], origin="")).cards == ()


@pytest.mark.parametrize(("file", "facts"), [("\udcff.md", {}), ("a.md", {"name": "\ud800"}), ("a.md", {"size_mb": float("nan")})])
def test_what_json_cannot_say_is_not_written(file: str, facts: dict[str, Any]) -> None:
    with pytest.raises(CardError, match="cannot be written as JSON in UTF-8") as caught:
        write_bundle([(file, facts)], origin="")
    assert str(caught.value).isascii()


def test_cut_off_anywhere_it_is_refused() -> None:
    assert truncations_read(read_bundle, small()) == []


def test_no_flipped_bit_goes_unnoticed() -> None:
    assert flips_read(read_bundle, small()) == []


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it ends too soon"),
        (b"not compressed", "Input format not supported by decoder"),
        (small() + b"more", "something follows its end"),
        (small() + small(), "something follows its end"),
        (lzma.compress(b""), "the header is not JSON"),
        (packed(b"[]"), "the header is not a JSON object"),
        (packed(b"\xff"), "the header is not JSON"),
        (packed(b"[" * 100_000), "the header is not JSON"),
        (packed(b"9" * 5_000), "the header is not JSON"),
        (packed({"format": 2}), "it is not of format 1"),
        (packed(b"{}"), "it is not of format 1"),
        (packed({"origin": None}), "does not say where"),
        (packed({"sha256": "0" * 64}), "another SHA-256"),
        (packed(b'{"format": 1, "origin": ""}'), "another SHA-256"),
        (packed({"cards": 2}, b'{"file":"a","name":"b"}'), "it holds 1 cards and says that it holds 2"),
        (packed({"cards": None}), "it holds 0 cards and says that it holds None"),
        (packed({}, b'{"name":"b","file":"a"}'), "does not begin with a card's path"),
        (packed({}, b'{"file":1,"name":"b"}'), "does not begin with a card's path"),
        (packed({}, b'{"file":"a"}'), "does not begin with a card's path"),
        (packed({}, b'{"file":"a"'), "does not begin with a card's path"),
        (packed({}, b'{"file":'), "the line is not a card's"),
        (packed({}, b'{"file":"a'), "the line is not a card's"),
        (packed({}, b'{"file":' + b"[" * 100_000), "the line is not a card's"),
        (packed({}, b'{"file":' + b"9" * 5_000), "the line is not a card's"),
        (packed({}, b'{"file":"\xff"'), "the line is not a card's"),
        (packed({}, b""), "the line is not a card's"),
    ],
)
def test_what_is_wrong_is_told(data: bytes, why: str) -> None:
    assert why in (refusal(data).why or "")


def test_the_line_is_told() -> None:
    assert refusal(packed({}, b'{"file":"a","name":"b"}', b"nothing")).where == "some.xz:3"


def test_what_unpacks_to_too_much_is_refused() -> None:
    bomb = lzma.LZMACompressor(preset=0)
    pieces = b"".join(bomb.compress(bytes(2**20)) for _ in range(200))
    assert "unpacks to more than" in (refusal(pieces + bomb.flush()).why or "")


def test_what_asks_for_too_much_memory_is_refused() -> None:
    data = bytearray(small())
    header = slice(12, 12 + 4 * (data[12] + 1) - 4)
    at = data.index(b"\x21\x01", 12) + 2
    data[at] = 40  # a dictionary of 4 GiB
    data[header.stop : header.stop + 4] = zlib.crc32(data[header]).to_bytes(4, "little")
    assert "Memory usage limit" in (refusal(bytes(data)).why or "")


@pytest.mark.parametrize("text", ["{", "[]", "{" + '"a":[' * 100_000, '{"a":' + "9" * 5_000 + "}"])
def test_facts_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(CardError, match="the bundled index is damaged") as caught:
        BundledCard("a.md", text).facts()
    assert caught.value.where == "a.md"


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return read_bundle(INDEX.read_bytes())


def test_what_ships_is_small_and_whole(shipped: Bundle) -> None:
    assert INDEX.stat().st_size < 3_000_000
    assert len({card.file for card in shipped.cards}) == len(shipped.cards) == 11_141
    assert f"{len(shipped.cards):,} public model cards" in (INDEX.parent / "README.md").read_text("utf-8")
    assert "https://github.com/JohnSnowLabs/spark-nlp, Apache-2.0" in shipped.origin


def test_every_line_makes_a_card_whose_archive_is_known(shipped: Bundle) -> None:
    cards = [from_facts(card.facts()) for card in shipped.cards]
    assert all(card.s3_parsed and card.s3_parsed.epoch_ms and card.version for card in cards)
    assert len({(card.model_name, card.model_language, card.version, card.epoch_ms) for card in cards}) == len(cards)


def texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text among the facts, with the name of its field."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, name)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts(item, f"{name}.{key}" if name else key)


def test_no_prose_ships(shipped: Bundle) -> None:
    kept = {item.name for item in fields(Card)} - PROSE
    longest: dict[str, int] = {}
    for card in shipped.cards:
        facts = card.facts()
        assert facts.keys() <= kept
        for name, text in texts(facts):
            longest[name] = max(len(text), longest.get(name, 0))
    # Names, addresses and titles; a label of 270 characters is a list of chemicals.
    assert {name for name, length in longest.items() if length > 60} == {
        "title",
        "name",
        "model_info.Model Name",
        "download_url",
        "s3_uri",
        "hf_origin",
        "hf_origins",
        "nlu_refs",
        "labels",
    }
    assert max(longest.values()) < 300


@pytest.mark.parametrize("name", ["bert_large_sequence_classifier_imdb", "bert_classifier_multi_label_classification_of_pubmed_articles"])
def test_it_knows_the_seeds_as_their_cards_do(shipped: Bundle, name: str) -> None:
    card = parse_card((CARDS / f"{name}_en.md").read_text("utf-8"))
    known = [from_facts(entry.facts()) for entry in shipped.cards if f'"name":"{name}"' in entry.text]
    assert [
        (found.model_name, found.model_language, found.version, found.labels, found.s3_parsed, found.model_info) for found in known
    ] == [(name, "en", card.version, card.labels, card.s3_parsed, card.model_info)]


def test_what_ships_is_refused_when_damaged() -> None:
    data = INDEX.read_bytes()
    lengths = range(0, len(data), len(data) // 40)
    assert [length for length in lengths if survives(read_bundle, data[:length])] == []
    assert flips_read(read_bundle, data, every=len(data) // 40) == []


def test_its_origin_is_told_beside_it() -> None:
    assert "github.com/JohnSnowLabs/spark-nlp" in (ROOT / "index" / "NOTICE").read_text("utf-8")
