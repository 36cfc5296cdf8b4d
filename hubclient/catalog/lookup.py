"""Questions to the index: the cards of a name, of an NLU reference; all names, all keys, all problems."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from hubclient.catalog.index import Reader
from hubclient.catalog.layer import CardKey, Known, Layer
from hubclient.catalog.resolve import CanOpen
from hubclient.catalog.row import card_of, checksum
from hubclient.catalog.update import NAMES, names_digest
from hubclient.errors import CardError
from hubclient.names import Version

_CARDS = "SELECT card.layer, facts, checksum, path FROM card JOIN facts USING (id) JOIN file USING (id) WHERE"


def cards_meant(reader: Reader, name: str) -> list[Known]:
    """Those whose archive or front matter has the name, else those that it stands for as an NLU reference (a dot at its end makes no
    difference). That there are none is believed only of an index in which no name is damaged."""
    found = _known(reader, f"{_CARDS} (card.name = ? OR card.shown_name = ?) AND {_in_layers(reader)}", name, name)
    stem = name.rstrip(".")
    if not found:
        found = _known(reader, f"{_CARDS} id IN (SELECT card FROM ref WHERE ref = ?) AND {_in_layers(reader)}", stem)
    if not found:
        _verify_names(reader, {"name": name, "shown_name": name, "ref": stem})
    return found


def has_name(reader: Reader, name: str) -> bool:
    """Whether a card has it; an NLU reference is none. It is not made sure that no name is damaged."""
    sql = f"SELECT 1 FROM card WHERE (name = ? OR shown_name = ?) AND {_in_layers(reader, 'layer')} LIMIT 1"
    return any(reader.rows(sql, name, name))


def cards_numbered(reader: Reader, numbers: Iterable[int]) -> list[Known]:
    """In the order of the numbers."""
    return [known for number in numbers for known in _known(reader, f"{_CARDS} id = ?", number)]


def names(reader: Reader) -> list[str]:
    """Every name, once, in their order."""
    rows = reader.rows(f"SELECT DISTINCT name FROM card INDEXED BY card_name WHERE {_in_layers(reader)} ORDER BY name")
    return [name for (name,) in rows]


def facts_by_key(reader: Reader) -> Mapping[CardKey, tuple[str, str | None]]:
    """Every card's facts and its file, as `card_of` takes them, by keys in their order."""
    sql = f"SELECT id, card.layer, facts, checksum, path FROM card JOIN facts USING (id) JOIN file USING (id) WHERE {_in_layers(reader)}"
    found = {number: (_whole(facts, check), _file(reader, layer, path)) for number, layer, facts, check, path in reader.rows(sql)}
    return {CardKey(*outline[:4]): found[outline.number] for outline in sorted(_counting(reader), key=lambda outline: outline[:4])}


def counting_numbers(reader: Reader) -> set[int]:
    """Of each name, language, version and time the one card that counts."""
    return {card.number for card in _counting(reader)}


def current_numbers(reader: Reader, can_open: CanOpen | None = None) -> set[int]:
    """Of each name and language the one version that resolving without a constraint takes."""
    newest: dict[tuple[str, str], _Outline] = {}
    opened: dict[tuple[str, str], _Outline] = {}
    for card in _counting(reader):
        _keep_newest(newest, card)
        if card.annotator and can_open and can_open(card.annotator):
            _keep_newest(opened, card)
    if can_open is None:
        return {card.number for card in newest.values()}
    return {_taken(card, opened.get(model), can_open).number for model, card in newest.items()}


def _keep_newest(found: dict[tuple[str, str], _Outline], card: _Outline) -> None:
    other = found.get((card.name, card.language))
    if other is None or (card.own, card.version, card.epoch_ms) > (other.own, other.version, other.epoch_ms):
        found[card.name, card.language] = card


def _taken(newest: _Outline, opened: _Outline | None, can_open: CanOpen) -> _Outline:
    """The newest that can be opened, unless the newest can, or may, or counts more for being the user's own."""
    return newest if opened is None or can_open(newest.annotator) or newest.own != opened.own else opened


