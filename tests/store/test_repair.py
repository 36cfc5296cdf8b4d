"""A damaged model is made again of what it was made of, and stays until that is done."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hubclient import Hub, bundled, pretrained
from hubclient.errors import CorruptTransfer, HubError, NotFound, Offline
from hubclient.repair import repair
from hubclient.settings import Settings
from hubclient.store import Entry
from tests.e2e.material import DEMO, DEMO_KEY, IMDB, PUBMED, PUBMED_FOLDER, PUBMED_KEY, PUBMED_ZIP, SST2_ONNX_ZIP, TREC6_ZIP, make_mirror
from tests.servers.hub import FakeHub
from tests.servers.script import ScriptedServer, file_reply


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    path.write_bytes(content)


def link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def entry_of(hub: Hub) -> Entry:
    (entry,) = hub.store.entries()
    return entry


def mended(hub: Hub, entry: Entry) -> Entry:
    findings = hub.store.verify(entry.name)
    assert findings
    again = repair(hub.workshop, entry.name, findings)
    assert hub.store.verify(again.name) == []
    return again


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a flipped bit": lambda folder: flip(folder / "model.safetensors"),
    "a changed manifest": lambda folder: flip(folder / "manifest.json"),
    "a missing file": lambda folder: (folder / "tokenizer.json").unlink(),
    "a file cut off": lambda folder: os.truncate(folder / "model.onnx", 100),
    "one too many": lambda folder: (folder / "evil.py").write_text("import os"),
    "no marker": lambda folder: (folder / "complete.json").unlink(),
    "a damaged marker": lambda folder: flip(folder / "complete.json"),
    "no folder": shutil.rmtree,
    "a link": lambda folder: link(folder / "config.json"),
}


@pytest.fixture(scope="module")
def pubmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the model whose card has an overlay, which is in its files."""
    mirror = make_mirror(tmp_path_factory.mktemp("mirror"), {PUBMED_KEY: PUBMED_ZIP})
    cache = tmp_path_factory.mktemp("pubmed") / "cache"
    Hub(settings=Settings(cache_dir=cache, mirrors=(mirror,), offline=True), progress=False).pull(PUBMED, "en")
    return cache


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_every_kind_of_damage(pubmed: Path, tmp_path: Path, damage: Callable[[Path], object]) -> None:
    mirror = make_mirror(tmp_path / "mirror", {PUBMED_KEY: PUBMED_ZIP})
    shutil.copytree(pubmed, tmp_path / "cache")
    hub = Hub(settings=Settings(cache_dir=tmp_path / "cache", mirrors=(mirror,), offline=True), progress=False)
    entry = entry_of(hub)
    before = contents(entry.path)
    damage(entry.path)
    assert mended(hub, entry) == entry
    assert contents(entry.path) == before
    assert hub.store.leftovers() == []


def test_where_the_origin_cannot_be_asked_what_is_there_stays(pubmed: Path, tmp_path: Path) -> None:
    shutil.copytree(pubmed, tmp_path / "cache")
    hub = Hub(cache_dir=tmp_path / "cache", offline=True, progress=False)
    entry = entry_of(hub)
    flip(entry.path / "config.json")
    before = contents(entry.path)
    with pytest.raises(Offline):
        repair(hub.workshop, entry.name, hub.store.verify(entry.name))
    assert contents(entry.path) == before


