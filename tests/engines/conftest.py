"""One repository, for models that find entities, and one for those that classify."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tasks.made import NLI, TAGS, save_model


@pytest.fixture(scope="session")
def nli_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("nli"), "SequenceClassification", NLI)


@pytest.fixture(scope="session")
def token_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("tokens"), "TokenClassification", TAGS)
