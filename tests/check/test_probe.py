"""Probes against real servers: every verdict, every level, and servers that fail at random."""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from hubclient import Hub
from hubclient.check.finding import LEVELS, Finding, Level, ProbeSettings, Subject
from hubclient.check.freshness import FILE
from hubclient.check.probe import Probing, probe
from hubclient.lockfile import Canary, Lock, Pin, write_lock
from hubclient.settings import Settings
from tests.e2e.material import BUCKET, DEMO, IMDB, IMDB_KEY, PUBMED, PUBMED_FOLDER, PUBMED_KEY, PUBMED_ZIP, TREC6_ZIP, make_mirror
from tests.servers.hub import FakeHub
from tests.servers.ports import free_port
from tests.servers.script import Reply, Request, ScriptedServer, file_reply
from tests.servers.seaweed import Seaweed

TREC6 = f"s3://{BUCKET}/models/{TREC6_ZIP.name}"


def hub_at(endpoint: str, tmp_path: Path, **changes: object) -> Hub:
    cache = tmp_path / "cache"
    if not cache.exists():
        cache.mkdir(parents=True)
        (cache / "catalogue").symlink_to(Path(os.environ["HUBCLIENT_CACHE"]) / "catalogue")
    settings = Settings(cache_dir=cache, s3_endpoint=endpoint, live_index=None)
    return Hub(settings=replace(settings, **changes), progress=False)  # type: ignore[arg-type]


def found(hub: Hub, *references: str | Subject, level: Level = "exists", **settings: object) -> list[Finding]:
    subjects = [Subject(reference) if isinstance(reference, str) else reference for reference in references]
    return list(probe(subjects, level, ProbeSettings(hub, **settings)))  # type: ignore[arg-type]


def names(findings: Iterable[Finding]) -> list[str]:
    return sorted(f"{finding.subject.reference} {finding.rule.name}" for finding in findings)


@pytest.fixture
def shop(seaweed: Seaweed, tmp_path: Path) -> Hub:
    seaweed.put(BUCKET, PUBMED_KEY, PUBMED_ZIP)
    seaweed.put(BUCKET, f"models/{TREC6_ZIP.name}", TREC6_ZIP)
    seaweed.put(seaweed.private_bucket, "secret.zip", b"secret")
    seaweed.delete(BUCKET, IMDB_KEY)
    return hub_at(seaweed.endpoint, tmp_path)


def test_every_verdict(shop: Hub, seaweed: Seaweed) -> None:
    private = f"s3://{seaweed.private_bucket}"
    nobody = f"http://127.0.0.1:{free_port()}/a.zip"
    asked = (PUBMED, f"en/{PUBMED}", DEMO, IMDB, TREC6, "no_such_model", f"fr/{PUBMED}", "two words", f"{private}/secret.zip", nobody)
    assert names(found(shop, *asked)) == sorted(
        [
            f"{PUBMED} available",
            f"en/{PUBMED} available",
            f"{DEMO} available",
            f"{IMDB} gone",
            f"{TREC6} available",
            "no_such_model no-such-model",
            f"fr/{PUBMED} no-such-model",
            "two words invalid-reference",
            f"{private}/secret.zip forbidden",
            f"{nobody} unreachable",
        ]
    )


def test_findings_say_where_and_why(shop: Hub) -> None:
    (gone,) = found(shop, IMDB)
    assert gone.verdict == "gone"
    assert gone.where is not None
    assert gone.where.endswith(IMDB_KEY)
    assert gone.details == {"code": "NoSuchKey"}
    (there,) = found(shop, PUBMED)
    assert there.details["size"] == PUBMED_ZIP.stat().st_size
    assert there.details["etag"]


def test_a_subject_named_twice_is_asked_once_and_told_twice(script: ScriptedServer, tmp_path: Path) -> None:
    script.answer = lambda request: Reply(200, b"x", {"ETag": '"e"'})
    hub = hub_at(script.endpoint, tmp_path)
    subjects = [Subject(PUBMED), Subject(f"en/{PUBMED}"), Subject(PUBMED)]
    assert [finding.subject for finding in found(hub, *subjects)] == [subjects[0], subjects[1], subjects[2]]
    assert len(script.requests) == 1


