"""Locks are made of what is there now, kept as they are, and brought up to date one by one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hubclient import Hub
from hubclient.cards.location import parse_archive_name
from hubclient.check.finding import LEVELS, Level, ProbeSettings, Subject
from hubclient.check.locking import Relocked, relock
from hubclient.check.outdated import Newer, outdated
from hubclient.errors import NotLocked
from hubclient.lockfile import Lock, Pin
from hubclient.lockfile.lock import Change
from hubclient.lockfile.toml import from_toml, to_toml
from hubclient.settings import Settings
from tests.archive.builders import metadata, spark_members, zipped
from tests.e2e.material import BUCKET, DEMO, DEMO_ZIP, PUBMED, PUBMED_FOLDER, PUBMED_KEY, PUBMED_ZIP, SST2_ONNX_ZIP
from tests.servers.hub import FakeHub
from tests.servers.script import Reply, ScriptedServer, file_reply
from tests.servers.seaweed import Seaweed

ONNX_KEY = f"models/{SST2_ONNX_ZIP.name}"


def hub_at(endpoint: str, tmp_path: Path, **changes: object) -> Hub:
    cache = tmp_path / "cache"
    if not cache.exists():
        cache.mkdir(parents=True)
        (cache / "catalogue").symlink_to(Path(os.environ["HUBCLIENT_CACHE"]) / "catalogue")
    settings = Settings(cache_dir=cache, s3_endpoint=endpoint, live_index=None)
    return Hub(settings=replace(settings, **changes), progress=False)  # type: ignore[arg-type]


def made(hub: Hub, *references: str | Subject, level: Level = "size", lock: Lock | None = None, **options: object) -> Relocked:
    subjects = [Subject(reference) if isinstance(reference, str) else reference for reference in references]
    return relock(lock or Lock(), subjects, level, ProbeSettings(hub), **options)  # type: ignore[arg-type]


@pytest.fixture
def shop(seaweed: Seaweed, tmp_path: Path) -> Hub:
    seaweed.put(BUCKET, PUBMED_KEY, PUBMED_ZIP)
    seaweed.put(BUCKET, ONNX_KEY, SST2_ONNX_ZIP)
    return hub_at(seaweed.endpoint, tmp_path)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_pin_by_headers_alone(shop: Hub) -> None:
    (pin,) = made(shop, PUBMED).lock.pins
    etag = f'"{hashlib.md5(PUBMED_ZIP.read_bytes()).hexdigest()}"'
    assert pin == Pin(PUBMED, f"s3://{BUCKET}/{PUBMED_KEY}", "en", "4.1.0", size=PUBMED_ZIP.stat().st_size, etag=etag)
    assert not (shop.settings.cache_dir / "models").exists()


def test_a_pin_by_its_small_parts(shop: Hub) -> None:
    (pin,) = made(shop, PUBMED, level="facts").lock.pins
    assert (len(pin.labels), pin.lowercase, pin.max_length, pin.sha256) == (14, True, 256, None)


def test_a_whole_pin(shop: Hub) -> None:
    (hashed,) = made(shop, PUBMED, level="hash").lock.pins
    (pin,) = made(shop, PUBMED, level="predict").lock.pins
    assert pin.sha256 == digest(PUBMED_ZIP)
    assert pin.tensors
    assert pin.etag
    assert replace(pin, canaries=()) == hashed
    assert [canary.answer in pin.labels for canary in pin.canaries] == [True] * 3
    assert all(len(canary.logits) == 14 for canary in pin.canaries)


def test_two_exports_of_one_model_have_the_same_tensors_and_answers(shop: Hub) -> None:
    pins = made(shop, DEMO, f"s3://{BUCKET}/{ONNX_KEY}", level="predict").lock.pins
    onnx, tensorflow = sorted(pins, key=lambda pin: pin.version or "", reverse=True)
    assert (tensorflow.version, onnx.version) == ("3.4.4", "5.5.3")
    assert tensorflow.sha256 != onnx.sha256
    assert tensorflow.tensors == onnx.tensors
    assert tensorflow.canaries == onnx.canaries


def test_repositories(fakehub: FakeHub, tmp_path: Path) -> None:
    folder = fakehub.add("someone/tiny", PUBMED_FOLDER)
    hub = hub_at("http://127.0.0.1:1", tmp_path, hf_endpoint=fakehub.endpoint)
    (pin,) = made(hub, "hf:someone/tiny").lock.pins
    assert (pin.name, pin.source, len(pin.commit or "")) == ("hf:someone/tiny", "hf:someone/tiny", 40)
    files = dict(pin.files)
    assert {"config.json", "model.safetensors"} <= set(files)
    assert all(sha256 == digest(folder / name) for name, sha256 in files.items())
    assert pin.size == sum((folder / name).stat().st_size for name in files)
    (whole,) = made(hub, "hf:someone/tiny", level="predict").lock.pins
    assert (whole.files, whole.commit, len(whole.labels), len(whole.canaries)) == (pin.files, pin.commit, 14, 3)
    (by_name,) = made(hub_at("http://127.0.0.1:1", tmp_path, hf_endpoint=fakehub.endpoint), Subject(PUBMED, source="hf")).unpinned
    assert "no repository" in by_name.why


def test_a_model_that_does_not_open_is_pinned_by_its_hash(script: ScriptedServer, tmp_path: Path) -> None:
    content = zipped(spark_members(**{"metadata__part-00000": metadata("com.johnsnowlabs.nlp.LemmatizerModel")}))
    script.answer = lambda request: file_reply(request, content, '"e"')
    hub, url = hub_at(script.endpoint, tmp_path), f"{script.endpoint}/lemma_antbnc_en_2.0.2_2.4_1556480454569.zip"
    done = made(hub, url, level="predict")
    sha256 = hashlib.sha256(content).hexdigest()
    assert done.lock.pins == (Pin("lemma_antbnc", url, "en", "2.0.2", size=len(content), etag='"e"', sha256=sha256),)
    before = len(script.requests)
    assert made(hub, url, level="predict", lock=done.lock).changes == ()
    assert len(script.requests) == before


def test_what_is_pinned_stays_and_costs_nothing(shop: Hub, script: ScriptedServer, tmp_path: Path) -> None:
    lock = made(shop, PUBMED, DEMO, level="predict").lock
    hub = hub_at(script.endpoint, tmp_path / "other")
    again = made(hub, f"en/{PUBMED}", PUBMED, DEMO, level="predict", lock=lock)
    assert (again.lock, again.changes, again.unpinned) == (lock, (), ())
    assert script.requests == []


def test_a_pin_that_tells_too_little_is_completed_and_no_other_version_is_taken(shop: Hub) -> None:
    lock = made(shop, PUBMED, DEMO).lock
    done = made(shop, PUBMED, level="facts", lock=lock)
    (change,) = done.changes
    assert (change.kind, change.what) == ("changed", ("labels", "lowercase", "max_length"))
    assert len(done.lock.pins) == 2


def test_what_cannot_be_pinned_is_told_and_the_rest_is_pinned(shop: Hub) -> None:
    done = made(shop, PUBMED, "no_such_model", f"s3://{BUCKET}/nothing.zip", str(DEMO_ZIP))
    assert [pin.name for pin in done.lock.pins] == [PUBMED]
    assert sorted(failure.subject.reference for failure in done.unpinned) == sorted(
        ["no_such_model", f"s3://{BUCKET}/nothing.zip", str(DEMO_ZIP)]
    )


def test_exactly_what_is_named(shop: Hub) -> None:
    lock = made(shop, PUBMED, DEMO).lock
    assert [pin.name for pin in made(shop, DEMO, lock=lock, exact=True).lock.pins] == [DEMO]
    assert len(made(shop, DEMO, lock=lock).lock.pins) == 2


CARD = """---
name: {name}
language: en
title: A model
edition: Spark NLP {version}
annotator: BertForSequenceClassification
---
[Download](https://s3.amazonaws.com/{bucket}/{key}){{:.button}}
[Copy S3 URI](s3://{bucket}/{key}){{:.button}}
"""


def add_card(folder: Path, key: str) -> None:
    said = parse_archive_name(Path(key).name)
    folder.mkdir(exist_ok=True)
    text = CARD.format(name=said.name, version=said.lib_version, bucket=BUCKET, key=key)
    (folder / f"{said.name}_{said.lib_version}.md").write_text(text, encoding="utf-8")


def test_updates_take_the_newest_version_and_leave_the_others(seaweed: Seaweed, tmp_path: Path) -> None:
    old, new = "models/tiny_of_ours_en_3.0.0_3.0_1600000000000.zip", "models/tiny_of_ours_en_4.0.0_3.0_1700000000000.zip"
    for key in (old, new):
        seaweed.put(BUCKET, key, SST2_ONNX_ZIP)
    seaweed.put(BUCKET, PUBMED_KEY, PUBMED_ZIP)
    cards = tmp_path / "cards"
    add_card(cards, old)
    lock = made(hub_at(seaweed.endpoint, tmp_path, card_folders=(cards,)), "tiny_of_ours", PUBMED).lock
    add_card(cards, new)
    hub = hub_at(seaweed.endpoint, tmp_path, card_folders=(cards,))
    assert made(hub, "tiny_of_ours", lock=lock).changes == ()
    (newer,) = outdated(hub, lock)
    before, _ = sorted(lock.pins, key=lambda pin: pin.name, reverse=True)
    assert newer == Newer(before, "4.0.0", f"s3://{BUCKET}/{new}")
    done = made(hub, lock=lock, update=["tiny_of_ours"])
    (change,) = done.changes
    assert change == Change("changed", before, replace(before, version="4.0.0", source=f"s3://{BUCKET}/{new}"), ("source", "version"))
    assert list(outdated(hub, done.lock)) == []
    assert len(done.lock.pins) == 2
    with pytest.raises(NotLocked):
        made(hub, lock=lock, update=["nothing"])


def test_what_no_card_tells_of_is_updated_where_it_lies(script: ScriptedServer, seaweed: Seaweed, tmp_path: Path) -> None:
    """Neither an address nor an object in a bucket of one's own is ever exchanged for a public model of the same name."""
    content = [SST2_ONNX_ZIP.read_bytes()]
    script.answer = lambda request: file_reply(request, content[0], f'"{len(content[0])}"')
    hub, url = hub_at(seaweed.endpoint, tmp_path), f"{script.endpoint}/{DEMO_ZIP.name}"
    lock = made(hub, url).lock
    (pin,) = lock.pins
    own = replace(pin, source=f"s3://{seaweed.private_bucket}/own/{DEMO_ZIP.name}")
    for each in (pin, own):
        (newer,) = outdated(hub, Lock.of([each]))
        assert (newer.newest, newer.why) == (None, f"the card of the name '{DEMO}' tells of another model")
    content[0] = DEMO_ZIP.read_bytes()
    (change,) = made(hub, lock=lock, update=[DEMO]).changes
    assert change.after is not None
    assert (change.after.source, change.what) == (url, ("size", "etag"))
    (failure,) = made(hub, lock=Lock.of([own]), update=[DEMO]).unpinned
    assert failure.subject.reference == own.source


def test_an_update_that_fails_changes_nothing(shop: Hub, seaweed: Seaweed) -> None:
    lock = made(shop, PUBMED).lock
    seaweed.delete(BUCKET, PUBMED_KEY)
    done = made(shop, lock=lock, update=[PUBMED])
    assert (done.lock, done.changes) == (lock, ())
    assert len(done.unpinned) == 1


def test_repositories_that_moved_on(fakehub: FakeHub, tmp_path: Path) -> None:
    import shutil

    folder = fakehub.root / "someone/tiny"
    shutil.copytree(PUBMED_FOLDER, folder)
    hub = hub_at("http://127.0.0.1:1", tmp_path, hf_endpoint=fakehub.endpoint)
    lock = made(hub, "hf:someone/tiny").lock
    assert list(outdated(hub, lock)) == []
    (folder / "README.md").write_text("# Another day")
    (newer,) = outdated(hub, lock)
    assert newer.newest not in (None, lock.pins[0].commit)
    (change,) = made(hub, lock=lock, update=["hf:someone/tiny"]).changes
    assert change.what == ("commit",)
    (nobody,) = outdated(hub_at("http://127.0.0.1:1", tmp_path, hf_endpoint=fakehub.endpoint, offline=True), lock)
    assert (nobody.newest, nobody.why) == (None, "a connection is needed, and offline was asked for")


def test_what_the_converter_of_tomorrow_changes_is_in_no_lock(shop: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another graph, another manifest, other files: the lock of yesterday is made again, byte for byte, and holds."""
    from hubclient import native
    from hubclient.check.probe import probe
    from hubclient.lockfile import write_lock
    from hubclient.models import bert

    text = to_toml(made(shop, DEMO, f"s3://{BUCKET}/{ONNX_KEY}", level="predict").lock)
    for word in ("graph", "builder", "format_version", "onnx"):
        assert word not in text.replace("_5.5.3_", "").partition("format = 1")[2].replace("_onnx", "")
    path = tmp_path / "hubclient.lock"
    write_lock(from_toml(text), path)

    monkeypatch.setattr(native, "BUILDER_VERSION", native.BUILDER_VERSION + 1)
    build = type(bert.BERT).build_graph

    def other_graph(self, config, layout, weights_file):  # type: ignore[no-untyped-def]
        import onnx

        model = onnx.load_from_string(build(self, config, layout, weights_file))
        model.producer_version = "tomorrow"
        return model.SerializeToString()

    monkeypatch.setattr(type(bert.BERT), "build_graph", other_graph)

    def other_config(target: Path, data: Mapping[str, Any]) -> None:
        native.write_json(target, {**data, "of_tomorrow": True} if target.name == native.CONFIG else data)

    monkeypatch.setattr("hubclient.convert.write.write_json", other_config)

    later = hub_at(shop.settings.s3_endpoint, tmp_path / "later")
    assert to_toml(made(later, DEMO, f"s3://{BUCKET}/{ONNX_KEY}", level="predict").lock) == text
    for level in LEVELS:
        subjects = [Subject(DEMO), Subject(f"s3://{BUCKET}/{ONNX_KEY}")]
        findings = list(probe(subjects, level, ProbeSettings(later, lock=path)))
        assert {finding.rule.name for finding in findings} == {"available"}


def test_every_kind_of_model_has_answers(shop: Hub) -> None:
    from hubclient.check.canary import TEXTS, ask, first_difference

    model = shop.from_archive(SST2_ONNX_ZIP)
    canaries = ask(model)
    assert [canary.text for canary in canaries] == list(TEXTS)
    assert first_difference(model, canaries) is None
    nudged = [replace(canaries[0], logits=tuple(each + 0.001 for each in canaries[0].logits)), *canaries[1:]]
    assert first_difference(model, nudged) is None
    wrong = [*canaries[:2], replace(canaries[2], logits=tuple(each + 0.5 for each in canaries[2].logits))]
    found = first_difference(model, wrong)
    assert found is not None
    assert found[0] == wrong[2]


def test_answers_of_a_broken_server_pin_nothing(script: ScriptedServer, tmp_path: Path) -> None:
    script.answer = lambda request: Reply(503)
    done = made(hub_at(script.endpoint, tmp_path), PUBMED)
    assert done.lock.pins == ()
    assert "in trouble" in done.unpinned[0].why
