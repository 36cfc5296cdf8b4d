"""Repositories of a Hugging Face Hub: huggingface_hub against a server that speaks its protocol."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hubclient.errors import (
    CorruptTransfer,
    Forbidden,
    InvalidReference,
    NotFound,
    Offline,
    ServerFailure,
    SourceError,
    StoreFull,
    Unreachable,
)
from hubclient.settings import Settings
from hubclient.sources.huggingface import HubFile, HubRepository, HubSnapshot
from hubclient.sources.location import HubLocation
from tests.servers.hub import FakeHub
from tests.servers.ports import free_port
from tests.servers.script import Reply, ScriptedServer

REPO = "someone/Tiny-Model"
CONFIG = b'{"model_type": "bert"}'
WEIGHTS = bytes(range(256)) * 5000
FILES = {"config.json": CONFIG, "model.safetensors": WEIGHTS, "onnx/model.onnx": b"graph"}


@pytest.fixture
def settings(fakehub: FakeHub, tmp_path: Path) -> Settings:
    fakehub.add(REPO, FILES)
    return Settings(cache_dir=tmp_path / "cache", hf_endpoint=fakehub.endpoint, hf_cache=tmp_path / "hf")


def repository(settings: Settings, repo: str = REPO, revision: str | None = None) -> HubRepository:
    return HubRepository(HubLocation(repo, revision), settings, retries=3, sleep=lambda seconds: None)


def test_resolve_pins_the_commit_and_lists_files_with_their_hashes(settings: Settings) -> None:
    snapshot = repository(settings).resolve()
    assert len(snapshot.commit) == 40
    assert set(snapshot.files) == set(FILES)
    assert snapshot.files["model.safetensors"] == HubFile(len(WEIGHTS), sha256=hashlib.sha256(WEIGHTS).hexdigest())
    git_sha1 = hashlib.sha1(b"blob %d\0" % len(CONFIG) + CONFIG).hexdigest()
    assert snapshot.files["config.json"] == HubFile(len(CONFIG), git_sha1=git_sha1)
    assert str(snapshot.location) == f"hf:{REPO}@{snapshot.commit}"


def test_fetch_puts_verified_files_into_the_folder(settings: Settings, tmp_path: Path) -> None:
    hub = repository(settings)
    snapshot = hub.resolve()
    told: list[int] = []
    sums = hub.fetch(snapshot, FILES, tmp_path / "out", told.append)
    assert {name: (tmp_path / "out" / name).read_bytes() for name in FILES} == FILES
    assert sums == {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    assert sum(told) == snapshot.size_of(FILES)
    assert not any((tmp_path / "out" / name).is_symlink() for name in FILES)


def test_fetch_again_asks_for_no_bytes(settings: Settings, fakehub: FakeHub, tmp_path: Path) -> None:
    hub = repository(settings)
    snapshot = hub.resolve()
    hub.fetch(snapshot, FILES, tmp_path / "first")
    fakehub.fault(p503=100)
    hub.fetch(snapshot, FILES, tmp_path / "second")
    assert (tmp_path / "second" / "config.json").read_bytes() == CONFIG


def test_a_commit_can_be_named(settings: Settings) -> None:
    commit = repository(settings).resolve().commit
    assert repository(settings, revision=commit).resolve().commit == commit


def test_damage_in_the_hub_clients_cache_is_downloaded_anew(settings: Settings, tmp_path: Path) -> None:
    hub = repository(settings)
    snapshot = hub.resolve()
    hub.fetch(snapshot, ["model.safetensors"], tmp_path / "first")
    (cached,) = settings.hf_cache.rglob("model.safetensors")
    cached.resolve().unlink()
    cached.resolve().write_bytes(WEIGHTS[:-1] + b"?")
    told: list[int] = []
    hub.fetch(snapshot, ["model.safetensors"], tmp_path / "second", told.append)
    assert (tmp_path / "second" / "model.safetensors").read_bytes() == WEIGHTS
    assert sum(told) == len(WEIGHTS)


def test_content_that_is_not_what_was_announced_is_refused(settings: Settings, tmp_path: Path) -> None:
    hub = repository(settings)
    snapshot = hub.resolve()
    wrong = HubSnapshot(snapshot.repo, snapshot.commit, {"config.json": HubFile(len(CONFIG), git_sha1="0" * 40)})
    with pytest.raises(CorruptTransfer, match=r"config\.json"):
        hub.fetch(wrong, ["config.json"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_download_that_is_cut_goes_on(settings: Settings, fakehub: FakeHub, tmp_path: Path) -> None:
    weights = bytes(range(251)) * 130_000
    fakehub.add(REPO, {"model.safetensors": weights})
    hub = repository(settings)
    snapshot = hub.resolve()
    fakehub.fault(cut=20_000_000)
    hub.fetch(snapshot, ["model.safetensors"], tmp_path / "out")
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == weights


def test_missing_repository_revision_and_file_are_told_apart(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no repository 'someone/else'"):
        repository(settings, "someone/else").resolve()
    with pytest.raises(NotFound, match="no revision 'v9'"):
        repository(settings, revision="v9").resolve()
    hub = repository(settings)
    with pytest.raises(NotFound, match=r"no file 'tokenizer\.json'"):
        hub.fetch(hub.resolve(), ["tokenizer.json"], tmp_path)


def test_a_gated_repository_wants_a_token(settings: Settings, fakehub: FakeHub, tmp_path: Path) -> None:
    fakehub.add("someone/gated-model", FILES)
    hub = repository(settings, "someone/gated-model")
    with pytest.raises(Forbidden, match="HF_TOKEN"):
        hub.fetch(hub.resolve(), ["config.json"], tmp_path / "out")
    hub = repository(replace(settings, hf_token=fakehub.token), "someone/gated-model")
    hub.fetch(hub.resolve(), FILES, tmp_path / "out")
    assert (tmp_path / "out" / "config.json").read_bytes() == CONFIG


def test_a_private_repository_is_found_with_a_token(settings: Settings, fakehub: FakeHub) -> None:
    fakehub.add("someone/private-model", FILES)
    with pytest.raises(NotFound, match="private"):
        repository(settings, "someone/private-model").resolve()
    assert repository(replace(settings, hf_token=fakehub.token), "someone/private-model").resolve().files


def test_a_name_that_cannot_be_is_refused(settings: Settings) -> None:
    with pytest.raises(InvalidReference):
        repository(settings, "a--b/..c").resolve()


def test_trouble_is_retried_and_then_told(settings: Settings, fakehub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    hub = HubRepository(HubLocation(REPO), settings, retries=2, sleep=waits.append)
    snapshot = hub.resolve()
    fakehub.fault(p503=100)
    with pytest.raises(ServerFailure, match="503"):
        hub.resolve()
    assert len(waits) == 2
    assert min(waits) >= 1
    # The library waits by itself while it downloads.
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with pytest.raises(ServerFailure):
        hub.fetch(snapshot, ["config.json"], tmp_path / "out")


def test_no_server(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    nowhere = replace(settings, hf_endpoint=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unreachable):
        repository(nowhere).resolve()
    snapshot = HubSnapshot(REPO, "0" * 40, {"config.json": HubFile(1)})
    with pytest.raises(Unreachable):
        repository(nowhere).fetch(snapshot, ["config.json"], tmp_path / "out")


def test_offline_opens_no_socket(settings: Settings, tmp_path: Path) -> None:
    hub = repository(replace(settings, offline=True, hf_endpoint="http://invalid.invalid"))
    with pytest.raises(Offline):
        hub.resolve()
    with pytest.raises(Offline):
        hub.fetch(HubSnapshot(REPO, "0" * 40, {"config.json": HubFile(1)}), ["config.json"], tmp_path / "out")


def test_what_cannot_fit_is_not_fetched(settings: Settings, tmp_path: Path) -> None:
    snapshot = HubSnapshot("owner/repo", 40 * "a", {"model.safetensors": HubFile(1 << 60)})
    with pytest.raises(StoreFull, match="HF_HUB_CACHE"):
        HubRepository(HubLocation("owner/repo"), settings).fetch(snapshot, ["model.safetensors"], tmp_path)


def test_a_cache_that_cannot_be_written(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    hub = repository(replace(settings, hf_cache=tmp_path / "file" / "hf"))
    snapshot = hub.resolve()
    with pytest.raises(Exception, match="HF_HUB_CACHE") as raised:
        hub.fetch(snapshot, ["config.json"], tmp_path / "out")
    assert type(raised.value).__name__ == "StoreUnwritable"


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "C:\\\\evil", "..\\\\evil"])
def test_names_that_lead_out_of_the_folder_are_refused(name: str, script: ScriptedServer, tmp_path: Path) -> None:
    body = f'{{"id": "{REPO}", "sha": "{"0" * 40}", "siblings": [{{"rfilename": "{name}", "size": 1, "blobId": "{"0" * 40}"}}]}}'
    script.answer = lambda request: Reply(200, body.encode(), {"Content-Type": "application/json"})
    settings = Settings(cache_dir=tmp_path, hf_endpoint=script.endpoint, hf_cache=tmp_path / "hf")
    with pytest.raises(SourceError, match="outside"):
        repository(settings).resolve()


def test_an_answer_that_is_not_the_hubs(script: ScriptedServer, tmp_path: Path) -> None:
    script.answer = lambda request: Reply(200, b"<html>please log in</html>", {"Content-Type": "text/html"})
    settings = Settings(cache_dir=tmp_path, hf_endpoint=script.endpoint, hf_cache=tmp_path / "hf")
    with pytest.raises(SourceError):
        repository(settings).resolve()


def test_the_shared_repositories(shared: Path, fakehub: FakeHub, tmp_path: Path) -> None:
    fakehub.add("owaiskha9654/Multi-Label-Classification-of-PubMed-Articles", shared / "hf" / "bert_tiny_pubmed")
    settings = Settings(cache_dir=tmp_path / "cache", hf_endpoint=fakehub.endpoint, hf_cache=tmp_path / "hf")
    hub = repository(settings, "owaiskha9654/Multi-Label-Classification-of-PubMed-Articles")
    snapshot = hub.resolve()
    sums = hub.fetch(snapshot, snapshot.files, tmp_path / "out")
    assert sums["model.safetensors"] == hashlib.sha256((shared / "hf" / "bert_tiny_pubmed" / "model.safetensors").read_bytes()).hexdigest()
