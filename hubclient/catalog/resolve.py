"""Which card answers to a reference: rules only, on cards that are already read.

A card is a name and a language, with versions: library version first, then the time the archive was made. The name, language and
version that count are those of the archive's key. Whatever the user did not ask for and should know is a notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hubclient.cards.card import Card
from hubclient.errors import AmbiguousModel, HubError, UnknownLanguage, UnknownModel, UnknownVersion
from hubclient.names import CardReference, Version

_NEAR_NAMES = 5


@dataclass(frozen=True)
class Selection:
    card: Card
    notices: tuple[str, ...] = ()


def cards_named(cards: Iterable[Card], name: str) -> list[Card]:
    """The cards whose archive has that name, and those whose front matter has it in a language that none of the former is in."""
    cards = list(cards)
    named = [card for card in cards if card.model_name == name]
    languages = {card.model_language for card in named}
    return named + [card for card in cards if card.name == name != card.model_name and card.model_language not in languages]


def cards_by_nlu(cards: Iterable[Card], name: str) -> list[Card]:
    """The cards that an NLU reference stands for; a dot at its end makes no difference."""
    wanted = name.rstrip(".")
    return [card for card in cards if any(ref.rstrip(".") == wanted for ref in card.nlu_refs)] if wanted else []


def select(cards: Sequence[Card], reference: CardReference, *, can_open: Callable[[Card], bool] | None = None) -> Selection:
    """Choose among the cards of one name (at least one): the language, then the newest version that the constraint admits.

    Versions that `can_open` refuses are passed over, unless it refuses all. Raises UnknownLanguage, AmbiguousModel, UnknownVersion.
    """
    language, notices = _language(cards, reference)
    versions = [card for card in cards if card.model_language == language]
    admitted = _admitted(versions, reference, language)
    opened = [card for card in admitted if can_open is None or can_open(card)]
    chosen = max(opened or admitted, key=_age)
    newer = [card for card in admitted if opened and _age(card) > _age(chosen)]
    notices += [f"{_spelled(card)} is passed over: hubclient cannot open {card.annotator or 'it'}" for card in sorted(newer, key=_age)]
    return Selection(chosen, (*notices, *_warnings(chosen, reference)))


def select_by_nlu(cards: Sequence[Card], reference: CardReference, *, can_open: Callable[[Card], bool] | None = None) -> Selection:
    """Choose among the cards that an NLU reference stands for (at least one). Raises AmbiguousModel if they are several models."""
    if reference.language is not None:
        cards = [card for card in cards if card.model_language == reference.language] or cards
    models = sorted({(card.model_name, card.model_language) for card in cards})
    if len(models) > 1:
        raise AmbiguousModel(
            f"the NLU reference '{reference.name}' stands for {len(models)} models",
            hint="write one of: " + ", ".join(f"{language}/{name}" for name, language in models),
        )
    name, language = models[0]
    found = select(cards, CardReference(name, reference.language or language, reference.constraint), can_open=can_open)
    return Selection(found.card, (f"the NLU reference '{reference.name}' stands for {language}/{name}", *found.notices))


def unknown_model(name: str, names: Iterable[str], causes: Iterable[HubError] = ()) -> UnknownModel:
    """The error for a name that no card has, with the names that are near it."""
    import difflib

    known = sorted(set(names))
    twins = [other for other in known if other.casefold() == name.casefold()]
    near = twins or difflib.get_close_matches(name, known, n=_NEAR_NAMES) or [other for other in known if name in other][:_NEAR_NAMES]
    return UnknownModel(
        f"no card has the name '{name}'",
        why="names are case-sensitive" if twins else None,
        hint=("did you mean " + " or ".join(near) + "?") if near else f"hub search {name}",
        causes=causes,
    )


def _language(cards: Sequence[Card], reference: CardReference) -> tuple[str, list[str]]:
    languages = sorted({card.model_language for card in cards})
    name = reference.name
    if reference.language is not None:
        if reference.language not in languages:
            raise UnknownLanguage(
                f"'{name}' is not there in the language '{reference.language}'",
                why="the languages there are: " + ", ".join(map(_described, languages)),
                hint="write one of: " + ", ".join(_both_spellings(name, language) for language in languages),
            )
        return reference.language, []
    if len(languages) == 1:
        return languages[0], [f"no language was given: '{name}' has only {_described(languages[0])}"]
    if "en" in languages:
        return "en", [f"no language was given: en is taken of {', '.join(languages)}"]
    raise AmbiguousModel(
        f"'{name}' is there in {len(languages)} languages: {', '.join(map(_described, languages))}",
        hint="write one of: " + ", ".join(_both_spellings(name, language) for language in languages),
    )


def _admitted(cards: Sequence[Card], reference: CardReference, language: str) -> Sequence[Card]:
    constraint = reference.constraint
    if constraint is None:
        return cards
    admitted = [card for card in cards if card.version and constraint.admits(card.version)]
    if not admitted:
        known = sorted({card.version for card in cards if card.version})
        raise UnknownVersion(
            f"'{language}/{reference.name}' is not there in version {constraint}",
            why="the versions there are: " + ", ".join(map(_dotted, known)) if known else "its card tells no version",
            hint=f"write {language}/{reference.name}" + (f"@{_dotted(known[-1])}" if known else ""),
        )
    return admitted


def _warnings(card: Card, reference: CardReference) -> Iterable[str]:
    if card.deprecated:
        yield f"{_spelled(card)} is deprecated"
    if card.supported is False:
        yield f"{_spelled(card)} is not supported, says its card"
    if card.name != card.model_name and reference.name == card.name:
        yield f"the card '{card.name}' downloads an archive that is named '{card.model_name}'"
    if card.language != card.model_language:
        yield f"the card says that its language is {card.language}, its archive is named {card.model_language}"


def _age(card: Card) -> tuple[Version, int]:
    return card.version, card.epoch_ms


def _spelled(card: Card) -> str:
    version = f"@{_dotted(card.version)}" if card.version else ""
    return f"{card.model_language}/{card.model_name}{version}"


def _described(language: str) -> str:
    return "xx (multilingual)" if language == "xx" else language


def _both_spellings(name: str, language: str) -> str:
    return f'{language}/{name} or pretrained("{name}", "{language}")'


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))
