"""One session of Spark for all tests here: its virtual machine takes long to start."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hubclient import Hub
from hubclient.settings import Settings
from tests.e2e.material import DEMO, DEMO_ZIP, IMDB, IMDB_KEY, PUBMED, PUBMED_KEY, PUBMED_ZIP, make_mirror
from tests.spark.sessions import ENVIRONMENT, SETTINGS

SPARK = shutil.which("java") is not None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker has them all. Machines without Java do without them, and say so."""
    here = Path(__file__).parent
    for item in (item for item in items if here in item.path.parents):
        item.add_marker(pytest.mark.xdist_group("spark"))
        item.add_marker(pytest.mark.timeout(900))
        if not SPARK:
            item.add_marker(pytest.mark.skip(reason="Java is not installed"))


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the demo model and both seed models, or what stands for them."""
    folder = tmp_path_factory.mktemp("spark-models")
    mirror = make_mirror(folder / "mirror", {PUBMED_KEY: PUBMED_ZIP, IMDB_KEY: DEMO_ZIP})
    hub = Hub(settings=Settings(cache_dir=folder / "cache", mirrors=(mirror,), offline=True, live_index=None), progress=False)
    for name in (DEMO, PUBMED, IMDB):
        hub.pull(name, "en")
    return folder / "cache"


@pytest.fixture(scope="session")
def spark(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    pytest.importorskip("pyspark")
    from pyspark.sql import SparkSession

    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**ENVIRONMENT, "HUBCLIENT_CACHE": str(models), "HUBCLIENT_OFFLINE": "1"}.items():
            patch.setenv(name, value)
        patch.setenv("PYTHONPATH", os.pathsep.join(part for part in sys.path if part))
        builder = SparkSession.builder.master("local[2]").config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
        for name, value in SETTINGS.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
    yield session
    session.stop()


@pytest.fixture(autouse=True)
def _environment(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver's; that of the executors is as it was when they were started."""
    monkeypatch.setenv("HUBCLIENT_CACHE", str(models))
    monkeypatch.setenv("HUBCLIENT_OFFLINE", "1")
