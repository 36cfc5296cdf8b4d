"""A pull is killed at any moment, while it fetches, converts or commits: what is in the store is whole, and what had arrived stays."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from hubclient import Hub
from hubclient.settings import Settings
from hubclient.store import Store
from tests.e2e.material import DEMO_ZIP
from tests.servers.script import ScriptedServer, file_reply
from tests.transfer.faults import etag_of
from tests.transfer.nursery import Nursery, asked, finished, nursery, overlapping

CONTENT = DEMO_ZIP.read_bytes()
ETAG = etag_of(CONTENT)
LONGEST = 1.6


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_killed_at_any_moment(script: ScriptedServer, tmp_path: Path, kills: int) -> None:
    script.answer = lambda request: file_reply(request, CONTENT, ETAG)
    with nursery("pull", script.endpoint, tmp_path) as children:
        ends = [killed_once(children, script, tmp_path) for _ in range(kills)]
        assert pulled(children, script, tmp_path)
    assert ends.count(False)
    hub = Hub(settings=Settings(cache_dir=tmp_path, offline=True), progress=False)
    (name,) = hub.store.names()
    assert hub.store.verify(name) == []
    assert list((tmp_path / "transfers").iterdir()) == []
    hub.store.clean()
    assert hub.store.leftovers() == []


def killed_once(children: Nursery, script: ScriptedServer, folder: Path) -> bool:
    """Whether it was done before."""
    there = finished(folder, script.endpoint, CONTENT, ETAG)
    script.requests.clear()
    child = children.start()
    time.sleep(random.uniform(0, LONGEST))
    os.kill(child, signal.SIGKILL)
    done = children.end() == 0
    assert not overlapping(asked(script, len(CONTENT)), there)
    store = Store(folder)
    entries = store.entries()
    assert [store.verify(entry.name) for entry in entries] == [[] for _ in entries]
    # Most find some of the file; a model that is there is pulled anew.
    if entries:
        store.remove([entry.name for entry in entries])
    return done


def pulled(children: Nursery, script: ScriptedServer, folder: Path) -> bool:
    there = finished(folder, script.endpoint, CONTENT, ETAG)
    script.requests.clear()
    children.start()
    done = children.end() == 0
    assert not overlapping(asked(script, len(CONTENT)), there)
    return done
