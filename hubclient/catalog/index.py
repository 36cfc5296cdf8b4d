"""The index: facts of the cards of every layer, in one SQLite file with a full-text table (FTS5, https://sqlite.org/fts5.html).

It is brought up to date before it is asked. A folder is unchanged if the paths, times and sizes of its files are; of one that changed,
only those files are read whose time or size differ, and only those parsed whose content does. A file that changed within the last
moments is read again next time, since it may change once more without its time telling.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from hubclient.catalog.bundle import read_bundle
from hubclient.catalog.database import Database, writing
from hubclient.catalog.folder import CardFile, CardFolder, list_folder
from hubclient.catalog.layer import Layer
from hubclient.catalog.reading import Answer, Task, read_files
from hubclient.catalog.row import Row, card_of, checksum, row_of
from hubclient.transfer.progress import Progress

T = TypeVar("T")

_FORMAT = 1
_FILE = f"index-{_FORMAT}.sqlite"
_SCHEMA = """
CREATE TABLE layer (id INTEGER PRIMARY KEY, source BLOB UNIQUE NOT NULL, state TEXT, names TEXT);
CREATE TABLE file (id INTEGER PRIMARY KEY, layer INTEGER NOT NULL, path BLOB NOT NULL, mtime_ns INTEGER, size INTEGER, digest TEXT,
                   settled INTEGER, problem TEXT);
CREATE INDEX file_layer ON file (layer);
CREATE TABLE card (id INTEGER PRIMARY KEY, layer INTEGER NOT NULL, name TEXT, language TEXT, version TEXT, epoch_ms INTEGER,
                   shown_name TEXT, tasks TEXT, facts TEXT NOT NULL, checksum INTEGER NOT NULL);
CREATE INDEX card_name ON card (name);
CREATE INDEX card_shown_name ON card (shown_name);
CREATE TABLE ref (ref TEXT, card INTEGER, PRIMARY KEY (ref, card)) WITHOUT ROWID;
CREATE INDEX ref_card ON ref (card);
CREATE VIRTUAL TABLE words USING fts5 (name, title, labels, tags)
"""
# The coarsest clock of a common file system (FAT) counts in two seconds.
_UNSETTLED_NS = 2_000_000_000
_WORTH_A_BAR = 200  # files


@dataclass(frozen=True)
class Reader:
    """The index at one moment: the connection, and the layers by the numbers they have in it, the weakest first."""

    connection: sqlite3.Connection
    layers: Mapping[int, Layer]

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        return self.connection.execute(sql, values).fetchall()


class Index:
    """The cards of these layers, the weakest first. `folder`: where the file is kept; None keeps it in memory."""

    def __init__(self, layers: Sequence[Layer], folder: Path | None, progress: Progress) -> None:
        self.layers = tuple(layers)
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
                    _LayerUpdate(connection, layer).run(states[layer], self.folders.get(layer), self._progress)
        found = dict(connection.execute("SELECT source, id FROM layer").fetchall())
        self._numbers = {found[_source(layer)]: layer for layer in self.layers}

    def _state(self, layer: Layer) -> str:
        """What is the same as long as nothing changes."""
        if layer.kind == "bundle":
            return hashlib.sha256(layer.path.read_bytes()).hexdigest()
        files = "\n".join([f"{file.path}\0{file.mtime_ns}\0{file.size}" for file in self.folders[layer].cards])
        return hashlib.sha256(os.fsencode(files)).hexdigest()


def names_digest(connection: sqlite3.Connection, layer: int) -> str:
    """Of everything that the layer's cards are called: what the database does not find may have been damaged."""
    names = connection.execute("SELECT name, shown_name FROM card NOT INDEXED WHERE layer = ?", (layer,)).fetchall()
    refs = connection.execute("SELECT ref.ref FROM ref JOIN card ON card.id = ref.card WHERE card.layer = ?", (layer,)).fetchall()
    return hashlib.sha256(repr((sorted(names), sorted(refs))).encode(errors="surrogatepass")).hexdigest()


def _is_current(connection: sqlite3.Connection, states: Mapping[Layer, str]) -> bool:
    if connection.execute("PRAGMA user_version").fetchone()[0] != _FORMAT:
        return False
    known = dict(connection.execute("SELECT source, state FROM layer").fetchall())
    return all(known.get(_source(layer)) == state for layer, state in states.items())