def test_repositories(fakehub: FakeHub, tmp_path: Path) -> None:
    fakehub.add("someone/tiny", PUBMED_FOLDER)
    fakehub.add("someone/gated", PUBMED_FOLDER)
    hub = hub_at("http://127.0.0.1:1", tmp_path, hf_endpoint=fakehub.endpoint)
    asked = ("hf:someone/tiny", "hf:someone/tiny@nothing", "hf:someone/else", "hf:someone/gated")
    expected = ["else gone", "gated forbidden", "tiny available", "tiny@nothing gone"]
    assert names(found(hub, *asked)) == [f"hf:someone/{end}" for end in expected]
    assert {finding.rule.name for finding in found(hub, "hf:someone/tiny", level="facts")} == {"available"}


def test_a_repository_of_a_card(fakehub: FakeHub, tmp_path: Path) -> None:
    hub = hub_at("http://127.0.0.1:1", tmp_path, hf_endpoint=fakehub.endpoint)
    (finding,) = found(hub, Subject(PUBMED, source="hf"))
    assert finding.rule.name == "gone"
    (finding,) = found(hub, Subject(IMDB, source="hf"))
    assert finding.rule.name == "no-such-model"


def test_mirrors_are_looked_into_before_anybody_is_asked(script: ScriptedServer, tmp_path: Path) -> None:
    mirror = make_mirror(tmp_path / "mirror", {PUBMED_KEY: PUBMED_ZIP})
    hub = hub_at(script.endpoint, tmp_path, mirrors=(mirror,), offline=True)
    assert names(found(hub, PUBMED, DEMO, IMDB)) == sorted([f"{PUBMED} available", f"{DEMO} available", f"{IMDB} offline"])
    assert script.requests == []


def test_paths(tmp_path: Path) -> None:
    hub = hub_at("http://127.0.0.1:1", tmp_path)
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK")
    asked = (str(TREC6_ZIP), str(broken), str(tmp_path / "nothing.zip"), str(PUBMED_FOLDER))
    assert [finding.rule.name for reference in asked for finding in found(hub, reference)] == [
        "available",
        "available",
        "gone",
        "available",
    ]
    assert [finding.rule.name for reference in asked[:2] for finding in found(hub, reference, level="facts")] == [
        "available",
        "broken-archive",
    ]


def pin_of(path: Path, source: str, **changes: object) -> Pin:
    import hashlib

    content = path.read_bytes()
    digests = {"etag": f'"{hashlib.md5(content).hexdigest()}"', "sha256": hashlib.sha256(content).hexdigest()}
    return Pin(source.rpartition("/")[2].partition("_en_")[0], source, "en", size=len(content), **{**digests, **changes})  # type: ignore[arg-type]


def locked(tmp_path: Path, *pins: Pin) -> Path:
    path = tmp_path / "hubclient.lock"
    write_lock(Lock.of(pins), path)
    return path


TREC6_PIN = pin_of(
    TREC6_ZIP,
    TREC6,
    labels=("DESC", "ENTY", "ABBR", "HUM", "NUM", "LOC"),
    lowercase=False,
    max_length=64,
)


@pytest.mark.parametrize("level", LEVELS)
def test_what_a_lock_pins_and_is_there(shop: Hub, tmp_path: Path, level: Level) -> None:
    from hubclient.check.canary import ask

    labels = tuple(shop.inspect(TREC6).model.labels)
    canaries = ask(shop.from_archive(TREC6_ZIP))
    lock = locked(tmp_path, replace(TREC6_PIN, labels=labels, canaries=canaries))
    findings = found(shop, TREC6, level=level, lock=lock)
    assert [finding.rule.name for finding in findings] == ["available"]
    assert sorted(path.name for path in shop.settings.cache_dir.iterdir() if path.name.startswith("check-")) == []


