"""Repositories of a Hugging Face Hub: what is in them, asked by huggingface_hub of a server that speaks its protocol."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from hubclient.errors import Forbidden, InvalidReference, NotFound, Offline, ServerFailure, SourceError, Unreachable
from hubclient.settings import Settings
from hubclient.sources.huggingface import HubFile, HubRepository, HubSnapshot
from hubclient.sources.location import HubLocation
from hubclient.sources.remote import Stat
from tests.servers.hub import FakeHub
from tests.servers.ports import free_port
from tests.servers.script import Reply, ScriptedServer, file_reply

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


def content(hub: HubRepository, name: str) -> bytes:
    return b"".join(hub.file(hub.resolve(), name).read().chunks)


def test_resolve_pins_the_commit_and_lists_files_with_their_hashes(settings: Settings) -> None:
    snapshot = repository(settings).resolve()
    assert len(snapshot.commit) == 40
    assert set(snapshot.files) == set(FILES)
    assert snapshot.files["model.safetensors"] == HubFile(len(WEIGHTS), sha256=hashlib.sha256(WEIGHTS).hexdigest())
    git_sha1 = hashlib.sha1(b"blob %d\0" % len(CONFIG) + CONFIG).hexdigest()
    assert snapshot.files["config.json"] == HubFile(len(CONFIG), git_sha1=git_sha1)
    assert str(snapshot.location) == f"hf:{REPO}@{snapshot.commit}"


@pytest.mark.parametrize("name", list(FILES))
def test_a_file_is_read_where_the_hub_sends_us(settings: Settings, name: str) -> None:
    hub = repository(settings)
    file = hub.file(hub.resolve(), name)
    assert b"".join(file.read().chunks) == FILES[name]
    assert b"".join(file.read(2, 5).chunks) == FILES[name][2:5]
    assert file.stat().size == len(FILES[name])


def test_a_commit_can_be_named(settings: Settings) -> None:
    commit = repository(settings).resolve().commit
    assert repository(settings, revision=commit).resolve().commit == commit


def test_missing_repository_revision_and_file_are_told_apart(settings: Settings) -> None:
    with pytest.raises(NotFound, match="no repository 'someone/else'"):
        repository(settings, "someone/else").resolve()
    with pytest.raises(NotFound, match="no revision 'v9'"):
        repository(settings, revision="v9").resolve()
    hub = repository(settings)
    with pytest.raises(NotFound, match=r"no file 'tokenizer\.json'"):
        hub.file(hub.resolve(), "tokenizer.json")


def test_a_gated_repository_wants_a_token(settings: Settings, fakehub: FakeHub) -> None:
    fakehub.add("someone/gated-model", FILES)
    with pytest.raises(Forbidden, match="who downloads it") as raised:
        content(repository(settings, "someone/gated-model"), "config.json")
    assert "HF_TOKEN" in str(raised.value)
    # The other server of this look-alike refuses whoever shows it a token.
    hub = repository(replace(settings, hf_token=fakehub.token), "someone/gated-model")
    assert {name: content(hub, name) for name in FILES} == FILES


def test_a_private_repository_is_found_with_a_token(settings: Settings, fakehub: FakeHub) -> None:
    fakehub.add("someone/private-model", FILES)
    with pytest.raises(NotFound, match="private"):
        repository(settings, "someone/private-model").resolve()
    assert repository(replace(settings, hf_token=fakehub.token), "someone/private-model").resolve().files


def test_the_token_that_a_login_has_kept(
    settings: Settings, fakehub: FakeHub, script: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.get_token", lambda: "hf_kept")
    script.answer = lambda request: file_reply(request, CONFIG, '"e"')
    snapshot = HubSnapshot(REPO, "0" * 40, {"config.json": HubFile(len(CONFIG))})
    hub = repository(replace(settings, hf_endpoint=script.endpoint))
    hub.file(snapshot, "config.json").read().close()
    assert script.requests[-1].headers["Authorization"] == "Bearer hf_kept"
    assert script.requests[-1].path == f"/{REPO}/resolve/{'0' * 40}/config.json"


def test_facts_of_a_file_are_those_of_the_snapshot(settings: Settings) -> None:
    snapshot = HubSnapshot(REPO, "0" * 40, {"config.json": HubFile(7, git_sha1="a" * 40)})
    stat = repository(replace(settings, hf_endpoint="http://invalid.invalid")).file(snapshot, "config.json").stat()
    assert (stat.size, stat.etag, stat.digests.git_sha1) == (7, None, "a" * 40)
    assert isinstance(stat, Stat)


def test_a_name_that_cannot_be_is_refused(settings: Settings) -> None:
    with pytest.raises(InvalidReference):
        repository(settings, "a--b/..c").resolve()


def test_trouble_is_retried_and_then_told(settings: Settings, fakehub: FakeHub) -> None:
    waits: list[float] = []
    hub = HubRepository(HubLocation(REPO), settings, retries=2, sleep=waits.append)
    fakehub.fault(p503=100)
    with pytest.raises(ServerFailure, match="503"):
        hub.resolve()
    assert len(waits) == 2
    assert min(waits) >= 1


def test_no_server(settings: Settings) -> None:
    with pytest.raises(Unreachable):
        repository(replace(settings, hf_endpoint=f"http://127.0.0.1:{free_port()}")).resolve()


def test_offline_opens_no_socket(settings: Settings) -> None:
    hub = repository(replace(settings, offline=True, hf_endpoint="http://invalid.invalid"))
    with pytest.raises(Offline):
        hub.resolve()
    with pytest.raises(Offline):
        hub.file(HubSnapshot(REPO, "0" * 40, {"config.json": HubFile(1)}), "config.json").read()


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
