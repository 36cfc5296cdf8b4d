"""The index: facts of the cards of every layer, in one SQLite file with a full-text table (FTS5, https://sqlite.org/fts5.html).

It is brought up to date before it is asked. A folder is unchanged if the paths, times and sizes of its files are; of one that changed,
only those files are read whose time or size differ, and only those parsed whose content does. A file that changed within the last
moments is read again next time, since it may change once more without its time telling. Layers that are not asked for stay in the file
as long as what they were read from is there.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hubclient import __version__
from hubclient.catalog.bundle import bundle_bytes
from hubclient.catalog.database import Database, writing
from hubclient.catalog.folder import CardFolder, list_folder
from hubclient.catalog.layer import Layer
from hubclient.catalog.update import LayerUpdate, forget_lost, source_of
from hubclient.transfer.progress import Progress

T = TypeVar("T")

# Raised whenever the tables change, or what the parser makes of a card.
_FORMAT = 2
_FILE = f"index-{__version__}.sqlite"
_SCHEMA = """
CREATE TABLE layer (id INTEGER PRIMARY KEY AUTOINCREMENT, source BLOB UNIQUE NOT NULL, state TEXT, names TEXT);
CREATE TABLE file (id INTEGER PRIMARY KEY, layer INTEGER NOT NULL, path BLOB NOT NULL, mtime_ns INTEGER, size INTEGER, digest TEXT,
                   settled INTEGER, problem TEXT);
CREATE INDEX file_layer ON file (layer);
CREATE TABLE card (id INTEGER PRIMARY KEY, layer INTEGER NOT NULL, name TEXT, language TEXT, version TEXT, epoch_ms INTEGER,
                   shown_name TEXT, agrees INTEGER, annotator TEXT, tasks TEXT, facts TEXT NOT NULL, checksum INTEGER NOT NULL);
CREATE INDEX card_name ON card (name);
CREATE INDEX card_shown_name ON card (shown_name);
CREATE TABLE ref (ref TEXT, card INTEGER, PRIMARY KEY (ref, card)) WITHOUT ROWID;
CREATE INDEX ref_card ON ref (card);
CREATE VIRTUAL TABLE words USING fts5 (name, title, labels, tags)
"""


@dataclass(frozen=True)
class Reader:
    """The index at one moment: the connection, and the layers by the numbers they have in it, the weakest first."""

    connection: sqlite3.Connection
    layers: Mapping[int, Layer]

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, list(map(_bound, values))).fetchall()


class Index:
    """The cards of these layers, the weakest first. `folder`: where the file is kept; None keeps it in memory."""

    def __init__(self, layers: Sequence[Layer], folder: Path | None, progress: Progress) -> None:
        self.layers = tuple(_once(layers))
        self.folders: dict[Layer, CardFolder] = {}
        self._progress = progress
        self._numbers: dict[int, Layer] = {}
        self._database = Database(folder / _FILE if folder else None, self._update)

    def ask(self, question: Callable[[Reader], T]) -> T:
        """The answer, from an index that was up to date when it was opened."""
        return self._database.ask(lambda connection: question(Reader(connection, self._numbers)))

    def refresh(self) -> None:
        """Look for changed cards again before the next question."""
        self._database.close()

    def _update(self, connection: sqlite3.Connection) -> None:
        self.folders = {layer: list_folder(layer.path) for layer in self.layers if layer.kind == "folder"}
        states = {layer: self._state(layer) for layer in self.layers}
        if not _is_current(connection, states):
            with writing(connection):
                _create(connection)
                for layer in self.layers:
                    LayerUpdate(connection, layer).run(states[layer], self.folders.get(layer), self._progress)
                forget_lost(connection, self.layers)
        found = dict(connection.execute("SELECT source, id FROM layer").fetchall())
        self._numbers = {found[source_of(layer)]: layer for layer in self.layers}

    def _state(self, layer: Layer) -> str:
        """What is the same as long as nothing changes."""
        if layer.kind == "bundle":
            return hashlib.sha256(bundle_bytes(layer.path)).hexdigest()
        files = "\n".join([f"{file.path}\0{file.mtime_ns}\0{file.size}" for file in self.folders[layer].cards])
        return hashlib.sha256(os.fsencode(files)).hexdigest()


def _once(layers: Sequence[Layer]) -> Iterator[Layer]:
    """Each place once, where it counts most."""
    last = {source_of(layer): number for number, layer in enumerate(layers)}
    return (layers[number] for number in sorted(last.values()))


def _bound(value: object) -> object:
    """Text that is no Unicode (Python has surrogates for it) is in no card."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def _is_current(connection: sqlite3.Connection, states: Mapping[Layer, str]) -> bool:
    if connection.execute("PRAGMA user_version").fetchone()[0] != _FORMAT:
        return False
    known = dict(connection.execute("SELECT source, state FROM layer").fetchall())
    return all(known.get(source_of(layer)) == state for layer, state in states.items())


def _create(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA user_version").fetchone()[0] == _FORMAT:
        return
    for statement in _SCHEMA.split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {_FORMAT}")