@pytest.mark.parametrize(
    ("level", "changes", "rules"),
    [
        ("size", {"size": 5}, {"size-changed"}),
        ("size", {"etag": '"other"'}, {"etag-changed"}),
        ("size", {"etag": None}, {"available"}),
        ("exists", {"size": 5}, {"available"}),
        ("facts", {"size": 5, "labels": ("a", "b")}, {"size-changed", "labels-differ"}),
        ("facts", {"etag": None, "lowercase": True}, {"case-differs"}),
        ("facts", {"etag": None, "max_length": 512}, {"max-length-differs"}),
        ("facts", {"language": "fr"}, {"language-differs"}),
        # The bytes are those of the lock: then nobody reads other facts from them, but by other rules.
        ("facts", {"lowercase": True, "labels": ("a",), "max_length": 512}, {"available"}),
        ("hash", {"sha256": "0" * 64}, {"hash-changed"}),
        ("hash", {"etag": '"another upload of the same"'}, {"available"}),
        # So they are where the hash says so, and the server tells no ETag.
        *((level, {"etag": None, "lowercase": True, "labels": ("a",), "max_length": 512}, {"available"}) for level in ("hash", "load")),
        ("hash", {"sha256": "0" * 64, "etag": None, "lowercase": True}, {"hash-changed", "case-differs"}),
        ("hash", {"sha256": None}, {"available", "no-hash"}),
        ("load", {"sha256": "0" * 64}, {"hash-changed"}),
        ("predict", {"canaries": ()}, {"available", "no-answers"}),
        ("predict", {"canaries": (Canary("What is it?", "DESC", (9.0,) * 6),)}, {"answers-differ"}),
    ],
)
def test_what_a_lock_pins_and_is_otherwise(shop: Hub, tmp_path: Path, level: Level, changes: dict[str, object], rules: set[str]) -> None:
    lock = locked(tmp_path, replace(TREC6_PIN, **changes))  # type: ignore[arg-type]
    assert {finding.rule.name for finding in found(shop, TREC6, level=level, lock=lock)} == rules


@pytest.mark.parametrize(("sha256", "rules"), [(None, {"case-differs"}), (TREC6_PIN.sha256, {"available"})])
def test_a_mirror_s_file_of_the_lock_s_hash_has_its_facts(tmp_path: Path, sha256: str | None, rules: set[str]) -> None:
    pin = replace(TREC6_PIN, sha256=sha256, lowercase=True)
    mirror = make_mirror(tmp_path / "mirror", {pin.source.removeprefix(f"s3://{BUCKET}/"): TREC6_ZIP})
    hub = hub_at("http://127.0.0.1:1", tmp_path, mirrors=(mirror,))
    assert {finding.rule.name for finding in found(hub, pin.source, level="facts", lock=locked(tmp_path, pin))} == rules


def test_by_name_a_lock_decides_where_the_model_lies(shop: Hub, tmp_path: Path) -> None:
    lock = locked(tmp_path, replace(pin_of(PUBMED_ZIP, f"s3://{BUCKET}/elsewhere/{PUBMED}_en_4.1.0_3.0_1662500997655.zip"), name=PUBMED))
    (finding,) = found(shop, PUBMED, lock=lock)
    assert finding.rule.name == "gone"
    assert "elsewhere" in str(finding.where)


def test_cards_are_held_against_what_is_there(shop: Hub) -> None:
    (size,) = found(shop, PUBMED, level="size")
    assert size.rule.name == "size-unlike-card"
    assert size.details == {"what": "size", "expected": "406.6 MB", "found": "5.605 MB", "by": "card"}
    assert {finding.rule.name for finding in found(shop, PUBMED, level="facts")} == {"size-unlike-card", "case-differs"}
    assert {finding.rule.name for finding in found(shop, PUBMED, level="size", tolerance=1.0)} == {"available"}


def test_the_class_in_the_code_is_held_against_the_model(shop: Hub) -> None:
    asked = Subject(f"en/{DEMO}", loader="spark-nlp", annotator="RoBertaForSequenceClassification")
    assert {finding.rule.name for finding in found(shop, asked, level="facts")} == {"annotator-differs"}
    other = replace(asked, annotator="BertForSequenceClassification")
    assert {finding.rule.name for finding in found(shop, other, level="facts")} == {"available"}


def test_what_other_libraries_look_for_elsewhere(shop: Hub) -> None:
    clinical = Subject("en/ner_of_some_licence", loader="spark-nlp", remote="clinical/models")
    assert [finding.rule.name for finding in found(shop, clinical)] == ["other-folder"]
    assert [finding.rule.name for finding in found(shop, Subject(f"en/{DEMO}", loader="spark-nlp", remote="clinical/models"))] == [
        "other-folder"
    ]
    assert [finding.rule.name for finding in found(shop, Subject(f"en/{DEMO}", loader="spark-nlp", remote="public/models"))] == [
        "available"
    ]
    assert [finding.rule.name for finding in found(shop, Subject("en.of.nobody", loader="nlu"))] == ["unknown-nlu-reference"]