@pytest.fixture
def served(script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """A server whose one archive can be replaced."""

    def serve(archive: Path) -> None:
        content = archive.read_bytes()
        script.answer = lambda request: file_reply(request, content, f'"{archive.stat().st_size}"')

    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
    return serve


def test_an_origin_that_has_something_else_by_now_is_refused(served: Callable[[Path], None]) -> None:
    served(SST2_ONNX_ZIP)
    hub = Hub(progress=False)
    hub.pull(IMDB, "en")
    entry = entry_of(hub)
    flip(entry.path / "config.json")
    served(TREC6_ZIP)
    with pytest.raises(CorruptTransfer):
        mended(hub, entry)
    served(SST2_ONNX_ZIP)
    assert mended(hub, entry) == entry


def test_a_kept_archive_is_enough(served: Callable[[Path], None], script: ScriptedServer) -> None:
    served(SST2_ONNX_ZIP)
    hub = Hub(progress=False)
    hub.workshop = replace(hub.workshop, keep_archive=True)
    hub.pull(IMDB, "en")
    entry = entry_of(hub)
    assert entry.archive is not None
    assert entry.archive.read_bytes() == SST2_ONNX_ZIP.read_bytes()
    asked = len(script.requests)
    flip(entry.path / "config.json")
    assert mended(hub, entry) == entry
    assert len(script.requests) == asked
    # Damaged itself, it is fetched again.
    flip(entry.archive)
    flip(entry.path / "config.json")
    assert mended(hub, entry).archive == entry.archive
    assert entry.archive.read_bytes() == SST2_ONNX_ZIP.read_bytes()
    assert len(script.requests) > asked


def test_an_archive_is_fetched_for_keeping_where_only_the_model_is_there(served: Callable[[Path], None], script: ScriptedServer) -> None:
    served(SST2_ONNX_ZIP)
    hub = Hub(progress=False)
    folder = hub.pull(IMDB, "en")
    hub.workshop = replace(hub.workshop, keep_archive=True)
    asked = len(script.requests)
    assert hub.pull(IMDB, "en") == folder
    assert len(script.requests) > asked
    asked = len(script.requests)
    assert hub.pull(IMDB, "en") == folder
    assert len(script.requests) == asked
    assert entry_of(hub).archive is not None


def test_the_archive_of_a_mirror_is_kept_too() -> None:
    hub = Hub(progress=False)
    hub.workshop = replace(hub.workshop, keep_archive=True)
    hub.pull(DEMO, "en")
    archive = entry_of(hub).archive
    assert archive is not None
    assert archive.read_bytes() == (bundled.MIRROR / "auxdata.johnsnowlabs.com" / DEMO_KEY).read_bytes()
    assert archive.stat().st_nlink == 1


def test_a_repository_at_its_commit(fakehub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", fakehub.endpoint)
    fakehub.add("owner/model", PUBMED_FOLDER)
    hub = Hub(progress=False)
    hub.workshop = replace(hub.workshop, keep_archive=True)
    hub.pull("hf:owner/model")
    entry = entry_of(hub)
    assert entry.archive is None
    before = contents(entry.path)
    (entry.path / "config.json").unlink()
    assert mended(hub, entry) == entry
    assert contents(entry.path) == before


def test_a_file_of_ones_own_that_has_not_changed(tmp_path: Path) -> None:
    own = Path(shutil.copyfile(SST2_ONNX_ZIP, tmp_path / "my model é.zip"))
    hub = Hub(progress=False)
    hub.pull(str(own))
    entry = entry_of(hub)
    flip(entry.path / "config.json")
    assert mended(hub, entry) == entry
    flip(entry.path / "config.json")
    own.write_bytes(b"another")
    with pytest.raises(NotFound, match="has changed"):
        mended(hub, entry)
    own.unlink()
    with pytest.raises(NotFound, match="is not there"):
        mended(hub, entry)


def test_names_that_share_a_damaged_content_are_mended_together(served: Callable[[Path], None], script: ScriptedServer) -> None:
    served(SST2_ONNX_ZIP)
    hub = Hub(progress=False)
    addresses = [f"{script.endpoint}/b/{name}.zip" for name in ("one", "two")]
    for address in addresses:
        hub.pull(address)
    first, second = hub.store.entries()
    flip(first.path / "config.json")
    assert mended(hub, first) == first
    assert hub.store.verify(second.name) == []


def test_a_name_without_an_origin_is_one_error(tmp_path: Path) -> None:
    hub = Hub(progress=False)
    with hub.store.staging("s3://b/k.zip") as folder:
        (folder / "config.json").write_text("{}")
        entry = hub.store.commit(folder, "s3://b/k.zip")
    (entry.path / "config.json").write_text("[]")
    hub.workshop = replace(hub.workshop, settings=replace(hub.settings, offline=True))
    with pytest.raises(HubError):
        mended(hub, entry)


def test_a_mended_model_answers_as_before(pubmed: Path, tmp_path: Path) -> None:
    mirror = make_mirror(tmp_path / "mirror", {PUBMED_KEY: PUBMED_ZIP})
    shutil.copytree(pubmed, tmp_path / "cache")
    settings = Settings(cache_dir=tmp_path / "cache", mirrors=(mirror,), offline=True)
    hub = Hub(settings=settings, progress=False)
    before = hub.pretrained(PUBMED, "en")("A trial of a drug.").scores
    entry = entry_of(hub)
    flip(entry.path / "model.safetensors")
    mended(hub, entry)
    assert Hub(settings=settings, progress=False).pretrained(PUBMED, "en")("A trial of a drug.").scores == before
    assert json.loads((entry.path / "manifest.json").read_bytes())["overlay"]
    assert pretrained(DEMO, "en").multi_label is False
