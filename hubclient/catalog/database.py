"""A SQLite file that is only ever a copy of what can be read elsewhere: damaged, it is thrown away; unwritable, memory serves."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import TypeVar

from hubclient.errors import StoreError

T = TypeVar("T")

_log = logging.getLogger("hubclient")

_WAIT_S = 60.0  # for another process that writes
_MOMENT_MS = 1000
# What says nothing about the content, but that the file cannot be had or written here.
_OUT_OF_REACH = {
    sqlite3.SQLITE_AUTH, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOLFS, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_READONLY,
}  # fmt: skip
# What reading damaged content may end in: numbers, texts and rows that are not what was written.
_FAULTS = (sqlite3.DatabaseError, ValueError, LookupError, TypeError, AttributeError)


@dataclass
class _Use:
    """What one process has of a database."""

    lock: RLock = field(default_factory=RLock)
    connection: sqlite3.Connection | None = None


class Database:
    """`prepare` brings a connection's content up to date, and is called whenever the database was opened anew; None as path: in memory.

    Safe to use from several threads, and after a fork.
    """

    def __init__(self, path: Path | None, prepare: Callable[[sqlite3.Connection], None]) -> None:
        self._path = path
        self._prepare = prepare
        # By process: on the other side of a fork a connection must not be used or closed, and a lock may be held for ever.
        self._uses: dict[int, _Use] = {}
        weakref.finalize(self, _close, self._uses)

    def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """The answer, all of one moment; when the database turns out to be damaged, that of one built anew. Raises StoreError."""
        with self._use.lock:
            try:
                return self._answer(question)
            except _FAULTS as error:
                self._discard(error)
            try:
                return self._answer(question)
            except _FAULTS as error:
                self.close()
                hint = "check the disk, or set HUBCLIENT_CACHE; Python's SQLite must have FTS5"
                raise StoreError("the index of cards cannot be used", why=str(error), hint=hint) from error

    def close(self) -> None:
        """The next question opens it again."""
        use = self._use
        with use.lock:
            if use.connection is not None:
                use.connection.close()
                use.connection = None

    @property
    def _use(self) -> _Use:
        return self._uses.setdefault(os.getpid(), _Use())

    def _answer(self, question: Callable[[sqlite3.Connection], T]) -> T:
        use = self._use
        if use.connection is None:
            use.connection = self._open()
        use.connection.execute("BEGIN")
        try:
            return question(use.connection)
        finally:
            use.connection.rollback()

    def _open(self) -> sqlite3.Connection:
        if self._path is not None:
            with suppress(OSError):
                self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                return self._prepared(str(self._path))
            except sqlite3.DatabaseError as error:
                if not _is_out_of_reach(error):
                    raise
            with suppress(*_FAULTS):
                return self._prepared(":memory:", original=self._path)
        return self._prepared(":memory:")

    def _prepared(self, name: str, *, original: Path | None = None) -> sqlite3.Connection:
        """`original`: a file whose content the connection gets first."""
        connection = _connect(name)
        try:
            if original is not None:
                with closing(_connect(f"{original.absolute().as_uri()}?mode=ro", uri=True)) as file:
                    file.backup(connection)
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

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
    _begin(connection)
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _begin(connection: sqlite3.Connection) -> None:
    """SQLite waits a moment at a time, since Ctrl-C does nothing while it does."""
    ends, told = time.monotonic() + _WAIT_S, False
    connection.execute(f"PRAGMA busy_timeout = {_MOMENT_MS}")
    while not connection.in_transaction:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > ends:
                raise
            if not told:
                _log.info("waiting for another process that reads cards")
            told = True
    connection.execute(f"PRAGMA busy_timeout = {int(_WAIT_S * 1000)}")


def _connect(name: str, *, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=_WAIT_S, isolation_level=None, check_same_thread=False, uri=uri)
    try:
        # Nothing is written before the commit: readers are never locked out for long.
        connection.execute("PRAGMA cache_spill = OFF")
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _close(uses: Mapping[int, _Use]) -> None:
    use = uses.get(os.getpid())
    # At the end of the program another thread may still be asking.
    if use is not None and use.connection is not None and use.lock.acquire(blocking=False):
        use.connection.close()


def _is_out_of_reach(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _OUT_OF_REACH