def test_a_model_that_cannot_be_opened(script: ScriptedServer, tmp_path: Path) -> None:
    from tests.archive.builders import metadata, spark_members, zipped

    content = zipped(spark_members(**{"metadata__part-00000": metadata("com.johnsnowlabs.nlp.LemmatizerModel")}))
    script.answer = lambda request: file_reply(request, content, '"e"')
    hub, url = hub_at(script.endpoint, tmp_path), f"{script.endpoint}/lemma.zip"
    assert {finding.rule.name for finding in found(hub, url, level="facts")} == {"available"}
    (error,) = (finding for finding in found(hub, url, level="load") if finding.rule.severity == "error")
    assert error.rule.name == "does-not-open"
    assert error.where == url
    other = found(hub, Subject(url, loader="spark-nlp"), level="load")
    assert {finding.rule.name for finding in other} == {"available", "no-hash", "other-kind"}


def test_a_page_in_place_of_an_archive_is_nothing(script: ScriptedServer, tmp_path: Path) -> None:
    script.answer = lambda request: Reply(200, b"<html>please sign in</html>", {"Content-Type": "text/html"})
    (finding,) = found(hub_at(script.endpoint, tmp_path), PUBMED)
    assert finding.verdict == "unknown"


def test_an_object_that_was_put_away(script: ScriptedServer, tmp_path: Path) -> None:
    headers = {"ETag": '"e"', "x-amz-storage-class": "GLACIER"}
    script.answer = lambda request: Reply(200, b"x", headers)
    assert [finding.rule.name for finding in found(hub_at(script.endpoint, tmp_path), PUBMED)] == ["forbidden"]
    headers["x-amz-restore"] = 'ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"'
    assert [finding.rule.name for finding in found(hub_at(script.endpoint, tmp_path), PUBMED)] == ["available"]


DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
EMPTY_LIST = b"<ListBucketResult><Name>b</Name></ListBucketResult>"


def test_a_refusal_that_the_bucket_s_list_explains(script: ScriptedServer, tmp_path: Path) -> None:
    """S3 refuses what is not there to who may not list; who may list is told."""
    listed = [EMPTY_LIST]
    script.answer = lambda request: Reply(200, listed[0]) if "list-type" in request.path else Reply(403, DENIED)
    (finding,) = found(hub_at(script.endpoint, tmp_path), PUBMED)
    assert finding.rule.name == "gone"
    assert "list lacks it" in finding.message
    listed[0] = EMPTY_LIST.replace(b"</List", f"<Contents><Key>{PUBMED_KEY}</Key><Size>1</Size></Contents></List".encode())
    (finding,) = found(hub_at(script.endpoint, tmp_path), PUBMED)
    assert finding.rule.name == "forbidden"


def test_the_live_index_tells_checksums(script: ScriptedServer, tmp_path: Path) -> None:
    import hashlib
    import json

    content = TREC6_ZIP.read_bytes()
    line = {
        "name": "tiny_of_the_index",
        "language": "en",
        "libVersion": {"parts": [3, 4, 4]},
        "sparkVersion": {"parts": [3, 0]},
        "readyToUse": True,
        "time": "2021-11-01T13:52:51.318Z",
        "isZipped": True,
        "checksum": "",
    }

    def answer(request: Request) -> Reply:
        if request.path.endswith("metadata.json"):
            return file_reply(request, json.dumps(line).encode(), f'"index {line["checksum"]}"')
        return file_reply(request, content, f'"{hashlib.md5(content).hexdigest()}"')

    script.answer = answer
    for checksum, rule in (("", "available"), (hashlib.md5(content).hexdigest(), "available"), ("0" * 32, "etag-changed")):
        line["checksum"] = checksum
        hub = hub_at(script.endpoint, tmp_path / checksum, live_index=f"s3://{BUCKET}/models/metadata.json")
        assert [finding.rule.name for finding in found(hub, "tiny_of_the_index", level="size")] == [rule]


def test_an_index_that_nobody_could_ask_says_nothing_of_a_model(script: ScriptedServer, tmp_path: Path) -> None:
    script.answer = lambda request: Reply(503)
    hub = hub_at(script.endpoint, tmp_path, live_index=f"s3://{BUCKET}/models/metadata.json")
    assert [finding.verdict for finding in found(hub, "known_to_the_index_alone")] == ["unknown"]
    script.answer = lambda request: Reply(200, b"\n")
    hub = hub_at(script.endpoint, tmp_path / "later", live_index=f"s3://{BUCKET}/models/metadata.json")
    assert [finding.verdict for finding in found(hub, "known_to_the_index_alone")] == ["gone"]


