"""Checks of the table under "Model Information"."""

from __future__ import annotations

import re

from hubclient.cards.lint.finding import Remark, Remarks, quoted
from hubclient.cards.lint.source import Source
from hubclient.cards.lint.versions import first_version, same_version

_CASED = re.compile(r"(?<![^\W_])cased(?![^\W_])", re.IGNORECASE)
_SENTENSE = re.compile(r"[ \t]*+\|[^|]*?\bsentense\b")


def no_table(source: Source) -> Remarks:
    if not source.card.model_info:
        yield Remark(source.heading("Model Information"), "there is no table under 'Model Information'")


def name_in_table(source: Source) -> Remarks:
    card = source.card
    said = card.model_info.get("Model Name")
    if said and said.strip("`") not in (card.name, card.model_name):
        yield _differs(source, "Model Name", said, card.name)


def language_in_table(source: Source) -> Remarks:
    card = source.card
    said = card.model_info.get("Language")
    languages = [part.strip(" `\"'") for part in said.strip("[]").split(",")] if said else []
    if said and not {card.language, card.model_language}.intersection(languages):
        yield _differs(source, "Language", said, card.language)


def version_in_table(source: Source) -> Remarks:
    card = source.card
    said = card.model_info.get("Compatibility")
    version = first_version(said) if said else None
    known = [text for text in (card.lib_version, card.s3_parsed.lib_version if card.s3_parsed else None) if text]
    if said and version and known and not any(same_version(version, text) for text in known):
        yield _differs(source, "Compatibility", said, known[0])


def spelling(source: Source) -> Remarks:
    """Only in the table: prose may quote the word."""
    if "sentense" not in source.text:
        return
    for number, line in source.numbered("Model Information"):
        if _SENTENSE.match(line):
            yield Remark(number, "'Max sentense length' is misspelt")


def uncased_and_case_sensitive(source: Source) -> Remarks:
    card = source.card
    if card.case_sensitive and _says_uncased(card.model_name) and source.overlay.lowercase is None:
        yield _case(source, "uncased", "true")


def cased_and_case_insensitive(source: Source) -> Remarks:
    card = source.card
    if card.case_sensitive is False and _says_cased(card.model_name) and source.overlay.lowercase is None:
        yield _case(source, "cased", "false")


def value(source: Source) -> Remarks:
    card = source.card
    length = card.max_sentence_length
    read = {
        "Case sensitive": (card.case_sensitive is not None, "true or false"),
        "Max sentence length": (length is not None and length > 0, "a whole number above 0"),
        "Size": (card.size_mb is not None, "a number and a unit, as in 406.6 MB"),
    }
    for key, (is_read, wanted) in read.items():
        if key in card.model_info and not is_read:
            yield Remark(source.row(key), f"'{key}' is {quoted(card.model_info[key])}, and must be {wanted}", f"write {wanted}")


def _says_uncased(name: str) -> bool:
    return "uncased" in name.casefold() and not _CASED.search(name)


def _says_cased(name: str) -> bool:
    return _CASED.search(name) is not None and "uncased" not in name.casefold()


def _case(source: Source, word: str, said: str) -> Remark:
    message = f"the name {quoted(source.card.model_name)} says {word}, and 'Case sensitive' is {said}"
    return Remark(source.row("Case sensitive"), message)


def _differs(source: Source, key: str, said: str, front: str) -> Remark:
    return Remark(source.row(key), f"the table's '{key}' is {quoted(said)}, and the front matter says {quoted(front)}")
