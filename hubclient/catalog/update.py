"""Bringing one layer of the index up to date, inside a transaction."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from hubclient.catalog.bundle import bundle_bytes, read_bundle
from hubclient.catalog.folder import CardFile, CardFolder
from hubclient.catalog.layer import Layer
from hubclient.catalog.row import Row, card_of, checksum, row_of
from hubclient.transfer.progress import Progress

if TYPE_CHECKING:
    from hubclient.catalog.reading import Answer

# The coarsest clock of a common file system (FAT) counts in two seconds.
_UNSETTLED_NS = 2_000_000_000
_WORTH_A_BAR = 200  # files
# Columns of what cards are called, and the table with the index that holds them.
NAMES = {"name": "card INDEXED BY card_name", "shown_name": "card INDEXED BY card_shown_name", "ref": "ref"}


class _FileRow(NamedTuple):
    """What the index has of a file; `settled`: it had not changed for a while when it was read."""

    id: int
    mtime_ns: int
    size: int
    digest: str
    settled: bool

    def fits(self, file: CardFile) -> bool:
        return self.settled and (self.mtime_ns, self.size) == (file.mtime_ns, file.size)


class LayerUpdate:
    """`connection` is in a transaction; another process may have done the work before it began."""

    def __init__(self, connection: sqlite3.Connection, layer: Layer) -> None:
        self._connection = connection
        self._layer = layer
        connection.execute("INSERT OR IGNORE INTO layer (source) VALUES (?)", (source_of(layer),))
        self._number, self._known_state = connection.execute("SELECT id, state FROM layer WHERE source = ?", (source_of(layer),)).fetchone()
        self._new = _NewRows(connection, self._number)

    def run(self, state: str, folder: CardFolder | None, progress: Progress) -> None:
        if state == self._known_state:
            return
        settled = self._read_folder(folder, progress) if folder else self._read_bundle(progress)
        self._new.write()
        digest = names_digest(self._connection, self._number)
        self._connection.execute("UPDATE layer SET state = ?, names = ? WHERE id = ?", (state if settled else None, digest, self._number))

    def _read_bundle(self, progress: Progress) -> bool:
        _remove(self._connection, _files_of(self._connection, self._number))
        cards = read_bundle(bundle_bytes(self._layer.path), path=str(self._layer.path)).cards
        with progress.task("reading the bundled index", sum(len(card.text) for card in cards)) as advance:
            for card in cards:
                self._new.add((card.file.encode(), None, None, None, True, None), row_of(card_of(card.text, None), card.text))
                advance(len(card.text))
        return True

    def _read_folder(self, folder: CardFolder, progress: Progress) -> bool:
        """Whether all files have settled: their times are past, so that a later change must show."""
        recent = time.time_ns() - _UNSETTLED_NS
        known = self._known_files()
        files = {file.path: file for file in folder.cards}
        changed = [file for path, file in files.items() if path not in known or not known[path].fits(file)]
        _remove(self._connection, (known[path].id for path in known.keys() - files.keys()))
        all_settled = True
        with closing(_answers(changed, known, progress)) as answers:
            for answer in answers:
                file = files[answer.path]
                # What could not be read may become readable without a sign.
                settled = file.mtime_ns < recent and bool(answer.digest)
                all_settled &= settled
                self._note(answer, file, known.get(answer.path), settled=settled)
        return all_settled

    def _known_files(self) -> dict[str, _FileRow]:
        rows = self._connection.execute("SELECT path, id, mtime_ns, size, digest, settled FROM file WHERE layer = ?", (self._number,))
        return {os.fsdecode(path): _FileRow(*row) for path, *row in rows.fetchall()}

    def _note(self, answer: Answer, file: CardFile, known: _FileRow | None, *, settled: bool) -> None:
        if known and answer.row is None and answer.problem is None:
            values = (file.mtime_ns, file.size, settled, known.id)
            self._connection.execute("UPDATE file SET mtime_ns = ?, size = ?, settled = ? WHERE id = ?", values)
            return
        if known:
            _remove(self._connection, [known.id])
        problem = json.dumps(answer.problem) if answer.problem else None
        self._new.add((os.fsencode(file.path), file.mtime_ns, file.size, answer.digest, settled, problem), answer.row)


class _NewRows:
    """Rows that wait to be written: a thousand at a time take half as long as one by one."""

    _MOST = 1000

    def __init__(self, connection: sqlite3.Connection, layer: int) -> None:
        self._connection = connection
        self._layer = layer
        # Few large merges of the words take half as long as many small ones.
        connection.execute("INSERT INTO words (words, rank) VALUES ('automerge', 0)")
        self._next = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM file").fetchone()[0]
        self._files: list[tuple[object, ...]] = []
        self._cards: list[tuple[int, Row]] = []

    def add(self, file: tuple[object, ...], row: Row | None) -> None:
        """`file`: path, mtime_ns, size, digest, settled, problem."""
        self._files.append((self._next, self._layer, *file))
        if row:
            self._cards.append((self._next, row))
        self._next += 1
        if len(self._files) >= self._MOST:
            self.write()

    def write(self) -> None:
        run, cards = self._connection.executemany, self._cards
        run("INSERT INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self._files)
        run("INSERT INTO card VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [(number, self._layer, *_card_columns(row)) for number, row in cards])
        run("INSERT INTO facts VALUES (?, ?, ?)", [(number, row.facts, checksum(row.facts)) for number, row in cards])
        run("INSERT INTO ref VALUES (?, ?, ?)", [(ref, self._layer, number) for number, row in cards for ref in row.refs])
        sql = "INSERT INTO words (rowid, name, title, labels, tags) VALUES (?, ?, ?, ?, ?)"
        run(sql, [(number, row.name, row.title, row.labels, row.tags) for number, row in cards])
        self._files, self._cards = [], []


def _card_columns(row: Row) -> tuple[object, ...]:
    return row.name, row.language, row.version, row.epoch_ms, row.shown_name, row.agrees, row.annotator, row.tasks


def source_of(layer: Layer) -> bytes:
    """What a layer is called in the index."""
    return os.fsencode(f"{layer.kind}:{layer.path.absolute()}")


def forget_lost(connection: sqlite3.Connection, layers: Sequence[Layer]) -> None:
    """Drop other layers than these, if what they were read from is gone: nobody may ever ask for them again."""
    asked = set(map(source_of, layers))
    for number, source in connection.execute("SELECT id, source FROM layer").fetchall():
        if source not in asked and not os.path.lexists(source.partition(b":")[2]):
            _remove(connection, _files_of(connection, number))
            connection.execute("DELETE FROM layer WHERE id = ?", (number,))


def _files_of(connection: sqlite3.Connection, layer: int) -> list[int]:
    return [number for (number,) in connection.execute("SELECT id FROM file WHERE layer = ?", (layer,))]


def _remove(connection: sqlite3.Connection, files: Iterable[int]) -> None:
    found = [(number,) for number in files]
    for table, column in (("file", "id"), ("card", "id"), ("facts", "id"), ("ref", "card"), ("words", "rowid")):
        connection.executemany(f"DELETE FROM {table} WHERE {column} = ?", found)


def names_digest(connection: sqlite3.Connection, layer: int) -> str:
    """Of everything that the layer's cards are called, in the order in which the database searches it."""
    total = hashlib.sha256()
    for column, table in NAMES.items():
        names = connection.execute(f"SELECT {column} FROM {table} WHERE layer = ? ORDER BY {column}", (layer,))
        total.update("\0".join([name for (name,) in names]).encode() + b"\n")
    return total.hexdigest()


def _answers(files: Sequence[CardFile], known: Mapping[str, _FileRow], progress: Progress) -> Generator[Answer, None, None]:
    from hubclient.catalog.reading import Task, read_files

    tasks = [Task(file.path, known[file.path].digest if file.path in known else None) for file in files]
    if len(tasks) < _WORTH_A_BAR:
        yield from read_files(tasks)
        return
    sizes = {file.path: file.size for file in files}
    with progress.task("reading model cards", sum(sizes.values())) as advance:
        for answer in read_files(tasks):
            yield answer
            advance(sizes[answer.path])