def _create(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA user_version").fetchone()[0] == _FORMAT:
        return
    for statement in _SCHEMA.split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {_FORMAT}")


def _source(layer: Layer) -> bytes:
    return os.fsencode(f"{layer.kind}:{layer.path.absolute()}")


class _LayerUpdate:
    """Brings one layer up to date, inside a transaction: another process may have done it meanwhile."""

    def __init__(self, connection: sqlite3.Connection, layer: Layer) -> None:
        self._connection = connection
        self._layer = layer
        connection.execute("INSERT OR IGNORE INTO layer (source) VALUES (?)", (_source(layer),))
        self._number, self._known_state = connection.execute("SELECT id, state FROM layer WHERE source = ?", (_source(layer),)).fetchone()

    def run(self, state: str, folder: CardFolder | None, progress: Progress) -> None:
        if state == self._known_state:
            return
        settled = self._read_folder(folder, progress) if folder else self._read_bundle()
        digest = names_digest(self._connection, self._number)
        self._connection.execute("UPDATE layer SET state = ?, names = ? WHERE id = ?", (state if settled else None, digest, self._number))

    def _read_bundle(self) -> bool:
        self._remove(row[0] for row in self._connection.execute("SELECT id FROM file WHERE layer = ?", (self._number,)).fetchall())
        for card in read_bundle(self._layer.path.read_bytes()).cards:
            self._add(self._add_file(card.file.encode()), row_of(card_of(card.text, None), card.text))
        return True

    def _read_folder(self, folder: CardFolder, progress: Progress) -> bool:
        """Whether all files have settled: their times are past, so that a later change must show."""
        recent = time.time_ns() - _UNSETTLED_NS
        rows = self._connection.execute("SELECT path, id, mtime_ns, size, digest, settled FROM file WHERE layer = ?", (self._number,))
        known = {os.fsdecode(path): tuple(rest) for path, *rest in rows.fetchall()}
        files = {file.path: file for file in folder.cards}
        changed = [file for file in folder.cards if known.get(file.path, ())[1:3] != (file.mtime_ns, file.size) or not known[file.path][4]]
        self._remove(known[path][0] for path in known.keys() - files.keys())
        all_settled = True
        for answer in self._answers([Task(file.path, known.get(file.path, (None,) * 5)[3]) for file in changed], files, progress):
            file = files[answer.path]
            unchanged = answer.row is None and answer.problem is None
            if file.path in known and not unchanged:
                self._remove([known[file.path][0]])
            # What could not be read may become readable without a sign.
            settled = file.mtime_ns < recent and bool(answer.digest)
            all_settled &= settled
            self._note(answer, file, known[file.path][0] if unchanged else None, settled=settled)
        return all_settled

    def _answers(self, tasks: Sequence[Task], files: Mapping[str, CardFile], progress: Progress) -> Iterable[Answer]:
        if len(tasks) < _WORTH_A_BAR:
            yield from read_files(tasks)
            return
        with progress.task("reading model cards", sum(files[task.path].size for task in tasks)) as advance:
            for answer in read_files(tasks):
                yield answer
                advance(files[answer.path].size)

    def _note(self, answer: Answer, file: CardFile, number: int | None, *, settled: bool) -> None:
        """`number`: of the row of a file whose content did not change."""
        if number is not None:
            self._connection.execute(
                "UPDATE file SET mtime_ns = ?, size = ?, settled = ? WHERE id = ?", (file.mtime_ns, file.size, settled, number)
            )
            return
        problem = json.dumps(answer.problem) if answer.problem else None
        number = self._add_file(os.fsencode(file.path), file.mtime_ns, file.size, answer.digest, settled, problem)
        if answer.row:
            self._add(number, answer.row)

    def _add_file(self, path: bytes, *values: object) -> int:
        row = (self._number, path, *(values or (None,) * 5))
        sql = "INSERT INTO file (layer, path, mtime_ns, size, digest, settled, problem) VALUES (?, ?, ?, ?, ?, ?, ?)"
        number = self._connection.execute(sql, row).lastrowid
        assert number is not None
        return number

    def _add(self, number: int, row: Row) -> None:
        run = self._connection.execute
        keys = (number, self._number, row.name, row.language, row.version, row.epoch_ms, row.shown_name, row.tasks)
        run("INSERT INTO card VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*keys, row.facts, checksum(row.facts)))
        self._connection.executemany("INSERT INTO ref VALUES (?, ?)", [(ref, number) for ref in row.refs])
        run(
            "INSERT INTO words (rowid, name, title, labels, tags) VALUES (?, ?, ?, ?, ?)",
            (number, row.name, row.title, row.labels, row.tags),
        )

    def _remove(self, numbers: Iterable[object]) -> None:
        found = [(number,) for number in numbers]
        for table, column in (("file", "id"), ("card", "id"), ("ref", "card"), ("words", "rowid")):
            self._connection.executemany(f"DELETE FROM {table} WHERE {column} = ?", found)
