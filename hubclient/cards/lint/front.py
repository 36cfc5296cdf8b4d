"""Checks of the front matter by itself."""

from __future__ import annotations

import re
from functools import lru_cache

from hubclient.cards.lint.finding import Remark, Remarks, quoted
from hubclient.cards.lint.source import Source
from hubclient.errors import InvalidReference
from hubclient.names import CardReference, parse_reference

COMMUNITY_BUCKET = "community.johnsnowlabs.com"

_WANTED = ("title", "date", "tags", "task", "edition", "spark_version")
_FLAGS = {"supported", "deprecated", "recommended"}
# What YAML may read as a truth value or a number.
_MAYBE = re.compile(r"[+-]?[\d.][\w.:+-]*|yes|no|on|off|true|false", re.IGNORECASE | re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# Longer ones are no numbers that anybody means, and too long for Python to read.
_LONGEST_NUMBER = 40


def no_annotator(source: Source) -> Remarks:
    if not source.card.annotator:
        yield Remark(source.front.line("annotator"), "the front matter has no 'annotator'")


def display_name(source: Source) -> Remarks:
    card = source.card
    if not is_reference(card.name):
        hint = f"write 'name: {card.model_name}', and the other in 'title'" if is_reference(card.model_name) else None
        yield Remark(source.front.line("name"), f"nobody can ask for a model by the name {quoted(card.name)}", hint)


def date_form(source: Source) -> Remarks:
    written = source.card.front_matter.get("date")
    if isinstance(written, str) and not _DATE.fullmatch(written):
        message = f"the date is written {quoted(written)}, and is read as {quoted(source.card.date or '')}"
        yield Remark(source.front.line("date"), message, f"write 'date: {source.card.date}'")


def yaml_value(source: Source) -> Remarks:
    """Only fields that hold texts are of interest: flags are meant as they are read, and the date has a rule of its own."""
    suspects = {text for text in _texts(source) if _as_yaml(text) is not None}
    for scalar in source.front.scalars if suspects else ():
        if scalar.is_plain and scalar.text in suspects and scalar.key not in _FLAGS and scalar.key != "date":
            yield Remark(
                scalar.line,
                f"'{scalar.key}' holds {quoted(scalar.text)} without quotes, which YAML reads as {_as_yaml(scalar.text)}",
                f'write "{scalar.text}"',
            )


def missing_field(source: Source) -> Remarks:
    for key in _WANTED:
        if not source.card.front_matter.get(key):
            yield Remark(source.front.line(key), f"the front matter has no '{key}'")


def edition(source: Source) -> Remarks:
    card = source.card
    if card.edition and not card.lib_version:
        yield Remark(source.front.line("edition"), f"no library version can be read from the edition {quoted(card.edition)}")


def withdrawn(source: Source) -> Remarks:
    card = source.card
    if card.deprecated:
        yield Remark(source.front.line("deprecated"), "'deprecated' is true: whoever loads the model is warned")
    elif card.supported is False and card.s3_parsed and card.s3_parsed.bucket != COMMUNITY_BUCKET:
        message = f"'supported' is false, and the archive lies in {quoted(card.s3_parsed.bucket)}: whoever loads the model is warned"
        yield Remark(source.front.line("supported"), message)


def supported_in_community(source: Source) -> Remarks:
    card = source.card
    if card.supported and card.s3_parsed and card.s3_parsed.bucket == COMMUNITY_BUCKET:
        yield Remark(source.front.line("supported"), f"'supported' is true, and the archive lies in {quoted(COMMUNITY_BUCKET)}")


def is_reference(name: str) -> bool:
    try:
        return parse_reference(name) == CardReference(name)
    except InvalidReference:
        return False


def _texts(source: Source) -> set[str]:
    found: set[str] = set()
    for value in source.card.front_matter.values():
        found.update(item for item in (value if isinstance(value, tuple) else (value,)) if isinstance(item, str))
    return found


@lru_cache(maxsize=1000)
def _as_yaml(text: str) -> str | None:
    """What YAML 1.1 makes of the text without quotes, None if it is that text again."""
    if len(text) > _LONGEST_NUMBER or not _MAYBE.fullmatch(text):
        return None
    import yaml

    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, OverflowError):
        return None
    if isinstance(value, bool):
        return str(value).lower() if str(value).lower() != text else None
    return str(value) if isinstance(value, (int, float)) and str(value) != text else None
