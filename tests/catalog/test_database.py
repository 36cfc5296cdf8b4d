"""The SQLite file behind the index: what it bears, and what it leaves behind."""

from __future__ import annotations

import gc
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hubclient.catalog import database
from hubclient.catalog.database import Database, writing
from hubclient.errors import StoreError
from tests.cards.shared import ROOT


def prepare(connection: sqlite3.Connection) -> None:
    with writing(connection):
        connection.execute("CREATE TABLE IF NOT EXISTS word (word TEXT)")
        if not connection.execute("SELECT 1 FROM word").fetchone():
            connection.execute("INSERT INTO word VALUES ('one')")


def words(connection: sqlite3.Connection) -> list[str]:
    return [word for (word,) in connection.execute("SELECT word FROM word")]


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """Every connection that is made."""
    made: list[sqlite3.Connection] = []

    class Noted(sqlite3.Connection):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[arg-type]
            made.append(self)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *arguments, **options: connect(*arguments, factory=Noted, **options))
    return made


def is_open(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return False
    return True


def test_a_question_sees_one_moment(tmp_path: Path) -> None:
    kept = Database(tmp_path / "index", prepare)

    def twice(connection: sqlite3.Connection) -> tuple[list[str], list[str]]:
        before = words(connection)
        with closing(sqlite3.connect(tmp_path / "index", timeout=0, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("INSERT INTO word VALUES ('two')")
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("COMMIT")
        return before, words(connection)

    assert kept.ask(twice) == (["one"], ["one"])
    assert kept.ask(words) == ["one"]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("in_memory", [False, True])
@pytest.mark.parametrize("error", [sqlite3.OperationalError("no such module: fts5"), ValueError("odd"), KeyError("none")])
def test_what_cannot_be_prepared_ends_in_an_error(tmp_path: Path, error: Exception, *, in_memory: bool) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        raise error

    with pytest.raises(StoreError, match="cannot be used") as caught:
        Database(None if in_memory else tmp_path / "index", fail).ask(words)
    assert caught.value.why == str(error)
    assert "FTS5" in (caught.value.hint or "")


def test_a_question_that_always_fails_ends_in_an_error(tmp_path: Path) -> None:
    kept = Database(tmp_path / "index", prepare)
    with pytest.raises(StoreError):
        kept.ask(lambda connection: connection.execute("SELECT nothing FROM word"))
    assert kept.ask(words) == ["one"]


def test_connections_are_closed(tmp_path: Path, connections: list[sqlite3.Connection]) -> None:
    kept = Database(tmp_path / "index", prepare)
    kept.ask(words)
    kept.close()
    kept.ask(words)
    assert [is_open(connection) for connection in connections] == [False, True]
    del kept
    gc.collect()
    assert not any(map(is_open, connections))


@pytest.mark.parametrize("content", [b"", b"nonsense" * 1000])
@pytest.mark.parametrize("error", [KeyboardInterrupt, StoreError("full"), ValueError("odd")])
def test_connections_that_could_not_be_prepared_are_closed(
    tmp_path: Path, connections: list[sqlite3.Connection], content: bytes, error: BaseException
) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        raise error

    (tmp_path / "index").write_bytes(content)
    with pytest.raises((KeyboardInterrupt, StoreError)):
        Database(tmp_path / "index", fail).ask(words)
    assert connections
    assert not any(map(is_open, connections))


def test_damage_that_is_told_in_no_text(tmp_path: Path, connections: list[sqlite3.Connection]) -> None:
    """SQLite's message quotes what it found, and Python cannot decode it."""
    Database(tmp_path / "index", prepare).ask(words)
    data = (tmp_path / "index").read_bytes()
    (tmp_path / "index").write_bytes(data.replace(b"wordword", b"\xff" * 8).replace(b"CREATE", b"CRXATE"))
    assert Database(tmp_path / "index", prepare).ask(words) == ["one"]
    gc.collect()
    assert len(connections) == 3
    assert not any(map(is_open, connections))


@pytest.fixture
def held(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that is about to write, as that of another process."""
    Database(tmp_path / "index", prepare).ask(words)
    connection = sqlite3.connect(tmp_path / "index", isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


def test_another_process_that_writes_is_waited_for(
    tmp_path: Path, held: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database, "_MOMENT_MS", 50)
    held.execute("INSERT INTO word VALUES ('two')")
    caplog.set_level("INFO", "hubclient")
    freed = threading.Timer(0.5, held.commit)
    freed.start()
    assert Database(tmp_path / "index", prepare).ask(words) == ["one", "two"]
    freed.join()
    assert caplog.messages == ["waiting for another process that reads cards"]


def test_one_that_never_ends_is_done_without(tmp_path: Path, held: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_MOMENT_MS", 50)
    monkeypatch.setattr(database, "_WAIT_S", 0.2)
    assert Database(tmp_path / "index", prepare).ask(words) == ["one"]


WAITING = """
import sys
from pathlib import Path
from tests.catalog.test_database import Database, prepare, words
print("asks", flush=True)
try:
    Database(Path(sys.argv[1]), prepare).ask(words)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(os.name != "posix", reason="the signal of Ctrl-C is sent the POSIX way")
def test_waiting_can_be_interrupted(tmp_path: Path, held: sqlite3.Connection) -> None:
    command = [sys.executable, "-c", WAITING, str(tmp_path / "index")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "asks\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=20)[0] == "interrupted\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_while_another_thread_asks(tmp_path: Path) -> None:
    kept = Database(tmp_path / "index", prepare)
    asking, enough = threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection) -> bool:
        asking.set()
        return enough.wait(30)

    thread = threading.Thread(target=kept.ask, args=[slow])
    thread.start()
    asking.wait(30)
    child = os.fork()
    if not child:
        signal.alarm(20)
        os._exit(0 if kept.ask(words) == ["one"] else 1)
    enough.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert kept.ask(words) == ["one"]
