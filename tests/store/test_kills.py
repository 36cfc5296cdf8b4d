"""A process is killed at any moment: what is found is whole, and what is left behind is cleaned up."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hubclient import Hub
from hubclient.settings import Settings
from hubclient.store import Store
from tests.e2e.material import DEMO_ZIP, PUBMED_FOLDER, TREC6_ZIP
from tests.store.contents import add, everything, python

PROGRAM = Path(__file__).with_name("killing.py")
LONGEST = 0.8


@contextmanager
def killing(root: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(PROGRAM), str(root), str(TREC6_ZIP), str(PUBMED_FOLDER)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_killed_at_random_moments(tmp_path: Path, kills: int) -> None:
    root = tmp_path / "cache"
    chance = random.Random()
    finished = stopped_short = 0
    with killing(root) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(kills):
            print(chance.uniform(0.005, LONGEST), file=process.stdin, flush=True)
            finished += int(process.stdout.readline())
            stopped_short += check(root, clean=chance.random() < 0.3)
        process.stdin.close()
    # The kills met work.
    assert finished
    assert stopped_short
    pull_after(root)


def check(root: Path, *, clean: bool) -> bool:
    """Whether there was something to clean up."""
    store = Store(root)
    whole = store.entries()
    assert [store.verify(entry.name) for entry in whole] == [[] for _ in whole]
    left = store.leftovers()
    if clean:
        store.clean()
        assert store.leftovers() == []
        only_models(store)
        assert Store(root).entries() == whole
    return bool(left)


def only_models(store: Store) -> None:
    """Nothing is there but what a name means."""
    entries = store.entries()
    assert len(entries) == len(store.names())
    kept = {f"contents/{entry.digest}" for entry in entries} | {f"archives/{entry.archive.name}" for entry in entries if entry.archive}
    found = {name for name in everything(store.root) if not name.startswith("names/")}
    assert {name for name in found if not any(name == part or name.startswith(f"{part}/") for part in kept)} == set()
    assert len([name for name in everything(store.root) if name.startswith("names/")]) == len(entries)


def pull_after(root: Path) -> None:
    """A later pull works, and what it does cleans up."""
    hub = Hub(settings=Settings(cache_dir=root, offline=True), progress=False)
    assert {hub.pull(str(origin)).is_dir() for origin in (DEMO_ZIP, TREC6_ZIP, PUBMED_FOLDER)} == {True}
    only_models(Store(root))
    assert all(hub.store.verify(name) == [] for name in hub.store.names())


STOPPING = """
    import os, shutil, signal, sys
    from pathlib import Path
    from hubclient.store import Store

    root, left = Path(sys.argv[1]), None

    def count(event, arguments):
        global left
        if left is not None and event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir") and str(root) in str(arguments[0]):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)

    def put(store, identity, content):
        with store.lock(identity), store.staging(identity) as folder, store.staging("archive") as other:
            (folder / "model").write_bytes(content)
            (other / "archive.zip").write_bytes(b"")
            store.keep_archive(store.commit(folder, identity), other / "archive.zip", EMPTY)

    EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for line in sys.stdin:
        shutil.rmtree(root, ignore_errors=True)
        for identity in ("stays", "goes"):
            put(Store(root), identity, identity.encode())
        child = os.fork()
        if child == 0:
            left = int(line)
            store = Store(root)
            put(store, "new", b"new")
            put(store, "shares", b"stays")
            put(store, "stays", b"stays")
            put(store, "changes", b"goes")
            store.remove([store.find("goes").name, store.find("changes").name])
            store.use(store.find("new"))
            left = None
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.mark.parametrize("stride", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_before_a_single_step(tmp_path: Path, stride: int) -> None:
    """Of every file that is opened, renamed or removed, and every folder, in several commits, kept archives and a removal."""
    store = Store(tmp_path / "cache")
    steps = random.Random().randrange(stride)
    with python(STOPPING, store.root) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        while True:
            process.stdin.write(b"%d\n" % steps)
            process.stdin.flush()
            outcome = int(process.stdout.readline())
            assert outcome in (0, -signal.SIGKILL)
            check(store.root, clean=True)
            assert store.find("stays")
            assert add(store, "later", {"model": b"later"}) in store.entries()
            if outcome == 0:
                break
            steps += stride
        process.stdin.close()
    assert sorted(entry.identity for entry in store.entries()) == ["later", "new", "shares", "stays"]
    assert steps > 100
