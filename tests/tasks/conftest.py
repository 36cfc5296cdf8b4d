"""One repository of each kind, and a cache for them, for all tests of a worker."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from hubclient import Classifier, TokenClassifier, ZeroShotClassifier, from_folder
from tests.tasks.made import NLI, TAGS, save_model


@pytest.fixture(scope="session", autouse=True)
def _one_torch_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tasks_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tasks-cache")


@pytest.fixture(scope="session")
def nli_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("nli"), "SequenceClassification", NLI)


@pytest.fixture(scope="session")
def token_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("tokens"), "TokenClassification", TAGS)


@pytest.fixture(scope="session")
def classifier(nli_repository: Path, tasks_cache: Path) -> Classifier:
    return from_folder(nli_repository, cache_dir=tasks_cache)


@pytest.fixture(scope="session")
def zero_shot(nli_repository: Path, tasks_cache: Path) -> ZeroShotClassifier:
    return from_folder(nli_repository, task="zero-shot-classification", cache_dir=tasks_cache)


@pytest.fixture(scope="session")
def tagger(token_repository: Path, tasks_cache: Path) -> TokenClassifier:
    return from_folder(token_repository, task="token-classification", cache_dir=tasks_cache)