class _Outline(NamedTuple):
    """A card's key, and what decides between cards. `own`: it lies in a folder of the user's."""

    name: str
    language: str
    version: Version
    epoch_ms: int
    number: int
    annotator: str | None
    own: bool


def _counting(reader: Reader) -> Iterable[_Outline]:
    """Of several cards with one key the one that counts (as in `resolve`)."""
    sql = f"SELECT name, language, version, epoch_ms, layer, agrees, id, annotator FROM card WHERE {_in_layers(reader)}"
    ranks = {number: rank for rank, number in enumerate(reader.layers)}
    rows = sorted(reader.rows(sql), key=lambda row: (ranks[row[4]], row[5]))
    counting = {row[:4]: row for row in rows}.values()
    versions = {version: _version(version) for _, _, version, *_ in counting}
    for name, language, version, epoch, layer, _, number, annotator in counting:
        yield _Outline(name, language, versions[version], epoch, number, annotator, reader.layers[layer].own)


def states(reader: Reader) -> tuple[tuple[int, str | None], ...]:
    """By layer, what is the same as long as none of its cards changes; None while they still may, without a sign."""
    return tuple(reader.rows(f"SELECT id, state FROM layer WHERE {_in_layers(reader, 'id')} ORDER BY id"))


def counts(reader: Reader) -> Mapping[Layer, tuple[int, int]]:
    """How many cards each layer has, and how many files that are broken ones."""
    cards = dict(reader.rows("SELECT layer, count(*) FROM card GROUP BY layer"))
    broken = dict(reader.rows("SELECT layer, count(*) FROM file WHERE problem IS NOT NULL GROUP BY layer"))
    return {layer: (cards.get(number, 0), broken.get(number, 0)) for number, layer in reader.layers.items()}


def broken_files(reader: Reader) -> Mapping[Path, CardError]:
    """Why files are no readable cards, by path."""
    sql = f"SELECT path, problem FROM file WHERE problem IS NOT NULL AND {_in_layers(reader, 'file.layer')} ORDER BY layer, path"
    found = {}
    for path, problem in reader.rows(sql):
        what, where, why, hint = json.loads(problem)
        found[Path(os.fsdecode(path))] = CardError(what, where=where, why=why, hint=hint)
    return found


def _verify_names(reader: Reader, absent: Mapping[str, str]) -> None:
    """Raises sqlite3.DatabaseError if a name was lost, or if what is absent, by columns, is there."""
    layers = reader.rows(f"SELECT id, names FROM layer WHERE {_in_layers(reader, 'id')}")
    whole = all(names_digest(reader.connection, number) == digest for number, digest in layers)
    layered = _in_layers(reader, "layer")
    found = (reader.rows(f"SELECT 1 FROM {NAMES[column]} WHERE {column} = ? AND {layered}", name) for column, name in absent.items())
    if not whole or any(found):
        raise sqlite3.DatabaseError("names of cards are damaged")


def _known(reader: Reader, sql: str, *values: object) -> list[Known]:
    ranks = {number: rank for rank, number in enumerate(reader.layers)}
    return [
        Known(card_of(_whole(facts, check), _file(reader, number, path)), reader.layers[number], ranks[number], os.fsdecode(path))
        for number, facts, check, path in reader.rows(sql, *values)
    ]


def _whole(facts: str, check: int) -> str:
    """The facts. Raises sqlite3.DatabaseError if they are not what was written."""
    if checksum(facts) != check:
        raise sqlite3.DatabaseError("the facts of a card are damaged")
    return facts


def _file(reader: Reader, layer: int, path: bytes) -> str | None:
    """Where the card can be read; a card of the bundled index cannot."""
    return os.fsdecode(path) if reader.layers[layer].kind == "folder" else None


def _in_layers(reader: Reader, column: str = "card.layer") -> str:
    return f"{column} IN ({', '.join(map(str, reader.layers))})"


def _version(dotted: str) -> Version:
    return tuple(map(int, dotted.split("."))) if dotted else ()