def test_successes_are_remembered_and_failures_are_not(script: ScriptedServer, tmp_path: Path) -> None:
    there = True
    script.answer = lambda request: Reply(200 if there else 404, b"x", {"ETag": '"e"'})
    hub = hub_at(script.endpoint, tmp_path)
    assert [finding.rule.name for finding in found(hub, PUBMED, fresh_for=60)] == ["available"]
    assert [finding.rule.name for finding in found(hub, PUBMED, IMDB, fresh_for=60)] == ["available", "available"]
    assert len(script.requests) == 2
    there = False
    (kept,) = found(hub, PUBMED, fresh_for=60)
    assert kept.details == {"cached": True}
    assert [finding.rule.name for finding in found(hub, PUBMED)] == ["gone"]
    assert [finding.rule.name for finding in found(hub, PUBMED, fresh_for=1e-9)] == ["gone"]
    # A deeper level, or another expectation, is another question.
    assert [finding.rule.name for finding in found(hub, PUBMED, level="size", fresh_for=60)] == ["gone"]
    (hub.settings.cache_dir / FILE).write_text("{")
    assert [finding.rule.name for finding in found(hub, PUBMED, fresh_for=60)] == ["gone"]
    there = True
    assert [finding.rule.name for finding in found(hub, PUBMED, fresh_for=60)] == ["available"]


def test_who_stops_waiting_is_not_kept(script: ScriptedServer, tmp_path: Path) -> None:
    script.answer = lambda request: Reply(200, b"x", {"ETag": '"e"'})
    hub = hub_at(script.endpoint, tmp_path)
    subjects = [Subject(f"{script.endpoint}/{number}.zip") for number in range(3000)]
    findings = probe(subjects, "exists", ProbeSettings(hub, rate=500))
    assert next(findings).rule.name == "available"
    findings.close()  # type: ignore[attr-defined]
    time.sleep(0.5)
    asked = len(script.requests)
    time.sleep(0.5)
    assert len(script.requests) == asked < 1000


def test_a_rate_is_kept(script: ScriptedServer, tmp_path: Path) -> None:
    script.answer = lambda request: Reply(200, b"x", {"ETag": '"e"'})
    subjects = [Subject(f"{script.endpoint}/{number}.zip") for number in range(20)]
    start = time.monotonic()
    assert len(found(hub_at(script.endpoint, tmp_path), *subjects, rate=40)) == 20
    assert time.monotonic() - start >= 19 / 40


def test_a_host_that_asks_for_rest_gets_it(script: ScriptedServer, tmp_path: Path) -> None:
    refused: list[float] = []

    def answer(request: Request) -> Reply:
        if not refused:
            refused.append(time.monotonic())
        return Reply(200, b"x", {"ETag": '"e"'}) if time.monotonic() - refused[0] > 0.9 else Reply(429, headers={"Retry-After": "1"})

    script.answer = answer
    subjects = [Subject(f"{script.endpoint}/{number}.zip") for number in range(30)]
    assert {finding.rule.name for finding in found(hub_at(script.endpoint, tmp_path), *subjects)} == {"available"}
    assert len(script.requests) < 120


def test_many_objects_of_a_bucket_are_looked_up_in_its_list(seaweed: Seaweed, tmp_path: Path) -> None:
    keys = [f"many/{number}.zip" for number in range(60)]
    for key in keys:
        seaweed.put(BUCKET, key, key.encode())
    subjects = [Subject(f"s3://{BUCKET}/{key}") for key in (*keys, "many/none.zip")]
    hub = hub_at(seaweed.endpoint, tmp_path)
    for lists in (True, False):
        findings = list(Probing("size", ProbeSettings(hub), lists=lists).findings(subjects))
        assert Counter(finding.rule.name for finding in findings) == {"available": 60, "gone": 1}
        (etag,) = {finding.details["etag"] for finding in findings if finding.subject is subjects[0]}
        assert etag == '"d7f4a0f1eb3fb4c7e1e6ac5e8f6d1c4d"' or len(etag) == 34


