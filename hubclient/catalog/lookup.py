"""Questions to the index: the cards of a name, of an NLU reference; all names, all keys, all problems."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

from hubclient.catalog.index import Reader
from hubclient.catalog.layer import CardKey, Known, Layer
from hubclient.catalog.resolve import CanOpen
from hubclient.catalog.row import card_of, checksum
from hubclient.catalog.update import names_digest
from hubclient.errors import CardError

_CARDS = "SELECT card.layer, card.facts, card.checksum, file.path FROM card JOIN file ON file.id = card.id WHERE"


def cards_meant(reader: Reader, name: str) -> list[Known]:
    """Those whose archive or front matter has the name, else those that it stands for as an NLU reference (a dot at its end makes no
    difference). That there are none is believed only of an index in which no name is damaged."""
    found = _known(reader, f"{_CARDS} (card.name = ? OR card.shown_name = ?) AND {_in_layers(reader)}", name, name)
    if not found:
        sql = f"{_CARDS} card.id IN (SELECT card FROM ref WHERE ref = ?) AND {_in_layers(reader)}"
        found = _known(reader, sql, name.rstrip("."))
    if not found:
        _verify_names(reader, name)
    return found


def cards_numbered(reader: Reader, numbers: Iterable[int]) -> list[Known]:
    """In the order of the numbers."""
    wanted = list(numbers)
    return [known for number in wanted for known in _known(reader, f"{_CARDS} card.id = ?", number)]


def names(reader: Reader) -> list[str]:
    """Every name, once."""
    return [name for (name,) in reader.connection.execute(f"SELECT DISTINCT name FROM card WHERE {_in_layers(reader)}")]


def numbers_by_key(reader: Reader) -> Mapping[CardKey, int]:
    """Every card's number, by keys in their order; of several cards with one key the one that counts (as in `resolve`)."""
    sql = (
        "SELECT name, language, version, epoch_ms, id, layer, shown_name = name AND json_extract(facts, '$.language') = language "
        f"FROM card WHERE {_in_layers(reader)}"
    )
    ranks = {number: rank for rank, number in enumerate(reader.layers)}
    rows = sorted(reader.connection.execute(sql), key=lambda row: (ranks[row[5]], row[6]))
    found = {CardKey(name, language, _version(version), epoch): number for name, language, version, epoch, number, *_ in rows}
    return dict(sorted(found.items()))


def current_numbers(reader: Reader, can_open: CanOpen | None = None) -> set[int]:
    """Of each name and language the one version that resolving without a constraint takes."""
    sql = f"SELECT name, language, version, epoch_ms, id, layer, json_extract(facts, '$.annotator') FROM card WHERE {_in_layers(reader)}"
    ranks = {number: rank for rank, number in enumerate(reader.layers)}
    best: dict[tuple[str, str], tuple[tuple[object, ...], int]] = {}
    for name, language, version, epoch, number, layer, annotator in reader.connection.execute(sql):
        opened = can_open is None or can_open(annotator)
        standing = (reader.layers[layer].own, opened, version, epoch, ranks[layer])
        if (name, language) not in best or standing >= best[name, language][0]:
            best[name, language] = (standing, number)
    return {number for _, number in best.values()}


def counts(reader: Reader) -> Mapping[Layer, tuple[int, int]]:
    """How many cards each layer has, and how many files that are broken ones."""
    cards = dict(reader.connection.execute("SELECT layer, count(*) FROM card GROUP BY layer"))
    broken = dict(reader.connection.execute("SELECT layer, count(*) FROM file WHERE problem IS NOT NULL GROUP BY layer"))
    return {layer: (cards.get(number, 0), broken.get(number, 0)) for number, layer in reader.layers.items()}


def broken_files(reader: Reader) -> Mapping[Path, CardError]:
    """Why files are no readable cards, by path."""
    sql = f"SELECT path, problem FROM file WHERE problem IS NOT NULL AND {_in_layers(reader, 'file.layer')} ORDER BY layer, path"
    found = {}
    for path, problem in reader.connection.execute(sql):
        what, where, why, hint = json.loads(problem)
        found[Path(os.fsdecode(path))] = CardError(what, where=where, why=why, hint=hint)
    return found


def _verify_names(reader: Reader, absent: str) -> None:
    """Raises sqlite3.DatabaseError if a name was lost, or if the absent one is there."""
    layers = reader.connection.execute(f"SELECT id, names FROM layer WHERE {_in_layers(reader, 'id')}").fetchall()
    whole = all(names_digest(reader.connection, number) == digest for number, digest in layers)
    found = reader.connection.execute(
        f"SELECT 1 FROM card NOT INDEXED WHERE {_in_layers(reader)} AND (name = ? OR shown_name = ?)", (absent, absent)
    )
    if not whole or found.fetchone():
        raise sqlite3.DatabaseError("names of cards are damaged")


def _known(reader: Reader, sql: str, *values: object) -> list[Known]:
    ranks = {number: rank for rank, number in enumerate(reader.layers)}
    found = []
    for number, facts, check, path in reader.connection.execute(sql, values):
        if checksum(facts) != check:
            raise sqlite3.DatabaseError("the facts of a card are damaged")
        layer, file = reader.layers[number], os.fsdecode(path)
        found.append(Known(card_of(facts, file if layer.kind == "folder" else None), layer, ranks[number], file))
    return found


def _in_layers(reader: Reader, column: str = "card.layer") -> str:
    return f"{column} IN ({', '.join(map(str, reader.layers))})"


def _version(packed: str) -> tuple[int, ...]:
    return tuple(map(int, packed.split("."))) if packed else ()
