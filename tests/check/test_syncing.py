"""The store holds what a lock pins, and a lock lets nothing else pass."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hubclient import Hub, pretrained
from hubclient.check.canary import first_difference
from hubclient.check.finding import LEVELS, ProbeSettings, Subject
from hubclient.check.gather import lock_subjects
from hubclient.check.locking import relock
from hubclient.check.probe import probe
from hubclient.check.syncing import Synced, completed, others, sync
from hubclient.errors import CorruptTransfer, HubError, NoSourceLeft, NotLocked, Offline, SourceError
from hubclient.lockfile import Lock, Pin, read_lock, write_lock
from hubclient.settings import Settings
from tests.e2e.material import BUCKET, DEMO, DEMO_KEY, DEMO_ZIP, PUBMED, PUBMED_FOLDER, PUBMED_KEY, PUBMED_ZIP, SST2_ONNX_ZIP, make_mirror
from tests.servers.hub import FakeHub
from tests.servers.script import Reply, ScriptedServer, file_reply
from tests.servers.seaweed import Seaweed

PUBMED_URI = f"s3://{BUCKET}/{PUBMED_KEY}"


def settings_at(endpoint: str, tmp_path: Path, **changes: object) -> Settings:
    cache = tmp_path / "cache"
    if not cache.exists():
        cache.mkdir(parents=True)
        (cache / "catalogue").symlink_to(Path(os.environ["HUBCLIENT_CACHE"]) / "catalogue")
    return replace(Settings(cache_dir=cache, s3_endpoint=endpoint, live_index=None), **changes)  # type: ignore[arg-type]


def hub_at(endpoint: str, tmp_path: Path, **changes: object) -> Hub:
    return Hub(settings=settings_at(endpoint, tmp_path, **changes), progress=False)


def pin_of(path: Path, source: str, **changes: object) -> Pin:
    content = path.read_bytes()
    told = {"size": len(content), "etag": f'"{hashlib.md5(content).hexdigest()}"', "sha256": hashlib.sha256(content).hexdigest()}
    return Pin(PUBMED, source, "en", "4.1.0", **{**told, **changes})  # type: ignore[arg-type]


PIN = pin_of(PUBMED_ZIP, PUBMED_URI)
DEMO_PIN = replace(pin_of(DEMO_ZIP, f"s3://{BUCKET}/{DEMO_KEY}", etag=None), name=DEMO, version="3.4.4")


def states(results: list[Synced]) -> list[tuple[str, str]]:
    return [(result.pin.name, result.state) for result in results]


@pytest.fixture
def shop(seaweed: Seaweed, tmp_path: Path) -> Hub:
    seaweed.put(BUCKET, PUBMED_KEY, PUBMED_ZIP)
    return hub_at(seaweed.endpoint, tmp_path)


def locked(tmp_path: Path, *pins: Pin) -> Path:
    path = tmp_path / "hubclient.lock"
    write_lock(Lock.of(pins, str(path)), path)
    return path


def test_what_is_pinned_is_fetched_once(shop: Hub, tmp_path: Path) -> None:
    lock = Lock.of([PIN, DEMO_PIN])
    assert states(sync(shop, lock)) == [(PUBMED, "fetched"), (DEMO, "fetched")]
    assert states(sync(shop, lock)) == [(PUBMED, "there"), (DEMO, "there")]
    offline = hub_at("http://127.0.0.1:1", tmp_path, offline=True)
    assert states(sync(offline, lock, frozen=True)) == [(PUBMED, "there"), (DEMO, "there")]


def test_offline_what_is_missing_is_told(tmp_path: Path) -> None:
    hub = hub_at("http://127.0.0.1:1", tmp_path, offline=True)
    missing, there = sync(hub, Lock.of([PIN, DEMO_PIN]))
    assert isinstance(missing.error, Offline)
    # The demo model comes with hubclient.
    assert (there.state, missing.state) == ("fetched", "failed")


def test_a_tampered_mirror_is_caught(tmp_path: Path) -> None:
    """Another archive of the same length under the pinned key."""
    mirror = make_mirror(tmp_path / "mirror", {PUBMED_KEY: PUBMED_ZIP})
    path = mirror / BUCKET / PUBMED_KEY
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    hub = hub_at("http://127.0.0.1:1", tmp_path, mirrors=(mirror,), offline=True)
    (result,) = sync(hub, Lock.of([PIN]))
    assert isinstance(result.error, NoSourceLeft)
    assert "another one than is wanted" in str(result.error)
    assert hub.store.names() == []
    with pytest.raises(SourceError):
        Hub(settings=replace(hub.settings, lock=locked(tmp_path, PIN)), progress=False).pretrained(PUBMED, "en")


def test_a_tampered_mirror_does_not_keep_the_source_from_being_asked(shop: Hub, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mirror = make_mirror(tmp_path / "mirror", {PUBMED_KEY: PUBMED_ZIP})
    with (mirror / BUCKET / PUBMED_KEY).open("r+b") as file:
        file.seek(2000)
        file.write(b"tampered")
    hub = Hub(settings=replace(shop.settings, mirrors=(mirror,)), progress=False)
    with caplog.at_level(logging.WARNING):
        assert states(sync(hub, Lock.of([PIN]))) == [(PUBMED, "fetched")]
    assert "another one than is wanted" in caplog.text


def test_a_mirror_by_length_and_checksum_where_there_is_no_hash(tmp_path: Path) -> None:
    mirror = make_mirror(tmp_path / "mirror", {PUBMED_KEY: PUBMED_ZIP})
    hub = hub_at("http://127.0.0.1:1", tmp_path, mirrors=(mirror,), offline=True)
    by_etag = replace(PIN, sha256=None)
    for wrong in (replace(by_etag, size=5), replace(by_etag, etag=f'"{"0" * 32}"')):
        (result,) = sync(hub, Lock.of([wrong]))
        assert isinstance(result.error, Offline)
    assert states(sync(hub, Lock.of([by_etag]))) == [(PUBMED, "fetched")]


def test_an_object_that_was_replaced_is_refused(shop: Hub, seaweed: Seaweed) -> None:
    seaweed.put(BUCKET, PUBMED_KEY, SST2_ONNX_ZIP)
    for pin in (PIN, replace(PIN, sha256=None), replace(PIN, sha256=None, etag=None)):
        (result,) = sync(shop, Lock.of([pin]))
        assert isinstance(result.error, CorruptTransfer)
    assert shop.store.names() == []


def test_other_bytes_that_were_pulled_before_stay_beside_the_pinned_ones(shop: Hub, seaweed: Seaweed, tmp_path: Path) -> None:
    seaweed.put(BUCKET, PUBMED_KEY, SST2_ONNX_ZIP)
    today = shop.pull(PUBMED, "en")
    mirror = make_mirror(tmp_path / "mirror", {PUBMED_KEY: PUBMED_ZIP})
    hub = Hub(settings=replace(shop.settings, mirrors=(mirror,)), progress=False)
    lock = Lock.of([PIN])
    assert states(sync(hub, lock)) == [(PUBMED, "fetched")]
    assert states(sync(hub, lock)) == [(PUBMED, "there")]
    assert hub.pull(PUBMED, "en") == today
    pinned = Hub(settings=replace(hub.settings, lock=locked(tmp_path, PIN)), progress=False)
    assert len(pinned.pretrained(PUBMED, "en").labels) == 14
    (result,) = sync(hub, Lock.of([replace(PIN, sha256=None)]))
    assert isinstance(result.error, NotLocked)


def test_what_was_pulled_by_another_name_is_used(shop: Hub, tmp_path: Path) -> None:
    shop.pull(str(PUBMED_ZIP))
    offline = hub_at("http://127.0.0.1:1", tmp_path, offline=True)
    assert states(sync(offline, Lock.of([PIN]))) == [(PUBMED, "there")]


def test_hashes_are_filled_in_and_frozen_refuses_to(shop: Hub) -> None:
    lock = Lock.of([replace(PIN, sha256=None)], "hubclient.lock")
    (refused,) = sync(shop, lock, frozen=True)
    assert isinstance(refused.error, NotLocked)
    results = sync(shop, lock)
    assert completed(lock, results).pins == (PIN,)


def test_what_the_lock_does_not_pin(shop: Hub) -> None:
    shop.pull(DEMO, "en")
    sync(shop, Lock.of([PIN]))
    assert [name.own["name"] for name in others(shop, Lock.of([PIN]))] == [DEMO]
    assert others(shop, Lock.of([PIN, DEMO_PIN])) == []


def made(hub: Hub, reference: str) -> Pin:
    (pin,) = relock(Lock(), [Subject(reference)], "hash", ProbeSettings(hub)).lock.pins
    return pin


def test_repositories_at_their_commit(fakehub: FakeHub, tmp_path: Path) -> None:
    shutil.copytree(PUBMED_FOLDER, fakehub.root / "someone/tiny")
    pin = made(hub_at("http://127.0.0.1:1", tmp_path / "one", hf_endpoint=fakehub.endpoint), "hf:someone/tiny")
    hub = hub_at("http://127.0.0.1:1", tmp_path / "two", hf_endpoint=fakehub.endpoint, hf_cache=tmp_path / "hf")
    assert states(sync(hub, Lock.of([pin]), frozen=True)) == [("hf:someone/tiny", "fetched")]
    assert states(sync(hub, Lock.of([pin]), frozen=True)) == [("hf:someone/tiny", "there")]
    pinned = Hub(settings=replace(hub.settings, lock=locked(tmp_path, pin), offline=True), progress=False)
    assert len(pinned.pretrained("hf:someone/tiny").labels) == 14
    (fakehub.root / "someone/tiny/README.md").write_text("# Moved on")
    again = hub_at("http://127.0.0.1:1", tmp_path / "three", hf_endpoint=fakehub.endpoint, hf_cache=tmp_path / "hf3")
    (gone,) = sync(again, Lock.of([pin]))
    assert isinstance(gone.error, SourceError)


def test_a_hub_that_gives_other_files_at_that_commit(fakehub: FakeHub, tmp_path: Path) -> None:
    shutil.copytree(PUBMED_FOLDER, fakehub.root / "someone/tiny")
    hub = hub_at("http://127.0.0.1:1", tmp_path, hf_endpoint=fakehub.endpoint, hf_cache=tmp_path / "hf")
    pin = made(hub, "hf:someone/tiny")
    wrong = replace(pin, files=tuple((name, "0" * 64 if name == "config.json" else sha256) for name, sha256 in pin.files))
    other = hub_at("http://127.0.0.1:1", tmp_path / "other", hf_endpoint=fakehub.endpoint, hf_cache=tmp_path / "hf2")
    (result,) = sync(other, Lock.of([wrong]))
    assert isinstance(result.error, CorruptTransfer)
    assert "config.json" in str(result.error)
    # What was pulled at that commit is not used, if it was made of other files.
    (result,) = sync(replace_offline(hub), Lock.of([wrong]))
    assert result.state == "failed"
    assert states(sync(replace_offline(hub), Lock.of([pin]))) == [(pin.name, "there")]


def commit_of(hub: Hub, repo: str) -> str:
    from hubclient.sources import HubLocation
    from hubclient.sources.huggingface import HubRepository

    return HubRepository(HubLocation(repo), hub.settings).resolve().commit


def test_a_hub_that_has_more_or_less_at_that_commit(fakehub: FakeHub, tmp_path: Path) -> None:
    """The model is made of the pinned files: neither do others take their place, nor does it go without one."""
    import torch
    from safetensors.numpy import load_file, save_file

    folder = fakehub.root / "someone/tiny"
    shutil.copytree(PUBMED_FOLDER, folder)
    weights = folder / "model.safetensors"
    tensors = load_file(weights)
    torch.save({name: torch.from_numpy(array) for name, array in tensors.items()}, folder / "pytorch_model.bin")
    weights.unlink()
    pin = made(hub_at("http://127.0.0.1:1", tmp_path / "one", hf_endpoint=fakehub.endpoint), "hf:someone/tiny")
    assert "pytorch_model.bin" in dict(pin.files)

    # Weights that are preferred to the pinned ones.
    save_file({name: array * 2 for name, array in tensors.items()}, weights, {"format": "pt"})
    hub = hub_at("http://127.0.0.1:1", tmp_path / "two", hf_endpoint=fakehub.endpoint, hf_cache=tmp_path / "hf2")
    pin = replace(pin, commit=commit_of(hub, "someone/tiny"))
    forged = hub.pull("hf:someone/tiny")
    assert states(sync(hub, Lock.of([pin]), frozen=True)) == [("hf:someone/tiny", "fetched")]
    assert states(sync(hub, Lock.of([pin]), frozen=True)) == [("hf:someone/tiny", "there")]
    pinned = Hub(settings=replace(hub.settings, lock=locked(tmp_path, pin), offline=True), progress=False)
    assert pinned.pull("hf:someone/tiny") != forged
    assert pinned.pretrained("hf:someone/tiny").manifest.tensors_digest == pin.tensors

    (folder / "pytorch_model.bin").unlink()
    hub = hub_at("http://127.0.0.1:1", tmp_path / "three", hf_endpoint=fakehub.endpoint, hf_cache=tmp_path / "hf3")
    (result,) = sync(hub, Lock.of([replace(pin, commit=commit_of(hub, "someone/tiny"))]))
    assert isinstance(result.error, CorruptTransfer)
    assert "it lacks pytorch_model.bin" in str(result.error)
    assert hub.store.names() == []


def replace_offline(hub: Hub) -> Hub:
    return Hub(settings=replace(hub.settings, offline=True), progress=False)


def test_pretrained_with_a_lock(shop: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = locked(tmp_path, PIN)
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", shop.settings.s3_endpoint)
    options = {"cache_dir": shop.settings.cache_dir, "progress": False}
    model = pretrained(PUBMED, "en", lock=lock, **options)  # type: ignore[call-overload]
    assert model.manifest.origin.sha256 == PIN.sha256
    assert model.activation == "sigmoid"  # by the overlay of the card
    for refused in ((DEMO, "en"), (PUBMED, "fr"), ("hf:someone/tiny",), (str(DEMO_ZIP),), (PUBMED_URI.replace("4.1.0", "4.2.0"),)):
        with pytest.raises(NotLocked):
            pretrained(*refused, lock=lock, **options)  # type: ignore[call-overload]
    for option in ({"version": "4.2"}, {"source": "hf"}, {"revision": "main"}):
        with pytest.raises(NotLocked):
            pretrained(PUBMED, "en", lock=lock, **options, **option)  # type: ignore[call-overload]
    assert pretrained(PUBMED, lock=lock, source="s3", **options).labels == model.labels  # type: ignore[call-overload]
    assert pretrained(PUBMED_URI, lock=lock, **options).labels == model.labels  # type: ignore[call-overload]


def test_the_variable_counts_like_the_argument(shop: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBCLIENT_LOCK", str(locked(tmp_path, PIN)))
    hub = Hub(cache_dir=shop.settings.cache_dir, progress=False)
    with pytest.raises(NotLocked, match="is not in the lock"):
        hub.pull(DEMO, "en")
    # What lies in a file of one's own is no matter of a lock, nor is what is only looked at.
    assert hub.from_archive(DEMO_ZIP).labels == ("neg", "pos")
    assert hub.unlocked().pull(DEMO, "en").is_dir()
    (failed,) = (one.error for one in hub.plan_pulls([DEMO]).models)
    assert isinstance(failed, NotLocked)


def test_names_that_stand_for_a_pinned_model(shop: Hub, tmp_path: Path) -> None:
    card = shop.resolve(PUBMED, "en").card
    hub = Hub(settings=replace(shop.settings, lock=locked(tmp_path, PIN)), progress=False)
    assert card.nlu_ref is not None
    assert hub.pull(card.nlu_ref) == hub.pull(PUBMED)


def test_nobody_is_asked_for_what_is_there(script: ScriptedServer, tmp_path: Path) -> None:
    content = PUBMED_ZIP.read_bytes()
    script.answer = lambda request: file_reply(request, content, PIN.etag or "")
    settings = settings_at(script.endpoint, tmp_path, lock=locked(tmp_path, PIN), live_index=f"s3://{BUCKET}/metadata.json")
    Hub(settings=settings, progress=False).pull(PUBMED)
    asked = len(script.requests)
    script.answer = lambda request: Reply(500)
    Hub(settings=settings, progress=False).pull(PUBMED)
    with pytest.raises(NotLocked):
        Hub(settings=settings, progress=False).pull("a_name_of_the_live_index")
    assert len(script.requests) == asked


class Tomorrow:
    """A converter that writes every file otherwise, and fetches one more of a repository's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from hubclient import native
        from hubclient.convert import repository
        from hubclient.store import Store

        self.written = 0
        commit, small = Store.commit, repository.small_files

        def write_otherwise(store: Store, staging: Path, *arguments: Any, **options: Any) -> Any:
            self._change(staging)
            return commit(store, staging, *arguments, **options)

        monkeypatch.setattr(native, "BUILDER_VERSION", native.BUILDER_VERSION + 1)
        monkeypatch.setattr(Store, "commit", write_otherwise)
        monkeypatch.setattr(repository, "small_files", lambda names: (*small(names), *({"notes.txt"} & set(names))))

    def _change(self, folder: Path) -> None:
        import onnx

        graph = onnx.load(folder / "model.onnx", load_external_data=False)
        graph.producer_version = "tomorrow"
        (folder / "model.onnx").write_bytes(graph.SerializeToString())
        for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
            said = {**json.loads((folder / name).read_bytes()), "of_tomorrow": True} if name != "tokenizer.json" else None
            text = json.dumps(said) if said else (folder / name).read_text(encoding="utf-8") + "\n"
            (folder / name).unlink()
            (folder / name).write_text(text, encoding="utf-8")
        said = json.loads((folder / "manifest.json").read_bytes())
        (folder / "manifest.json").write_text(json.dumps({**said, "tensors_digest": "7" * 64}), encoding="utf-8")
        self.written += 1