class Faulty:
    """Of 1,000 objects every tenth is not there and every eleventh is closed; three answers in ten fail, in every way there is."""

    def __init__(self) -> None:
        self._random = random.Random(20)
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Reply:
        with self._lock:
            fails, how = self._random.random() < 0.3, self._random.randrange(6)
        if fails:
            return (
                Reply(500),
                Reply(502, b"<html>bad gateway</html>"),
                Reply(503, b"<Error><Code>SlowDown</Code></Error>", {"Retry-After": "0"}),
                Reply(429),
                Reply(0),
                Reply(408),
            )[how]
        number = int(request.path.rpartition("/")[2].removesuffix(".zip")) if request.path.endswith(".zip") else -1
        if number < 0:
            return Reply(403, DENIED)
        if number % 10 == 0:
            return Reply(404, b"<Error><Code>NoSuchKey</Code></Error>")
        return Reply(403, DENIED) if number % 11 == 0 else file_reply(request, b"archive", '"e"')


@pytest.mark.parametrize("kind", ["s3", "web"])
def test_a_thousand_checks_of_servers_that_fail_at_random(script: ScriptedServer, tmp_path: Path, kind: str) -> None:
    script.answer = Faulty()
    hub = hub_at(script.endpoint, tmp_path)
    base = f"s3://{BUCKET}/models" if kind == "s3" else script.endpoint
    findings = found(hub, *(f"{base}/{number}.zip" for number in range(1000)))
    assert len(findings) == 1000
    truth = {number: "gone" if number % 10 == 0 else "forbidden" if number % 11 == 0 else "available" for number in range(1000)}
    wrong = Counter()  # type: Counter[tuple[str, str]]
    unknown = 0
    for finding in findings:
        number = int(finding.subject.reference.rpartition("/")[2].removesuffix(".zip"))
        unknown += finding.verdict == "unknown"
        if finding.verdict not in (truth[number], "unknown"):
            wrong[truth[number], finding.verdict] += 1
    assert wrong == {}
    assert unknown < 50


def test_facts_of_servers_that_fail_at_random(script: ScriptedServer, tmp_path: Path) -> None:
    """Whatever is cut off, reset or refused for a while makes no good archive a broken or a changed one."""
    content, fault, lock = TREC6_ZIP.read_bytes(), random.Random(30), threading.Lock()
    faults = 0

    def answer(request: Request) -> Reply:
        nonlocal faults
        with lock:
            fails, how, cut = fault.random() < 0.3, fault.randrange(4), fault.randrange(30_000)
            faults += fails
        if fails and how < 2:
            return (Reply(503, b"<Error><Code>SlowDown</Code></Error>", {"Retry-After": "0"}), Reply(0))[how]
        if request.path.endswith("0.zip"):
            return Reply(404, b"<Error><Code>NoSuchKey</Code></Error>")
        reply = file_reply(request, content, '"e"')
        return replace(reply, cut=cut, reset=how == 2) if fails and request.method == "GET" else reply

    script.answer = answer
    hub = hub_at(script.endpoint, tmp_path)
    findings = found(hub, *(f"s3://{BUCKET}/models/{number}.zip" for number in range(1, 101)), level="facts")
    assert len(findings) == 100
    for finding in findings:
        assert finding.verdict in ("unknown", "gone" if finding.subject.reference.endswith("0.zip") else "available"), finding
    assert sum(finding.verdict == "unknown" for finding in findings) < 10
    assert faults > 50


def test_repositories_of_a_hub_that_fails_at_random(fakehub: FakeHub, tmp_path: Path) -> None:
    for number in range(0, 30, 2):
        shutil.copytree(PUBMED_FOLDER, fakehub.root / f"someone/model{number}", ignore=shutil.ignore_patterns("*.safetensors"))
    fakehub.fault(p503=30)
    hub = hub_at("http://127.0.0.1:1", tmp_path, hf_endpoint=fakehub.endpoint)
    for finding in found(hub, *(f"hf:someone/model{number}" for number in range(30))):
        even = int(finding.subject.reference.removeprefix("hf:someone/model")) % 2 == 0
        assert finding.verdict in ("unknown", "available" if even else "gone")


def test_a_host_without_a_server_does_not_take_for_ever(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    findings = found(hub_at(url, tmp_path), *(f"{url}/{number}.zip" for number in range(300)))
    assert {finding.rule.name for finding in findings} == {"unreachable"}
    assert len(findings) == 300
