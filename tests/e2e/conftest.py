"""A cache for the whole run, in which each archive is converted once, and torch with one thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hubclient import Classifier, from_archive, from_folder

Opened = Callable[[Path, str], Classifier]


@pytest.fixture(scope="session")
def one_torch_thread() -> None:
    """Two workers with a pool of spinning threads each would take the cores from one another."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def common_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workers of pytest-xdist share it: the store is made for that."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "common-cache"


@pytest.fixture(scope="session")
def opened(common_cache: Path, one_torch_thread: None) -> Opened:
    """Opens an archive with an engine: the same classifier each time."""
    known: dict[tuple[Path, str], Classifier] = {}

    def open_it(archive: Path, engine: str) -> Classifier:
        if (archive, engine) not in known:
            folder = from_archive(archive, cache_dir=common_cache, progress=False).path
            known[archive, engine] = from_folder(folder, engine=engine)
        return known[archive, engine]

    return open_it
