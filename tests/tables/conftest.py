"""Models that answer fast, opened once."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubclient import Classifier, from_archive
from hubclient.tables import lines, parquet
from tests.e2e.material import DEMO_ZIP, PUBMED_ZIP


@pytest.fixture(scope="session")
def tables_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables-cache")


@pytest.fixture(scope="session")
def demo(tables_cache: Path) -> Classifier:
    return from_archive(DEMO_ZIP, cache_dir=tables_cache, progress=False)


@pytest.fixture(scope="session")
def pubmed(tables_cache: Path) -> Classifier:
    return from_archive(PUBMED_ZIP, cache_dir=tables_cache, progress=False, activation="sigmoid")


@pytest.fixture
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "ROWS", 16)
    monkeypatch.setattr(parquet, "ROWS", 16)
