"""Which card answers to a reference: rules only, on cards that are already read.

A card is a name and a language, with versions: library version first, then the time the archive was made. The name, language and
version that count are those of the archive's key. Each rule puts candidates out, and says why: what is left is the answer. So the
explanation is the decision itself. Whatever the user did not ask for and should know is a notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from hubclient.cards.card import Card
from hubclient.catalog.layer import CardKey, Known, dotted
from hubclient.errors import AmbiguousModel, ResolutionError, UnknownLanguage, UnknownVersion
from hubclient.names import CardReference

_SPELT_OUT = 3

# Of an annotator, None where a card tells none.
CanOpen = Callable[[str | None], bool]


@dataclass(frozen=True)
class Candidate:
    """`verdict`: why the card was not chosen; None for the one that was."""

    known: Known
    verdict: str | None


@dataclass(frozen=True)
class Deliberation:
    """How a reference was resolved: `steps` are the rules that decided, `candidates` the chosen card first, then the newest.

    Either `chosen` or `error` is set; both are None when no card has the name.
    """

    reference: CardReference
    candidates: tuple[Candidate, ...] = ()
    steps: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    chosen: Known | None = None
    error: ResolutionError | None = None


def deliberate(known: Iterable[Known], reference: CardReference, *, can_open: CanOpen | None = None) -> Deliberation:
    """Choose among the cards that may be meant: those with the reference's name, or else with its NLU reference."""
    panel = _Panel(known)
    error: ResolutionError | None = None
    try:
        _choose(panel, reference, can_open)
    except ResolutionError as raised:
        error = raised
    chosen = panel.left[0] if panel.left and error is None else None
    notices = (*panel.notices, *(_warnings(chosen.card, reference) if chosen else ()))
    return Deliberation(reference, tuple(panel.candidates(chosen, error)), tuple(panel.steps), notices, chosen, error)


class _Panel:
    """The candidates that are left, and why the others are not."""

    def __init__(self, known: Iterable[Known]) -> None:
        self.left = list(known)
        self.steps: list[str] = []
        self.notices: list[str] = []
        self._out: list[Candidate] = []

    def keep(self, wanted: Callable[[Known], bool], verdict: Callable[[Known], str]) -> None:
        self._out += [Candidate(known, verdict(known)) for known in self.left if not wanted(known)]
        self.left = [known for known in self.left if wanted(known)]

    def candidates(self, chosen: Known | None, error: ResolutionError | None) -> Iterator[Candidate]:
        if chosen:
            yield Candidate(chosen, None)
        out = self._out if chosen else [*self._out, *(Candidate(known, error.what if error else "") for known in self.left)]
        yield from sorted(out, key=lambda candidate: _age(candidate.known), reverse=True)


def _choose(panel: _Panel, reference: CardReference, can_open: CanOpen | None) -> None:
    reference = _by_meaning(panel, reference)
    if panel.left:
        _drop_twins(panel)
        _by_language(panel, reference)
        _by_constraint(panel, reference)
        _own_first(panel)
        _by_can_open(panel, can_open)
        _newest(panel)


def _by_meaning(panel: _Panel, reference: CardReference) -> CardReference:
    """The cards of the name; else those of the NLU reference. Returns the reference to the one model that is meant."""
    name = reference.name
    archives = {known.card.model_language for known in panel.left if known.card.model_name == name}
    shown = {known.card.model_language for known in panel.left if known.card.name == name}
    if archives or shown:
        panel.keep(lambda known: name in (known.card.model_name, known.card.name), lambda known: f"'{name}' is the name of a card")
        panel.keep(
            lambda known: known.card.model_name == name or known.card.model_language not in archives,
            lambda known: f"its archive is named '{known.card.model_name}', and another one has the name",
        )
        panel.steps.append(f"'{name}' is the name of a card")
        return reference
    panel.keep(lambda known: _has_nlu(known.card, name), lambda known: "it has neither the name nor the NLU reference")
    return _by_nlu(panel, reference) if panel.left else reference


def _by_nlu(panel: _Panel, reference: CardReference) -> CardReference:
    if reference.language is not None and any(known.card.model_language == reference.language for known in panel.left):
        _keep_language(panel, reference.language)
    models = sorted({(known.card.model_name, known.card.model_language) for known in panel.left})
    if len(models) > 1:
        raise AmbiguousModel(
            f"the NLU reference '{reference.name}' stands for {len(models)} models",
            hint="write one of: " + ", ".join(f"{language}/{name}" for name, language in models),
        )
    name, language = models[0]
    panel.notices.append(f"the NLU reference '{reference.name}' stands for {language}/{name}")
    panel.steps.append(f"no card has the name '{reference.name}'; as an NLU reference it stands for {language}/{name}")
    return replace(reference, name=name, language=reference.language or language)


def _drop_twins(panel: _Panel) -> None:
    """Of several cards with one key the one of the highest rank counts, then the one that is called as its archive is."""
    best: dict[CardKey, Known] = {}
    for known in panel.left:
        other = best.get(known.key)
        if other is None or _standing(known) >= _standing(other):
            best[known.key] = known
    panel.keep(lambda known: best[known.key] is known, lambda known: f"{best[known.key].layer} tell of the same archive, and count more")


