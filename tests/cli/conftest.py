"""A cache with three models, made once for all workers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hubclient import Hub
from hubclient.settings import Settings
from tests.e2e.material import DEMO, PUBMED, PUBMED_KEY, PUBMED_ZIP, TREC6_ZIP, make_mirror


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.getbasetemp()
    cache = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "stocked-cache"
    mirror = make_mirror(tmp_path_factory.mktemp("mirror"), {PUBMED_KEY: PUBMED_ZIP})
    hub = Hub(settings=Settings(cache_dir=cache, mirrors=(mirror,), offline=True), progress=False)
    hub.pull(DEMO, "en")
    hub.pull(PUBMED, "en")
    hub.pull(str(TREC6_ZIP))
    return cache


@pytest.fixture
def shop(stocked: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache, for reading only."""
    monkeypatch.setenv("HUBCLIENT_CACHE", str(stocked))
    monkeypatch.setenv("HUBCLIENT_OFFLINE", "1")
    return stocked
