"""Checks of the links to the archive, and of the front matter against the archive's key, which is what counts for a download."""

from __future__ import annotations

import re

from hubclient.cards.lint.finding import Remark, Remarks, quoted
from hubclient.cards.lint.front import is_reference
from hubclient.cards.lint.source import Source
from hubclient.cards.lint.versions import same_version

_ADDRESS = r"\([ \t]*+([^()\s]*+)"


def name_against_key(source: Source) -> Remarks:
    card = source.card
    if card.name != card.model_name and is_reference(card.name):
        yield _differs(source, "name", card.name, "name", card.model_name)


def language_against_key(source: Source) -> Remarks:
    card = source.card
    if card.language != card.model_language:
        yield _differs(source, "language", card.language, "language", card.model_language)


def version_against_key(source: Source) -> Remarks:
    card = source.card
    key = card.s3_parsed.lib_version if card.s3_parsed else None
    if key and card.lib_version and not same_version(key, card.lib_version):
        yield _differs(source, "edition", card.lib_version, "library version", key)


def spark_against_key(source: Source) -> Remarks:
    card = source.card
    key = card.s3_parsed.spark_version if card.s3_parsed else None
    written = card.front_matter.get("spark_version")
    versions = [text for text in (written if isinstance(written, tuple) else (written,)) if isinstance(text, str)]
    if key and versions and not any(same_version(key, version) for version in versions):
        yield _differs(source, "spark_version", ", ".join(versions), "Spark version", key)


def download_against_s3(source: Source) -> Remarks:
    """Two addresses on Amazon must name one object; of an address elsewhere, the file's name must be that of the key."""
    card = source.card
    if not card.download_url or not card.s3_parsed or not card.s3_uri:
        return
    there = card.download_parsed
    same = there == card.s3_parsed if there else _file(card.download_url) == card.s3_parsed.file
    if not same:
        message = f"the Download link leads to {quoted(card.download_url)}, the S3 link to {quoted(card.s3_uri)}"
        yield Remark(source.line_of(card.download_url), message)


def no_download_link(source: Source) -> Remarks:
    if not source.card.download_url:
        yield Remark(_buttons(source, "[Download]"), "there is no link [Download](https://…)")


def no_s3_link(source: Source) -> Remarks:
    if not source.card.s3_uri:
        yield Remark(_buttons(source, "[Copy S3 URI]"), "there is no link [Copy S3 URI](s3://…)")


def archive_name(source: Source) -> Remarks:
    place = source.card.s3_parsed
    if place and place.name is None:
        yield Remark(source.line_of(place.uri), f"no name, language and versions can be read from the archive's name {quoted(place.file)}")


def several_links(source: Source) -> Remarks:
    """Two links with one address do no harm."""
    for words in ("[Download]", "[Copy S3 URI]"):
        if source.text.count(words + "(") < 2:
            continue
        first, *others = re.finditer(re.escape(words) + _ADDRESS, source.text)
        other = next((other for other in others if other[1] != first[1]), None)
        if other:
            message = f"a further {words} link leads to {quoted(other[1])}, and the first to {quoted(first[1])}"
            yield Remark(source.line_at(other.start()), message)


def _differs(source: Source, field: str, said: str, what: str, in_key: str) -> Remark:
    message = f"the front matter's {what} is {quoted(said)}, and the archive's is {quoted(in_key)}"
    return Remark(source.front.line(field), message)


def _file(url: str) -> str:
    return url.partition("?")[0].partition("#")[0].rpartition("/")[2]


def _buttons(source: Source, words: str) -> int:
    """Where a link should be: at the words that should be one, else where the template has the card's buttons."""
    return next((source.line_of(mark) for mark in (words, "{:.btn-box}") if mark in source.text), 1)
