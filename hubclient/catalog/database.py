"""A SQLite file that is only ever a copy of what can be read elsewhere: damaged, it is thrown away; unwritable, memory serves."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import TypeVar

T = TypeVar("T")

_WAIT_S = 60.0  # for another process that writes
# What says nothing about the content, but that the file cannot be had or written here.
_OUT_OF_REACH = {
    sqlite3.SQLITE_AUTH, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOLFS, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_READONLY,
}  # fmt: skip


# What reading damaged content may end in: numbers, texts and rows that are not what was written.
_FAULTS = (sqlite3.DatabaseError, ValueError, LookupError, TypeError)


class Database:
    """`prepare` brings a connection's content up to date, and is called whenever the database was opened anew; None as path: in memory.

    Safe to use from several threads, and after a fork.
    """

    def __init__(self, path: Path | None, prepare: Callable[[sqlite3.Connection], None]) -> None:
        self._path = path
        self._prepare = prepare
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0

    def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """The answer; when the database turns out to be damaged, that of one built anew."""
        with self._lock:
            try:
                return question(self._ready())
            except _FAULTS as error:
                self._discard(error)
                return question(self._ready())

    def close(self) -> None:
        """The next question opens it again."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None

    def _ready(self) -> sqlite3.Connection:
        # A connection must not be used, or even closed, on the other side of a fork.
        if self._connection is None or self._process != os.getpid():
            self._connection = self._open()
            self._process = os.getpid()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        while self._path is not None:
            connection = None
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                connection = _connect(str(self._path))
                self._prepare(connection)
            except (*_FAULTS, OSError) as error:
                if connection is not None:
                    connection.close()
                if isinstance(error, OSError) or _is_out_of_reach(error):
                    return self._in_memory(self._path)
                self._discard(error)
            else:
                return connection
        return self._in_memory(None)

    def _in_memory(self, original: Path | None) -> sqlite3.Connection:
        """A copy of the file as far as it can be read, brought up to date."""
        memory = _connect(":memory:")
        if original is not None:
            with suppress(*_FAULTS), closing(_connect(f"{original.absolute().as_uri()}?mode=ro", uri=True)) as file:
                file.backup(memory)
        try:
            self._prepare(memory)
        except _FAULTS:
            if original is None:
                raise
            memory.close()
            return self._in_memory(None)
        return memory

    def _discard(self, error: Exception) -> None:
        """Throw the file away; where that is not possible, do without one."""
        self.close()
        try:
            if self._path is not None and not _is_out_of_reach(error):
                self._path.unlink(missing_ok=True)
                return
        except OSError:
            pass
        self._path = None


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """One process at a time; what was done is kept if all of it is. Readers see what was there before."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _connect(name: str, *, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=_WAIT_S, isolation_level=None, check_same_thread=False, uri=uri)
    # Nothing is written before the commit: readers are never locked out for long.
    connection.execute("PRAGMA cache_spill = OFF")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _is_out_of_reach(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _OUT_OF_REACH
