"""The rules of resolution, as a table."""

from __future__ import annotations

import pytest

from hubclient.cards import Card, S3Location
from hubclient.catalog.resolve import Selection, cards_by_nlu, cards_named, select, select_by_nlu, unknown_model
from hubclient.errors import AmbiguousModel, CardError, UnknownLanguage, UnknownVersion
from hubclient.names import CardReference, parse_reference


def card(name: str = "m", language: str = "en", version: str = "3.4.2", epoch: int = 1, **fields: object) -> Card:
    location = S3Location("b", "k", "", "k", name, language, version, "3.0", epoch)
    values: dict[str, object] = {"name": name, "language": language, "s3_parsed": location, **fields}
    return Card(**values)  # type: ignore[arg-type]


def choose(text: str, *cards: Card, **options: object) -> Selection:
    reference = parse_reference(text)
    assert isinstance(reference, CardReference)
    return select(cards_named(cards, reference.name), reference, **options)  # type: ignore[arg-type]


EN, FR, XX = card(), card(language="fr"), card(language="xx")
OLD, TEN, NEW = card(version="3.9.0"), card(version="3.10.0"), card(version="3.10.0", epoch=2)


@pytest.mark.parametrize(
    ("text", "cards", "chosen", "notice"),
    [
        ("en/m", (EN, FR, XX), EN, None),
        ("xx/m", (EN, FR, XX), XX, None),
        ("m", (FR,), FR, "'m' has only fr"),
        ("m", (XX,), XX, "only xx (multilingual)"),
        ("m", (FR, EN, XX), EN, "en is taken of en, fr, xx"),
        ("en/m", (OLD, TEN), TEN, None),
        ("en/m", (NEW, TEN, OLD), NEW, None),
        ("en/m@3.9", (OLD, TEN), OLD, None),
        ("en/m@<=3.9.5", (OLD, TEN), OLD, None),
        ("en/m@>=3.9", (OLD, NEW, TEN), NEW, None),
        ("en/m", (card(name="M"), EN), EN, None),
    ],
)
def test_choices(text: str, cards: tuple[Card, ...], chosen: Card, notice: str | None) -> None:
    found = choose(text, *cards)
    assert found.card is chosen
    assert len(found.notices) == (0 if notice is None else 1)
    assert notice is None or notice in found.notices[0]


def test_unknown_language_names_those_there_are() -> None:
    with pytest.raises(UnknownLanguage, match="in the language 'de'") as caught:
        choose("de/m", XX, FR)
    assert caught.value.why == "the languages there are: fr, xx (multilingual)"
    assert 'fr/m or pretrained("m", "fr")' in (caught.value.hint or "")


def test_several_languages_without_english_are_ambiguous_in_both_spellings() -> None:
    with pytest.raises(AmbiguousModel, match=r"2 languages: fr, xx \(multilingual\)") as caught:
        choose("m", XX, FR)
    assert caught.value.hint == 'write one of: fr/m or pretrained("m", "fr"), xx/m or pretrained("m", "xx")'


def test_unknown_version_names_those_there_are_as_numbers() -> None:
    with pytest.raises(UnknownVersion, match=">=4") as caught:
        choose("en/m@>=4", TEN, OLD, NEW)
    assert caught.value.why == "the versions there are: 3.9.0, 3.10.0"


def test_a_card_without_a_version_meets_no_constraint() -> None:
    bare = Card("m", "en")
    assert choose("en/m", bare).card is bare
    with pytest.raises(UnknownVersion):
        choose("en/m@>=1", bare)


def test_versions_that_cannot_be_opened_are_passed_over_aloud() -> None:
    newest = card(version="5.0.0", annotator="NewAnnotator")
    found = choose("en/m", newest, OLD, can_open=lambda card: card.annotator is None)
    assert found.card is OLD
    assert found.notices == ("en/m@5.0.0 is passed over: hubclient cannot open NewAnnotator",)
    assert choose("en/m", newest, OLD, can_open=lambda card: False).card is newest


def test_warnings() -> None:
    old = card(deprecated=True, supported=False)
    assert choose("en/m", old).notices == (
        "en/m@3.4.2 is deprecated",
        "en/m@3.4.2 is not supported, says its card",
    )
    mislabelled = Card("m", "en", s3_parsed=XX.s3_parsed)
    assert choose("xx/m", mislabelled).notices == ("the card says that its language is en, its archive is named xx",)


def test_the_front_matter_name_serves_where_no_archive_has_it() -> None:
    other = Card("shown", "de", s3_parsed=S3Location("b", "k", "", "k", "real", "de", "1.0.0", "3.0", 1))
    found = choose("de/shown", other, card("shown", "es"))
    assert found.card is other
    assert "an archive that is named 'real'" in found.notices[0]
    assert choose("de/real", other).card is other
    twin = card("shown", "de")
    assert choose("de/shown", other, twin).card is twin


@pytest.mark.parametrize("written", ["en.x.y", "en.x.y."])
@pytest.mark.parametrize("said", ["en.x.y", "en.x.y."])
def test_an_nlu_reference_that_stands_for_one_model(written: str, said: str) -> None:
    cards = [card("a", nlu_refs=(said,)), card("a", version="3.5.0", nlu_refs=(said,)), card("b", nlu_refs=("en.x.yz", ""))]
    found = select_by_nlu(cards_by_nlu(cards, written), CardReference(written))
    assert found.card is cards[1]
    assert found.notices == (f"the NLU reference '{written}' stands for en/a",)


def test_an_nlu_reference_that_stands_for_several_models() -> None:
    cards = [card("a", nlu_refs=("x.y",)), card("b", nlu_refs=("x.y",)), card("b", "fr", nlu_refs=("x.y",))]
    with pytest.raises(AmbiguousModel, match="stands for 3 models") as caught:
        select_by_nlu(cards, CardReference("x.y"))
    assert caught.value.hint == "write one of: en/a, en/b, fr/b"
    assert select_by_nlu(cards, CardReference("x.y", "fr")).card is cards[2]
    with pytest.raises(UnknownLanguage):
        select_by_nlu(cards[:1], CardReference("x.y", "fr"))


def test_no_nlu_reference_is_empty() -> None:
    assert cards_by_nlu([card(nlu_refs=("",))], ".") == []


@pytest.mark.parametrize(
    ("name", "hint", "why"),
    [
        ("bert_Small", "did you mean bert_small?", "names are case-sensitive"),
        ("bert_smal", "did you mean bert_small?", None),
        ("rge", "did you mean roberta_large_finetuned?", None),
        ("something else", "hub search something else", None),
    ],
)
def test_unknown_names_come_with_near_ones(name: str, hint: str, why: str | None) -> None:
    cause = CardError("broken")
    error = unknown_model(name, ["bert_small", "bert_small", "roberta_large_finetuned"], [cause])
    assert (error.hint, error.why, error.causes) == (hint, why, (cause,))
