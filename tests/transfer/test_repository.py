"""Files of a repository: fetched, verified, taken from Hugging Face's own cache where they are there already."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from hubclient.errors import CorruptTransfer, ServerFailure, StoreFull, StoreUnwritable, Unreachable
from hubclient.settings import Limits, Settings
from hubclient.sources.huggingface import HubFile, HubRepository, HubSnapshot
from hubclient.sources.location import HubLocation
from hubclient.transfer.line import Line
from hubclient.transfer.repository import fetch_files
from tests.servers.hub import FakeHub
from tests.servers.ports import free_port
from tests.servers.script import Reply, Request, ScriptedServer, file_reply, running_script

REPO = "someone/Tiny-Model"
CONFIG = b'{"model_type": "bert"}'
WEIGHTS = bytes(range(251)) * 130_000
FILES = {"config.json": CONFIG, "model.safetensors": WEIGHTS, "onnx/model.onnx": b"graph"}
SHA256 = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}


@pytest.fixture
def settings(fakehub: FakeHub, tmp_path: Path) -> Settings:
    fakehub.add(REPO, FILES)
    return Settings(cache_dir=tmp_path / "cache", hf_endpoint=fakehub.endpoint, hf_cache=tmp_path / "hf")


def repository(settings: Settings) -> HubRepository:
    return HubRepository(HubLocation(REPO), settings, retries=3, sleep=lambda seconds: None)


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def hugging_face_has(settings: Settings, snapshot: HubSnapshot, files: dict[str, bytes]) -> None:
    """As its own client leaves them."""
    folder = settings.hf_cache / f"models--{REPO.replace('/', '--')}" / "snapshots" / snapshot.commit
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def test_verified_files_are_put_into_the_folder(settings: Settings, tmp_path: Path) -> None:
    hub = repository(settings)
    snapshot = hub.resolve()
    told: list[int] = []
    sums = fetch_files(hub, snapshot, FILES, tmp_path / "out", parts=settings.transfers, advance=told.append)
    assert contents(tmp_path / "out") == FILES
    assert sums == SHA256
    assert sum(told) == snapshot.size_of(FILES)
    assert not any(settings.transfers.iterdir())
    assert not settings.hf_cache.exists()


def test_what_hugging_faces_cache_holds_is_linked_and_not_fetched(settings: Settings, fakehub: FakeHub, tmp_path: Path) -> None:
    hub = repository(settings)
    snapshot = hub.resolve()
    hugging_face_has(settings, snapshot, FILES)
    fakehub.fault(p503=100)
    told: list[int] = []
    assert fetch_files(hub, snapshot, FILES, tmp_path / "out", advance=told.append) == SHA256
    assert contents(tmp_path / "out") == FILES
    assert (tmp_path / "out" / "model.safetensors").stat().st_nlink == 2
    assert sum(told) == snapshot.size_of(FILES)


def test_what_is_damaged_there_is_fetched_and_left_alone(settings: Settings, tmp_path: Path) -> None:
    hub = repository(settings)
    snapshot = hub.resolve()
    damaged = {"model.safetensors": WEIGHTS[:-1] + b"?", "config.json": CONFIG[:-1]}
    hugging_face_has(settings, snapshot, damaged)
    assert fetch_files(hub, snapshot, FILES, tmp_path / "out") == SHA256
    assert contents(tmp_path / "out") == FILES
    assert sorted(contents(settings.hf_cache).values()) == sorted(damaged.values())


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_content_that_is_not_what_was_announced_is_refused(settings: Settings, tmp_path: Path, name: str) -> None:
    hub = repository(settings)
    snapshot = hub.resolve()
    facts = snapshot.files[name]
    other = HubFile(facts.size, sha256=facts.sha256 and "0" * 64, git_sha1=facts.git_sha1 and "0" * 40)
    told: list[int] = []
    with pytest.raises(CorruptTransfer, match=name):
        fetch_files(hub, HubSnapshot(snapshot.repo, snapshot.commit, {name: other}), [name], tmp_path / "out", advance=told.append)
    assert not (tmp_path / "out" / name).exists()
    assert sum(told) <= facts.size


def test_a_download_that_is_cut_goes_on(settings: Settings, fakehub: FakeHub, tmp_path: Path) -> None:
    hub = repository(settings)
    snapshot = hub.resolve()
    fakehub.fault(cut=3_000_000)
    assert fetch_files(hub, snapshot, FILES, tmp_path / "out") == SHA256


def test_trouble_is_retried_and_then_told(settings: Settings, fakehub: FakeHub, tmp_path: Path) -> None:
    waits: list[float] = []
    hub = HubRepository(HubLocation(REPO), settings, retries=2, sleep=waits.append)
    snapshot = hub.resolve()
    fakehub.fault(p503=100)
    with pytest.raises(ServerFailure, match="503"):
        fetch_files(hub, snapshot, ["config.json"], tmp_path / "out")
    assert waits == [1, 1]


def test_no_server(settings: Settings, tmp_path: Path) -> None:
    nowhere = replace(settings, hf_endpoint=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unreachable):
        fetch_files(repository(nowhere), HubSnapshot(REPO, "0" * 40, {"config.json": HubFile(1)}), ["config.json"], tmp_path / "out")


def test_what_cannot_fit_is_not_fetched(settings: Settings, tmp_path: Path) -> None:
    snapshot = HubSnapshot(REPO, 40 * "a", {"model.safetensors": HubFile(1 << 60)})
    with pytest.raises(StoreFull):
        fetch_files(repository(settings), snapshot, ["model.safetensors"], tmp_path)


def test_a_folder_that_cannot_be_written(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    hub = repository(settings)
    with pytest.raises(StoreUnwritable):
        fetch_files(hub, hub.resolve(), ["config.json"], tmp_path / "file" / "out")


def test_the_pieces_are_asked_for_where_the_hub_sent_us(script: ScriptedServer, settings: Settings, tmp_path: Path) -> None:
    """The token stays with the Hub; it is asked again only when an address that it gave has run out."""
    uses: dict[str, int] = {}

    def at_the_hub(request: Request) -> Reply:
        path = f"/file?Signature={len(uses)}"
        uses[path] = 0
        return Reply(302, headers={"Location": cdn.endpoint + path})

    def at_the_cdn(request: Request) -> Reply:
        uses[request.path] += 1
        return file_reply(request, WEIGHTS, '"e"') if uses[request.path] < 3 else Reply(403)

    snapshot = HubSnapshot(REPO, "0" * 40, {"model.safetensors": HubFile(len(WEIGHTS), sha256=SHA256["model.safetensors"])})
    with running_script() as cdn:
        script.answer, cdn.answer = at_the_hub, at_the_cdn
        hub = repository(replace(settings, hf_endpoint=script.endpoint, hf_token="hf_secret"))
        fetch_files(hub, snapshot, snapshot.files, tmp_path / "out", line=Line(Limits(jobs=1)))
    assert contents(tmp_path / "out") == {"model.safetensors": WEIGHTS}
    assert {request.headers["Authorization"] for request in script.requests} == {"Bearer hf_secret"}
    assert not [request for request in cdn.requests if "Authorization" in request.headers]
    pieces = sum(uses.values()) - (len(uses) - 1)
    assert len(script.requests) == len(uses) == -(-pieces // 2)


def test_huggingface_hub_may_be_asked_to_fetch_large_files(settings: Settings, tmp_path: Path) -> None:
    hub = repository(replace(settings, xet=True))
    told: list[int] = []
    assert fetch_files(hub, hub.resolve(), FILES, tmp_path / "out", advance=told.append) == SHA256
    assert [content for content in contents(settings.hf_cache).values() if content in FILES.values()] == [WEIGHTS]
    assert sum(told) == sum(map(len, FILES.values()))


def test_what_it_does_not_bring_comes_without_it(settings: Settings, tmp_path: Path) -> None:
    settings.hf_cache.write_text("in the way of its cache")
    hub = repository(replace(settings, xet=True))
    assert fetch_files(hub, hub.resolve(), FILES, tmp_path / "out") == SHA256


def test_the_shared_repositories(shared: Path, fakehub: FakeHub, settings: Settings, tmp_path: Path) -> None:
    repo = "owaiskha9654/Multi-Label-Classification-of-PubMed-Articles"
    fakehub.add(repo, shared / "hf" / "bert_tiny_pubmed")
    hub = HubRepository(HubLocation(repo), settings)
    snapshot = hub.resolve()
    sums = fetch_files(hub, snapshot, snapshot.files, tmp_path / "out")
    assert sums["model.safetensors"] == hashlib.sha256((shared / "hf" / "bert_tiny_pubmed" / "model.safetensors").read_bytes()).hexdigest()