def test_every_lock_made_before_an_upgrade_still_holds(
    shop: Hub, fakehub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(PUBMED_FOLDER, fakehub.root / "someone/tiny")
    (fakehub.root / "someone/tiny/notes.txt").write_text("of no use today")
    shop = Hub(settings=replace(shop.settings, hf_endpoint=fakehub.endpoint, hf_cache=tmp_path / "hf"), progress=False)
    references = (PUBMED, DEMO, "hf:someone/tiny")
    path = tmp_path / "hubclient.lock"
    lock = relock(Lock(), map(Subject, references), "predict", ProbeSettings(shop)).lock
    write_lock(lock, path)
    before = path.read_bytes()

    tomorrow = Tomorrow(monkeypatch)
    empty = replace(shop.settings, cache_dir=hub_at("http://127.0.0.1:1", tmp_path / "later").settings.cache_dir)
    pulled = replace(shop.settings, cache_dir=hub_at("http://127.0.0.1:1", tmp_path / "pulled").settings.cache_dir)
    for reference in references:
        Hub(settings=pulled, progress=False).pull(reference)
    for settings in (shop.settings, empty, pulled):
        hub = Hub(settings=replace(settings, lock=path), progress=False)
        assert {result.state for result in sync(hub, read_lock(path), frozen=True)} <= {"there", "fetched"}
        offline = Hub(settings=replace(settings, lock=path, offline=True), progress=False)
        for pin in lock.pins:
            model = offline.pretrained(str(pin))
            assert model.labels == pin.labels
            assert first_difference(model, pin.canaries) is None
        for level in LEVELS:
            findings = list(probe(lock_subjects(lock, str(path)), level, ProbeSettings(hub, lock=path)))
            # One card says of its model's case what is not so.
            told = {(finding.rule.name, finding.details.get("by")) for finding in findings}
            assert told <= {("available", None), ("case-differs", "card")}
        # There is nothing that a new lock would say otherwise.
        assert relock(lock, map(Subject, references), "predict", ProbeSettings(hub)).changes == ()
    assert tomorrow.written > 6
    assert path.read_bytes() == before


def test_errors_are_of_one_family() -> None:
    assert issubclass(NotLocked, HubError)
