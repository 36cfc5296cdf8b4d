"""Several processes on one cache: one content, fetched once; without locks more is fetched, and nothing is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hubclient.store import Store
from tests.e2e.material import DEMO_ZIP, IMDB
from tests.e2e.shell import HUB, cache, hub
from tests.servers.script import Reply, Request, ScriptedServer, file_reply
from tests.store.contents import everything, python

PROCESSES = 16
WITHOUT_LOCKS = """
import errno, fcntl, os, sys
def flock(descriptor, operation):
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
fcntl.flock = flock
from hubclient.cli import main
main()
"""


@pytest.fixture
def served(script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """A server with one archive, which is every address's."""
    content = DEMO_ZIP.read_bytes()

    def answer(request: Request) -> Reply:
        return file_reply(request, content, '"v1"')

    script.answer = answer
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
    return script


def all_at_once(commands: list[list[str | Path]]) -> list[str]:
    """What they print; all succeed."""
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for command in commands]
    answers = [process.communicate(timeout=250) for process in running]
    assert [process.returncode for process in running] == [0] * len(commands), answers
    return [out for out, _ in answers]


def test_many_that_pull_one_model_fetch_it_once(served: ScriptedServer) -> None:
    printed = all_at_once([[HUB, "pull", IMDB]] * PROCESSES)
    store = Store(cache())
    (entry,) = store.entries()
    assert set(printed) == {f"{entry.path}\n"}
    assert served.sent == DEMO_ZIP.stat().st_size
    assert store.verify(entry.name) == []
    assert not [name for name in everything(store.root) if name.startswith(("staging/", "transfers/"))]


def test_without_locks_the_model_is_the_same(served: ScriptedServer) -> None:
    printed = all_at_once([[sys.executable, "-c", WITHOUT_LOCKS, "pull", IMDB]] * 4)
    store = Store(cache())
    (entry,) = store.entries()
    assert set(printed) == {f"{entry.path}\n"}
    assert store.verify(entry.name) == []
    assert not [name for name in everything(store.root) if name.startswith("staging/")]


def test_two_names_of_one_archives_content_share_its_folder(served: ScriptedServer) -> None:
    addresses = [f"{served.endpoint}/bucket/{name}_en_3.4.4_3.0_1635774771318.zip" for name in ("one", "two")]
    one, two = (hub("pull", address, "--json") for address in addresses)
    assert one.code == two.code == 0
    assert len(list((cache() / "contents").iterdir())) == 1
    for name, address in zip(("one", "two"), addresses, strict=True):
        shown = dict(line.split("\t", 1) for line in hub("info", address).out.splitlines() if "\t" in line)
        assert shown["origin"] == address
        assert f'"name": "{name}"' in hub("pull", address, "--json", "--offline").out
    listed = hub("ls")
    assert sorted(line.split("\t")[0] for line in listed.out.splitlines()) == ["one", "two"]
    assert listed.err == f"2 models, {listed.out.split(chr(9))[3]}\n"
    # What one name leaves, the other has.
    assert hub("rm", addresses[0]).err.endswith("freed 0 B\n")
    assert hub("path", addresses[0]).code == 5
    assert hub("predict", addresses[1], "--offline", "fine").code == 0


COMMITTING = """
    import sys
    from pathlib import Path
    from hubclient.store import Store
    store = Store(Path(sys.argv[1]))
    for turn in range(20):
        identity = f"s3://b/{turn}.zip"
        with store.staging(identity) as folder:
            (folder / "model").write_bytes(sys.argv[2].encode() * 1000)
            entry = store.commit(folder, identity)
            assert store.find(identity) is not None
"""


def test_processes_that_commit_the_same_names(store: Store) -> None:
    processes = [python(COMMITTING, store.root, letter) for letter in "aabc"]
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0] * 4
    store.clean()
    entries = store.entries()
    assert len(entries) == 20
    assert len(list((store.root / "contents").iterdir())) == len({entry.digest for entry in entries}) <= 3
    assert all(store.verify(entry.name) == [] for entry in entries)


CHURNING = """
    import sys
    from pathlib import Path
    from hubclient.store import Store
    store = Store(Path(sys.argv[1]))
    for turn in range(40):
        with store.staging("x") as folder:
            (folder / "model").write_bytes(b"the same")
            entry = store.commit(folder, sys.argv[2])
        assert (entry.path / "model").read_bytes() == b"the same"
        if turn % 3 == 0:
            store.remove([entry.name])
        elif turn % 7 == 0:
            store.clean()
"""


def test_processes_that_store_and_remove_one_content_under_their_own_names(store: Store) -> None:
    """A content is removed with its last name, and never with another's."""
    processes = [python(CHURNING, store.root, letter) for letter in "abc"]
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0] * 3
    assert store.entries() == []
    assert not list((store.root / "contents").iterdir())
