"""An archive that somebody fetched before: a zip, or the folder that it unpacks to, as Spark NLP's own cache has it.

One that has the name of a known archive is stored as that one, so that nobody fetches it again. What is known of that one is held against
it first: the annotator, and of a zip the checksum in the live index, where its list is on this machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from hubclient.acquire import Wanted, Workshop, acquire_file, check_path, identity_of
from hubclient.archive.location import open_archive
from hubclient.archive.sparknlp import read_metadata
from hubclient.cards import Card
from hubclient.cards.location import parse_archive_name
from hubclient.catalog.catalog import LiveCards
from hubclient.convert.annotators import can_open, unsupported
from hubclient.convert.repository import is_repository
from hubclient.errors import InconsistentModel, SourceError
from hubclient.imports.result import Imported
from hubclient.mirror.folder import facts_of
from hubclient.mirror.place import Facts
from hubclient.names import CardReference
from hubclient.native import Identity
from hubclient.sources.location import S3Location
from hubclient.way import identity_of_card

_HINT = "hub pull ./FILE takes it as what it is, under a name of its own"


@dataclass(frozen=True)
class LiveFacts:
    """The live index as far as its list is on this machine. `checksum`: (name, file) -> the archive's MD5, if it tells it."""

    cards: LiveCards
    checksum: Callable[[str, str], str | None]


def import_archive(path: Path, workshop: Workshop, live: LiveFacts) -> Imported:
    """Raises SourceError, ArchiveError, ModelError, StoreError."""
    check_path(path)
    annotator = None if is_repository(path) else _annotator(path)
    file = path.name if path.is_file() else f"{path.name}.zip"
    card = known_card(file, workshop, live.cards)
    identity = S3Location(card.s3_parsed.bucket, card.s3_parsed.key).identity if card and card.s3_parsed else identity_of(path)
    if entry := workshop.store.find(identity):
        return Imported(str(path), "there already", entry)
    facts = facts_of(path) if path.is_file() else None
    wanted = _wanted(file, path)
    if card is not None:
        _check(path, file, card, annotator, facts, live)
        wanted = Wanted(identity_of_card(card), workshop.catalog.overlay(card), card.labels)
    wanted = replace(wanted, sha256=facts.sha256 if facts else None)
    return Imported(str(path), "imported", acquire_file(path, wanted, workshop, identity))


def known_card(file: str, workshop: Workshop, live: LiveCards) -> Card | None:
    """The card whose archive has this file name; nobody is asked for it."""
    name = parse_archive_name(file).name
    if name is None:
        return None
    found = workshop.catalog.deliberate(CardReference(name), can_open=can_open)
    cards = [candidate.known.card for candidate in found.candidates]
    named = (card for card in (*cards, *_listed(name, live)) if card.s3_parsed and card.s3_parsed.file == file)
    return next(named, None)


def _listed(name: str, live: LiveCards) -> list[Card]:
    try:
        return live(name)
    except SourceError:
        return []


def _wanted(file: str, path: Path) -> Wanted:
    """Of an archive that no card tells of."""
    said = parse_archive_name(file)
    return Wanted(Identity(said.name or path.name.removesuffix(".zip"), said.lang, said.lib_version, said.spark_version))


def _annotator(path: Path) -> str:
    """Raises UnsupportedModel for one whose models cannot be opened."""
    with open_archive(path) as members:
        annotator = read_metadata(members).annotator
    if not can_open(annotator):
        raise unsupported(annotator, str(path))
    return annotator


def _check(path: Path, file: str, card: Card, annotator: str | None, facts: Facts | None, live: LiveFacts) -> None:
    if card.annotator and annotator and card.annotator.casefold() != annotator.casefold():
        raise _another(path, f"the card says {card.annotator}, the archive {annotator}")
    wanted = live.checksum(card.model_name, file)
    if facts is not None and wanted not in (None, facts.md5):
        raise _another(path, f"its MD5 is {facts.md5}, the live index says {wanted}")


def _another(path: Path, why: str) -> InconsistentModel:
    return InconsistentModel("the archive is not the one that its name says", where=str(path), why=why, hint=_HINT)
