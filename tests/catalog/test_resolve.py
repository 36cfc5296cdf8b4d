"""The rules of resolution, as a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubclient.cards import Card, S3Location
from hubclient.catalog.layer import Known, Layer
from hubclient.catalog.near import unknown_model
from hubclient.catalog.resolve import CanOpen, Deliberation, deliberate
from hubclient.errors import AmbiguousModel, CardError, ResolutionError, UnknownLanguage, UnknownVersion
from hubclient.names import CardReference, parse_reference


def card(name: str = "m", language: str = "en", version: str = "3.4.2", epoch: int = 1, **fields: object) -> Card:
    location = S3Location("b", "k", "", "k", name, language, version, "3.0", epoch)
    values: dict[str, object] = {"name": name, "language": language, "s3_parsed": location, **fields}
    return Card(**values)  # type: ignore[arg-type]


BUNDLED, SHIPPED, OWN = Layer("bundle", Path("i")), Layer("folder", Path("s")), Layer("folder", Path("o"), own=True)
RANKS = {BUNDLED: 0, SHIPPED: 1, OWN: 2}


def known(card: Card, layer: Layer = SHIPPED) -> Known:
    return Known(card, layer, RANKS[layer])


def weigh(text: str, *cards: Card | Known, can_open: CanOpen | None = None) -> Deliberation:
    reference = parse_reference(text)
    assert isinstance(reference, CardReference)
    return deliberate([card if isinstance(card, Known) else known(card) for card in cards], reference, can_open=can_open)


def knows(annotator: str | None) -> bool:
    return annotator in (None, "Known")


def choose(text: str, *cards: Card | Known, can_open: CanOpen | None = None) -> tuple[Card, tuple[str, ...]]:
    """The chosen card and the notices. Raises the error that the deliberation ends with."""
    found = weigh(text, *cards, can_open=can_open)
    if found.error:
        raise found.error
    assert found.chosen is not None
    return found.chosen.card, found.notices


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
    found, notices = choose(text, *cards)
    assert found is chosen
    assert len(notices) == (0 if notice is None else 1)
    assert notice is None or notice in notices[0]


def test_unknown_language_names_those_there_are() -> None:
    with pytest.raises(UnknownLanguage, match="in the language 'de'") as caught:
        choose("de/m", XX, FR)
    assert caught.value.why == "the languages there are: fr, xx (multilingual)"
    assert 'fr/m or pretrained("m", "fr")' in (caught.value.hint or "")


def test_several_languages_without_english_are_ambiguous_in_both_spellings() -> None:
    with pytest.raises(AmbiguousModel, match=r"2 languages: fr, xx \(multilingual\)") as caught:
        choose("m", XX, FR)
    assert caught.value.hint == 'write one of: fr/m or pretrained("m", "fr"), xx/m or pretrained("m", "xx")'


def test_of_many_languages_a_few_are_spelt_out() -> None:
    cards = [card(language=language) for language in ("af", "bn", "ca", "de", "el")]
    for text in ("m", "fr/m"):
        with pytest.raises(ResolutionError, match="m") as caught:
            choose(text, *cards)
        told = caught.value.what if text == "m" else caught.value.why or ""
        assert "af, bn, ca, de, el" in told
        assert (caught.value.hint or "").count("pretrained") == 3
        assert (caught.value.hint or "").endswith(", or another of the 2 languages left")


def test_unknown_version_names_those_there_are_as_numbers() -> None:
    with pytest.raises(UnknownVersion, match=">=4") as caught:
        choose("en/m@>=4", TEN, OLD, NEW)
    assert caught.value.why == "the versions there are: 3.9.0, 3.10.0"


def test_a_card_without_a_version_meets_no_constraint() -> None:
    bare = Card("m", "en")
    assert choose("en/m", bare)[0] is bare
    with pytest.raises(UnknownVersion):
        choose("en/m@>=1", bare)


def test_versions_that_cannot_be_opened_are_passed_over_aloud() -> None:
    newest, opened = card(version="5.0.0", annotator="NewAnnotator"), card(version="3.0.0", annotator="Known")
    found, notices = choose("en/m", newest, opened, OLD, can_open=knows)
    assert found is opened
    assert notices == (
        "en/m@3.9.0 is passed over: its card names no annotator",
        "en/m@5.0.0 is passed over: hubclient cannot open NewAnnotator",
    )


def test_a_version_that_may_not_open_either_takes_no_newer_ones_place() -> None:
    newest = card(version="5.0.0", annotator="NewAnnotator")
    assert choose("en/m", newest, OLD, can_open=knows) == (newest, ())
    assert choose("en/m", card(version="3.0.0", annotator="Known"), OLD, can_open=knows) == (OLD, ())


def test_warnings() -> None:
    old = card(deprecated=True, supported=False)
    assert choose("en/m", old)[1] == ("en/m@3.4.2 is deprecated", "en/m@3.4.2 is not supported, says its card")
    mislabelled = Card("m", "en", s3_parsed=XX.s3_parsed)
    assert choose("xx/m", mislabelled)[1] == ("the card says that its language is en, its archive is named xx",)


def test_the_front_matter_name_serves_where_no_archive_has_it() -> None:
    other = Card("shown", "de", s3_parsed=S3Location("b", "k", "", "k", "real", "de", "1.0.0", "3.0", 1))
    found, notices = choose("de/shown", other, card("shown", "es"))
    assert found is other
    assert "an archive that is named 'real'" in notices[0]
    assert choose("de/real", other)[0] is other
    twin = card("shown", "de")
    assert choose("de/shown", other, twin)[0] is twin


@pytest.mark.parametrize("written", ["en.x.y", "en.x.y."])
@pytest.mark.parametrize("said", ["en.x.y", "en.x.y."])
def test_an_nlu_reference_that_stands_for_one_model(written: str, said: str) -> None:
    cards = [card("a", nlu_refs=(said,)), card("a", version="3.5.0", nlu_refs=(said,)), card("b", nlu_refs=("en.x.yz", ""))]
    assert choose(written, *cards) == (cards[1], (f"the NLU reference '{written}' stands for en/a",))


def test_an_nlu_reference_that_stands_for_several_models() -> None:
    cards = [card("a", nlu_refs=("x.y",)), card("b", nlu_refs=("x.y",)), card("b", "fr", nlu_refs=("x.y",))]
    with pytest.raises(AmbiguousModel, match="stands for 3 models") as caught:
        choose("x.y", *cards)
    assert caught.value.hint == "write one of: en/a, en/b, fr/b"
    assert choose("fr/x.y", *cards)[0] is cards[2]
    with pytest.raises(UnknownLanguage, match="'a' is not there in the language 'fr'"):
        choose("fr/x.y", cards[0])


def test_a_name_counts_more_than_an_nlu_reference() -> None:
    assert choose("x.y", card("a", nlu_refs=("x.y",)), named := card("x.y"))[0] is named


def test_nothing_answers_to_another_name() -> None:
    found = weigh("other", EN, card(nlu_refs=("",)))
    assert (found.chosen, found.error) == (None, None)
    assert {candidate.verdict for candidate in found.candidates} == {"it has neither the name nor the NLU reference"}


TWIN, NEWER = card(supported=True), card(version="9.0.0")


@pytest.mark.parametrize(
    ("text", "candidates", "chosen"),
    [
        ("en/m", (known(TWIN, BUNDLED), known(EN, SHIPPED)), EN),
        ("en/m", (known(TWIN, OWN), known(EN, SHIPPED)), TWIN),
        ("en/m", (known(NEWER, BUNDLED), known(EN, SHIPPED)), NEWER),
        ("en/m", (known(NEWER, SHIPPED), known(EN, OWN)), EN),
        ("en/m@>=4", (known(NEWER, SHIPPED), known(EN, OWN)), NEWER),
        ("fr/m", (known(FR, BUNDLED), known(EN, OWN)), FR),
        ("m", (known(EN, BUNDLED), known(FR, OWN)), EN),
    ],
    ids=[
        "shipped over bundled",
        "own over shipped",
        "newest of ours",
        "own over newer",
        "unless asked for",
        "own language",
        "by language",
    ],
)
def test_layers(text: str, candidates: tuple[Known, ...], chosen: Card) -> None:
    assert choose(text, *candidates)[0] is chosen
    assert choose(text, *reversed(candidates))[0] is chosen


def test_every_candidate_is_told_of() -> None:
    newest = card(version="5.0.0", annotator="NewAnnotator")
    new, ten = card(version="3.10.0", epoch=2, annotator="Known"), card(version="3.10.0", annotator="Known")
    found = weigh("m", ten, new, OLD, newest, FR, can_open=knows)
    assert [(candidate.known.card, candidate.verdict) for candidate in found.candidates] == [
        (new, None),
        (newest, "hubclient cannot open NewAnnotator"),
        (ten, "en/m@3.10.0 is newer"),
        (OLD, "its card names no annotator"),
        (FR, "its language is fr"),
    ]
    assert found.steps == (
        "'m' is the name of a card",
        "language en: none was given, and it is one of en, fr",
        "versions that hubclient cannot open are passed over",
        "the newest archive of the newest library version of 2",
    )


def test_an_error_is_told_with_its_candidates() -> None:
    found = weigh("de/m", EN, FR)
    assert isinstance(found.error, ResolutionError)
    assert found.chosen is None
    assert {candidate.verdict for candidate in found.candidates} == {"'m' is not there in the language 'de'"}


@pytest.mark.parametrize(
    ("name", "hint", "why"),
    [
        ("bert_Small", "did you mean bert_small?", "names are case-sensitive"),
        ("bert_smal", "did you mean bert_small?", None),
        ("large", "did you mean roberta_large_finetuned?", None),
        ("finetuned_roberta", "did you mean roberta_large_finetuned?", None),
        ("something else", "hub search something else", None),
    ],
)
def test_unknown_names_come_with_near_ones(name: str, hint: str, why: str | None) -> None:
    cause = CardError("broken")
    error = unknown_model(name, ["bert_small", "roberta_large_finetuned"], [cause])
    assert (error.hint, error.why, error.causes) == (hint, why, (cause,))
