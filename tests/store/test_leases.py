"""Models in use: a process that opened one keeps it from being removed by others, for as long as it lives and no longer."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hubclient import locks
from hubclient.errors import StoreInUse
from hubclient.store import Store
from hubclient.store.leases import Leases
from tests.store.contents import ID, OTHER, add, everything, in_namespace, python

USE = """
    import sys
    from pathlib import Path
    from hubclient.store import Store
    store = Store(Path(sys.argv[1]))
    entry = store.find(sys.argv[2])
    print(store.use(entry), flush=True)
    sys.stdin.read()
"""


@contextmanager
def using(store: Store, identity: str = ID) -> Iterator[subprocess.Popen[bytes]]:
    """A process that uses the model; it is killed at the end."""
    with python(USE, store.root, identity) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"True\n"
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


def leases(store: Store) -> list[Path]:
    return list((store.root / "leases").glob("*"))


def test_what_another_process_uses_is_not_removed(store: Store) -> None:
    entry = add(store)
    with using(store) as process:
        with pytest.raises(StoreInUse, match="in use") as refused:
            store.remove([entry.name])
        assert str(process.pid) in str(refused.value)
        assert store.find(ID) == entry
        assert store.verify(entry.name) == []
        assert [holding.user for holding in store.holdings()] == [str(process.pid)]
    # It was killed: nobody uses it any more.
    assert [holding.user for holding in store.holdings()] == [None]
    assert store.remove([entry.name]) > 0
    assert leases(store) == []


def test_of_several_models_all_stay_when_one_is_in_use(store: Store) -> None:
    names = [add(store).name, add(store, OTHER, {"config.json": b"other"}).name]
    with using(store, OTHER):
        with pytest.raises(StoreInUse):
            store.remove(names)
        assert len(store.entries()) == 2


def test_by_force(store: Store) -> None:
    entry = add(store)
    with using(store):
        assert store.remove([entry.name], force=True) > 0
    assert store.find(ID) is None


def test_a_name_may_go_while_its_content_is_used_by_another_name(store: Store) -> None:
    entry, other = add(store), add(store, OTHER)
    with using(store):
        assert store.remove([other.name]) == 0
        assert store.find(ID) == entry


def test_ones_own_use_is_no_hindrance(store: Store) -> None:
    entry = add(store)
    assert store.use(entry)
    assert store.use(entry)
    assert len(leases(store)) == 1
    assert store.remove([entry.name]) > 0
    assert not store.use(entry)


def test_a_process_that_ends_leaves_no_lease(store: Store) -> None:
    add(store)
    with python(USE, store.root, ID) as process:
        process.communicate(b"")
    assert leases(store) == []


def test_a_forked_process_keeps_the_model(store: Store) -> None:
    add(store)
    code = USE.replace("sys.stdin.read()", "import os; os.write(1, b'%d\\n' % os.fork()); sys.stdin.read()")
    with python(code, store.root, ID) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"True\n"
        children = sorted(int(parent.stdout.readline()) for _ in range(2))
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert store.holdings()[0].user is not None
        os.kill(children[1], signal.SIGKILL)
    # It is nobody's child any more, so that nobody can wait for its end.
    while store.holdings()[0].user:
        time.sleep(0.01)


def test_a_use_that_began_just_before_the_removal_is_seen(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = add(store)
    answers = iter([None, "77"])
    monkeypatch.setattr(Leases, "user_of", lambda self, digest: next(answers))
    with pytest.raises(StoreInUse):
        store.remove([entry.name])
    assert store.find(ID) == entry
    assert store.verify(entry.name) == []


def test_leases_that_killed_processes_left_are_swept(store: Store) -> None:
    add(store)
    with using(store):
        pass
    assert len(leases(store)) == 1
    store.clean()
    assert leases(store) == []


def test_where_there_are_no_locks_nobody_is_known_to_use_anything(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_lock", lambda descriptor: "unsupported")
    entry = add(store)
    assert store.use(entry)
    assert leases(store) == []
    assert store.remove([entry.name]) > 0


def test_a_cache_that_cannot_be_written_is_used_all_the_same(store: Store) -> None:
    add(store)
    mount = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"'
    code = USE.replace("sys.stdin.read()", "print(store.find(sys.argv[2]) == entry)")
    assert in_namespace(mount, code, store.root, ID) == "True\nTrue\n"
    assert not (store.root / "leases").exists()
    assert everything(store.root)
