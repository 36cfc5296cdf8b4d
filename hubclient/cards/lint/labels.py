"""Checks of the section "Predicted Entities"."""

from __future__ import annotations

from collections import Counter

from hubclient.cards.kinds import SEQUENCE, kind_of
from hubclient.cards.lint.finding import Remark, Remarks, listed, quoted
from hubclient.cards.lint.source import Source

_SECTION = "Predicted Entities"
_NOTHING = ("absent", "empty")
_FORMS = {
    "bullets": "a list of bullets",
    "table": "a table",
    "double_backticks": "two backticks",
    "described_backticks": "backticks between words that describe them",
}


def no_labels(source: Source) -> Remarks:
    card = source.card
    kind = kind_of(card.annotator)
    if kind is not None and kind.has_labels and card.labels_form in _NOTHING:
        yield Remark(source.heading(_SECTION), f"{quoted(card.annotator or '')} has classes, and the card names none of them")


def one_label(source: Source) -> Remarks:
    card = source.card
    if kind_of(card.annotator) is SEQUENCE and len(card.labels) == 1 and source.overlay.activation is None:
        yield Remark(_line(source, card.labels_verbatim[0]), f"the classifier has one label, {quoted(card.labels[0])}")


def duplicate_label(source: Source) -> Remarks:
    twice = [label for label, count in Counter(source.card.labels).items() if count > 1 and label]
    if twice:
        verbatim = source.card.labels_verbatim[source.card.labels.index(twice[0])]
        yield Remark(_line(source, verbatim), f"labels stand there more than once: {listed(twice)}")


def empty_label(source: Source) -> Remarks:
    card = source.card
    if "" in card.labels:
        verbatim = card.labels_verbatim[card.labels.index("")]
        yield Remark(_line(source, verbatim), f"label {card.labels.index('') + 1} of {len(card.labels)} is empty")


def no_label_is_read(source: Source) -> Remarks:
    if not source.card.labels and source.card.labels_form not in _NOTHING:
        line = next(number for number, line in source.numbered(_SECTION) if line.strip())
        yield Remark(line, "no label can be read from what stands under 'Predicted Entities'")


def form(source: Source) -> Remarks:
    written = _FORMS.get(source.card.labels_form)
    if written and source.card.labels:
        yield Remark(_line(source, source.card.labels_verbatim[0]), f"the labels stand in {written}")


def lone_backtick(source: Source) -> Remarks:
    if not source.card.labels:
        return
    section = next(section for section in source.sections if section.title == _SECTION)
    if any(line.count("`") % 2 for line in section.lines):
        number, line = next((number, line) for number, line in source.numbered(_SECTION) if line.count("`") % 2)
        yield Remark(number, f"a backtick has no partner in {quoted(line.strip())}")


def _line(source: Source, verbatim: str) -> int:
    """Where a label stands as it is written: between backticks, or as a bullet or the first cell of a row."""
    for number, line in source.numbered(_SECTION):
        bare = line.strip()
        cells = (bare.lstrip("-*+").strip(), bare.strip("|").partition("|")[0].strip(" `"))
        if f"`{verbatim}`" in line or (verbatim and verbatim in cells):
            return number
    return source.heading(_SECTION)
