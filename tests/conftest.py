"""Fixtures for every test: an environment without the machine's own settings, and the servers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.hub import FakeHub, running_fakehub
from tests.servers.script import ScriptedServer, running_script
from tests.servers.seaweed import Seaweed, running_seaweed

_FOREIGN = ("HUBCLIENT_", "AWS_", "HF_", "HUGGING", "XDG_")
_PROXIES = {"http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle", "ssl_cert_file"}


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One index of the bundled cards for all tests: building it takes half a second."""
    return tmp_path_factory.mktemp("catalogue")


@pytest.fixture(autouse=True)
def _isolated_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, catalogue: Path) -> None:
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(_FOREIGN) or name.lower() in _PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("HUBCLIENT_CACHE", str(home / "hubclient"))
    (home / "hubclient").mkdir()
    (home / "hubclient" / "catalogue").symlink_to(catalogue, target_is_directory=True)
    monkeypatch.setenv("HUBCLIENT_LIVE_INDEX", "off")
    monkeypatch.setenv("HF_HOME", str(home / "huggingface"))
    # Without credentials, boto3 would ask the cloud's metadata service.
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """A real S3 server; the objects that one test puts there stay for the others."""
    with running_seaweed(tmp_path_factory.mktemp("seaweed")) as server:
        yield server


@pytest.fixture
def fakehub(tmp_path: Path) -> Iterator[FakeHub]:
    """A Hugging Face Hub with no repositories yet."""
    root = tmp_path / "fakehub"
    root.mkdir()
    with running_fakehub(root) as server:
        yield server


@pytest.fixture
def script() -> Iterator[ScriptedServer]:
    """An HTTP server that does as the test says."""
    with running_script() as server:
        yield server


@pytest.fixture(scope="session")
def shared() -> Path:
    """The larger test material, which lies beside some checkouts."""
    folder = Path(__file__).parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("the shared material is not beside this checkout")
    return folder
