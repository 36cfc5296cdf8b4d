"""Checks of the file itself: how it is encoded, and how it is called."""

from __future__ import annotations

import re

from hubclient.cards.lint.finding import Remark, Remarks, quoted
from hubclient.cards.lint.source import Source

_DATED = re.compile(r"(\d{4}-\d\d-\d\d)-(.*)", re.ASCII | re.DOTALL)
# Spark NLP's documentation sets the version of Spark after the language, where two archives differ in it alone.
_SPARK = re.compile(r"_\d{1,9}_\d{1,9}", re.ASCII)


def byte_order_mark(source: Source) -> Remarks:
    if source.raw.startswith("\ufeff"):
        yield Remark(1, "the file begins with a byte-order mark")


def line_ends(source: Source) -> Remarks:
    at = source.raw.find("\r")
    if at >= 0:
        windows = source.raw.startswith("\r\n", at)
        line = source.raw.count("\n", 0, at) + 1
        yield Remark(line, "lines end in a carriage return and a line feed" if windows else "lines end in a carriage return alone")


def file_name(source: Source) -> Remarks:
    stem = source.file_stem
    if stem is None:
        return
    dated = _DATED.fullmatch(stem)
    name = dated[2] if dated else stem
    card = source.card
    names = dict.fromkeys((card.model_name, card.name))
    languages = dict.fromkeys((card.model_language, card.language))
    spelled = [f"{given}_{language}" for given in names for language in languages]
    if name in names or any(name.startswith(start) and _fits(name[len(start) :]) for start in spelled):
        return
    yield Remark(
        1,
        f"the file is called {quoted(stem)}, and the card is of {quoted(spelled[0])}",
        f"call it {(dated[1] + '-') if dated else ''}{spelled[0]}.md",
    )


def file_date(source: Source) -> Remarks:
    dated = _DATED.fullmatch(source.file_stem or "")
    if dated and source.card.date and dated[1] != source.card.date:
        line = source.front.line("date")
        yield Remark(line, f"the front matter's date is {quoted(source.card.date)}, and the file's name says {quoted(dated[1])}")


def _fits(rest: str) -> bool:
    return not rest or _SPARK.fullmatch(rest) is not None