def _by_language(panel: _Panel, reference: CardReference) -> None:
    languages = sorted({known.card.model_language for known in panel.left})
    name, wanted = reference.name, reference.language
    if wanted is not None:
        if wanted not in languages:
            raise UnknownLanguage(
                f"'{name}' is not there in the language '{wanted}'",
                why="the languages there are: " + ", ".join(map(_described, languages)),
                hint=_spellings(name, languages),
            )
        panel.steps.append(f"language {wanted}: asked for")
    elif len(languages) == 1:
        wanted = languages[0]
        panel.notices.append(f"no language was given: '{name}' has only {_described(wanted)}")
        panel.steps.append(f"language {wanted}: the only one")
    elif "en" in languages:
        wanted = "en"
        panel.notices.append(f"no language was given: en is taken of {', '.join(languages)}")
        panel.steps.append(f"language en: none was given, and it is one of {', '.join(languages)}")
    else:
        raise AmbiguousModel(
            f"'{name}' is there in {len(languages)} languages: {', '.join(map(_described, languages))}",
            hint=_spellings(name, languages),
        )
    _keep_language(panel, wanted)


def _keep_language(panel: _Panel, language: str) -> None:
    panel.keep(
        lambda known: known.card.model_language == language, lambda known: f"its language is {_described(known.card.model_language)}"
    )


def _by_constraint(panel: _Panel, reference: CardReference) -> None:
    constraint = reference.constraint
    if constraint is None:
        return
    language, known_versions = panel.left[0].card.model_language, sorted({known.card.version for known in panel.left if known.card.version})
    panel.keep(
        lambda known: bool(known.card.version) and constraint.admits(known.card.version),
        lambda known: f"the version asked for is {constraint}",
    )
    if not panel.left:
        raise UnknownVersion(
            f"'{language}/{reference.name}' is not there in version {constraint}",
            why="the versions there are: " + ", ".join(map(dotted, known_versions)) if known_versions else "its card tells no version",
            hint=f"write {language}/{reference.name}" + (f"@{dotted(known_versions[-1])}" if known_versions else ""),
        )
    panel.steps.append(f"version {constraint}: asked for")


def _own_first(panel: _Panel) -> None:
    if any(known.layer.own for known in panel.left) and not all(known.layer.own for known in panel.left):
        panel.keep(lambda known: known.layer.own, lambda known: "a card in your own folders has the name and language")
        panel.steps.append("the cards in your own folders count more than those that come with hubclient")


def _by_can_open(panel: _Panel, can_open: CanOpen | None) -> None:
    """A newest version that cannot be opened is passed over, aloud, for those of which it is known that they can; unless there are none."""
    newest = max(panel.left, key=_age)
    if can_open is None or can_open(newest.card.annotator):
        return
    opened = [known for known in panel.left if known.card.annotator and can_open(known.card.annotator)]
    if not opened:
        return
    taken = max(map(_age, opened))
    passed = sorted((known for known in panel.left if known not in opened and _age(known) > taken), key=_age)
    panel.notices += [f"{known.key} is passed over: {_not_opened(known)}" for known in passed]
    panel.keep(lambda known: known in opened, _not_opened)
    panel.steps.append("versions that hubclient cannot open are passed over")


def _not_opened(known: Known) -> str:
    annotator = known.card.annotator
    return f"hubclient cannot open {annotator}" if annotator else "its card names no annotator"


def _newest(panel: _Panel) -> None:
    """By library version, then by the time the archive was made."""
    newest = max(panel.left, key=_age)
    if len(panel.left) > 1:
        others = [known.card.version for known in panel.left if known is not newest]
        why = "the newest library version" if newest.card.version not in others else "the newest archive of the newest library version"
        panel.steps.append(f"{why} of {len(panel.left)}")
    panel.keep(lambda known: known is newest, lambda known: f"{newest.key} is newer")


def _warnings(card: Card, reference: CardReference) -> Iterable[str]:
    key = CardKey.of(card)
    if card.deprecated:
        yield f"{key} is deprecated"
    if card.supported is False:
        yield f"{key} is not supported, says its card"
    if card.name != card.model_name and reference.name == card.name:
        yield f"the card '{card.name}' downloads an archive that is named '{card.model_name}'"
    if card.language != card.model_language:
        yield f"the card says that its language is {card.language}, its archive is named {card.model_language}"


def _has_nlu(card: Card, name: str) -> bool:
    """A dot at the end of an NLU reference makes no difference."""
    wanted = name.rstrip(".")
    return bool(wanted) and any(ref.rstrip(".") == wanted for ref in card.nlu_refs)


def _standing(known: Known) -> tuple[int, bool]:
    card = known.card
    return known.rank, card.name == card.model_name and card.language == card.model_language


def _age(known: Known) -> tuple[Sequence[int], int]:
    return known.card.version, known.card.epoch_ms


def _described(language: str) -> str:
    return "xx (multilingual)" if language == "xx" else language


def _spellings(name: str, languages: Sequence[str]) -> str:
    """Both ways to write the language, with the first few: there are names with dozens."""
    written = [f'{language}/{name} or pretrained("{name}", "{language}")' for language in languages[:_SPELT_OUT]]
    more = len(languages) - len(written)
    return "write one of: " + ", ".join(written) + (f", or another of the {more} languages left" if more else "")
