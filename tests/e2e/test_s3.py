"""From a name to an answer over real servers: S3 anonymous and signed, the Hub in its place, mirrors, files, and the store after that."""

from __future__ import annotations

import json
import logging
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from hubclient import Classifier, HubError, bundled, from_archive, from_folder, load, pretrained, pull
from hubclient.errors import Forbidden, InconsistentModel, NoSourceLeft, NotFound, Offline, ServerFailure, UnknownModel, Unreachable
from tests.e2e.material import (
    BUCKET,
    DEMO,
    DEMO_KEY,
    DEMO_ZIP,
    IMDB,
    IMDB_KEY,
    PUBMED,
    PUBMED_FOLDER,
    PUBMED_KEY,
    PUBMED_REPO,
    PUBMED_ZIP,
    TREC6_ZIP,
    Golden,
    make_mirror,
    read_golden,
)
from tests.e2e.shell import holdings, hub, models, names, python
from tests.servers.hub import FakeHub
from tests.servers.ports import free_port
from tests.servers.script import Reply, ScriptedServer, running_script
from tests.servers.seaweed import PRIVATE_BUCKET, Seaweed

OBJECTS = [(DEMO, DEMO_KEY, DEMO_ZIP), (IMDB, IMDB_KEY, DEMO_ZIP), (PUBMED, PUBMED_KEY, PUBMED_ZIP)]
DATA = PUBMED_ZIP.parent
PRIVATE = "bert_tiny_of_ours"
PRIVATE_KEY = f"models/{PRIVATE}_en_3.4.4_3.0_1635774771318.zip"


@pytest.fixture
def s3(seaweed: Seaweed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Seaweed:
    """The real S3 server as the only place to get anything from: nothing is bundled."""
    (tmp_path / "no-mirror").mkdir()
    monkeypatch.setattr(bundled, "MIRROR", tmp_path / "no-mirror")
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", seaweed.endpoint)
    return seaweed


@pytest.fixture
def private_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A card of the user's own, whose archive lies in a private bucket."""
    folder = tmp_path / "cards"
    folder.mkdir()
    shipped = (bundled.CARDS / f"{DEMO}_en.md").read_text(encoding="utf-8")
    text = shipped.replace(f"{BUCKET}/public/models", f"{PRIVATE_BUCKET}/models").replace(DEMO, PRIVATE)
    (folder / f"{PRIVATE}_en.md").write_text(text, encoding="utf-8")
    monkeypatch.setenv("HUBCLIENT_CARDS", str(folder))
    return folder


def golden_of(archive: Path) -> Golden:
    return read_golden(archive, DATA)


def check(classifier: Classifier, archive: Path) -> None:
    golden = golden_of(archive)
    assert list(classifier.labels) == golden.facts["labels"]
    logits = classifier.logits([row.text for row in golden.rows])
    assert np.abs(logits - [row.logits for row in golden.rows]).max() <= 1e-4


@pytest.mark.parametrize(("name", "key", "archive"), OBJECTS, ids=[name for name, _, _ in OBJECTS])
def test_the_shipped_cards_pull_from_their_keys_anonymously(name: str, key: str, archive: Path, s3: Seaweed) -> None:
    s3.put(BUCKET, key, archive)
    classifier = pretrained(name, "en")
    check(classifier, archive)
    origin = classifier.manifest.origin
    assert origin.url == f"{s3.endpoint}/{BUCKET}/{key}"
    assert origin.size == archive.stat().st_size
    assert origin.etag
    assert classifier.manifest.name == name
    assert classifier.card is not None
    assert classifier.card.s3_uri == f"s3://{BUCKET}/{key}"
    assert holdings()
    assert not [file for file in holdings() if file.startswith("staging") or file.endswith(".zip")]


@pytest.mark.parametrize(("name", "key", "archive"), OBJECTS[1:], ids=[name for name, _, _ in OBJECTS[1:]])
def test_the_command_pulls_and_predicts(name: str, key: str, archive: Path, s3: Seaweed) -> None:
    s3.put(BUCKET, key, archive)
    pulled = hub("pull", name)
    assert pulled.code == 0, pulled.err
    assert Path(pulled.out.strip()) == models()[0]
    assert "pulled " in pulled.err
    predicted = hub("predict", name, "--json", "I really liked that movie!", env={"HUBCLIENT_S3_ENDPOINT": "http://127.0.0.1:9"})
    assert predicted.code == 0, predicted.err
    assert json.loads(predicted.out)["scores"].keys() == set(golden_of(archive).facts["labels"])


def test_a_private_bucket_is_signed_for(s3: Seaweed, private_card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put(PRIVATE_BUCKET, PRIVATE_KEY, DEMO_ZIP)
    with pytest.raises(Forbidden) as caught:
        pretrained(PRIVATE)
    assert "credentials" in (caught.value.hint or "")
    assert not models()
    for name, value in s3.credentials().items():
        monkeypatch.setenv(name, value)
    check(pretrained(PRIVATE), DEMO_ZIP)


def test_wrong_credentials_are_told_apart_from_none(s3: Seaweed, private_card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put(PRIVATE_BUCKET, PRIVATE_KEY, DEMO_ZIP)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(Forbidden) as caught:
        pretrained(PRIVATE)
    assert "your AWS credentials were tried" in (caught.value.hint or "")


def test_an_archive_by_its_address(s3: Seaweed, private_card: Path) -> None:
    s3.put(BUCKET, "elsewhere/some.zip", TREC6_ZIP)
    check(pretrained(f"s3://{BUCKET}/elsewhere/some.zip"), TREC6_ZIP)
    check(load(f"{s3.endpoint}/{BUCKET}/elsewhere/some.zip"), TREC6_ZIP)
    assert (len(names()), len(models())) == (2, 1)


def test_the_hub_stands_in_for_an_object_that_is_gone(
    s3: Seaweed, fakehub: FakeHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    s3.delete(BUCKET, PUBMED_KEY)
    fakehub.add(PUBMED_REPO, PUBMED_FOLDER)
    monkeypatch.setenv("HF_ENDPOINT", fakehub.endpoint)
    with caplog.at_level(logging.WARNING, "hubclient"):
        classifier = pretrained(PUBMED, "en", max_length=256)
    assert f"hf:{PUBMED_REPO}" in caplog.text
    assert PUBMED_KEY in caplog.text
    check(classifier, PUBMED_ZIP)
    assert classifier.activation == "sigmoid"
    assert classifier.manifest.origin.commit
    # The archive, once it is back, is another entry: what is stored says where it came from, and goes on to be used.
    s3.put(BUCKET, PUBMED_KEY, PUBMED_ZIP)
    assert pretrained(PUBMED, "en").path == classifier.path
    assert pretrained(f"s3://{BUCKET}/{PUBMED_KEY}").path != classifier.path


def test_the_command_says_that_another_source_was_used(s3: Seaweed, fakehub: FakeHub) -> None:
    s3.delete(BUCKET, PUBMED_KEY)
    fakehub.add(PUBMED_REPO, PUBMED_FOLDER)
    done = hub("pull", PUBMED, env={"HF_ENDPOINT": fakehub.endpoint})
    assert done.code == 0, done.err
    assert f"trying hf:{PUBMED_REPO}" in done.err
    assert done.lines == [str(models()[0])]


def test_labels_that_disagree_are_refused_with_every_cause(
    s3: Seaweed, fakehub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.delete(BUCKET, PUBMED_KEY)
    other = tmp_path / "other"
    shutil.copytree(PUBMED_FOLDER, other)
    config = json.loads((other / "config.json").read_text())
    config["id2label"]["3"] = "Something Else [X]"
    (other / "config.json").write_text(json.dumps(config))
    fakehub.add(PUBMED_REPO, other)
    monkeypatch.setenv("HF_ENDPOINT", fakehub.endpoint)
    with pytest.raises(NoSourceLeft, match="Something Else") as caught:
        pretrained(PUBMED, "en")
    assert [type(cause) for cause in caught.value.causes] == [NotFound, InconsistentModel]
    assert not holdings()


def test_labels_without_names_agree_by_their_number(s3: Seaweed, fakehub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.delete(BUCKET, PUBMED_KEY)
    other = tmp_path / "other"
    shutil.copytree(PUBMED_FOLDER, other)
    config = json.loads((other / "config.json").read_text())
    config["id2label"] = {str(index): f"LABEL_{index}" for index in range(14)}
    del config["label2id"]
    (other / "config.json").write_text(json.dumps(config))
    fakehub.add(PUBMED_REPO, other)
    monkeypatch.setenv("HF_ENDPOINT", fakehub.endpoint)
    assert pretrained(PUBMED, "en").labels == tuple(f"LABEL_{index}" for index in range(14))


def test_both_sources_gone_keeps_both_causes(s3: Seaweed, fakehub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.delete(BUCKET, PUBMED_KEY)
    monkeypatch.setenv("HF_ENDPOINT", fakehub.endpoint)
    with pytest.raises(NoSourceLeft) as caught:
        pretrained(PUBMED, "en")
    assert len(caught.value.causes) == 2
    assert BUCKET in str(caught.value)
    assert PUBMED_REPO in str(caught.value)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_in_trouble_is_no_reason_to_ask_the_hub(script: ScriptedServer, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # So long a wait is left to a person: no second attempt.
    script.answer = lambda request: Reply(status, headers={"Retry-After": "600"})
    with running_script() as hugging_face:
        monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
        monkeypatch.setenv("HF_ENDPOINT", hugging_face.endpoint)
        with pytest.raises(ServerFailure, match=str(status)):
            pretrained(PUBMED, "en")
        assert script.requests
        assert not hugging_face.requests
    assert not holdings()


def test_a_refused_connection_is_no_reason_to_ask_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_script() as hugging_face:
        monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", f"http://127.0.0.1:{free_port()}")
        monkeypatch.setenv("HF_ENDPOINT", hugging_face.endpoint)
        with pytest.raises(Unreachable):
            pretrained(PUBMED, "en")
        assert not hugging_face.requests
    assert not holdings()


@pytest.mark.parametrize("status", [403, 404])
def test_gone_and_forbidden_are_reasons_to_ask_the_hub(
    script: ScriptedServer, fakehub: FakeHub, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.answer = lambda request: Reply(status)
    fakehub.add(PUBMED_REPO, PUBMED_FOLDER)
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
    monkeypatch.setenv("HF_ENDPOINT", fakehub.endpoint)
    assert pretrained(PUBMED, "en").manifest.origin.commit


def test_one_source_alone(s3: Seaweed, fakehub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.delete(BUCKET, PUBMED_KEY)
    fakehub.add(PUBMED_REPO, PUBMED_FOLDER)
    monkeypatch.setenv("HF_ENDPOINT", fakehub.endpoint)
    with pytest.raises(NotFound):
        pretrained(PUBMED, "en", source="s3")
    assert not holdings()
    assert pretrained(PUBMED, "en", source="hf").manifest.origin.commit
    with pytest.raises(UnknownModel, match="Hugging Face"):
        pretrained(DEMO, "en", source="hf")


def test_a_repository_by_its_name_and_commit(fakehub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    fakehub.add(PUBMED_REPO, PUBMED_FOLDER)
    monkeypatch.setenv("HF_ENDPOINT", fakehub.endpoint)
    classifier = pretrained(f"hf:{PUBMED_REPO}", max_length=256)
    check(classifier, PUBMED_ZIP)
    commit = classifier.manifest.origin.commit
    pinned = load(f"hf:{PUBMED_REPO}@{commit}", max_length=256)
    check(pinned, PUBMED_ZIP)
    assert pinned.manifest.origin.commit == commit
    assert pretrained(f"hf:{PUBMED_REPO}", revision=commit).path == pinned.path
    with pytest.raises(NotFound):
        pretrained(f"hf:{PUBMED_REPO}@{'0' * 40}")


NO_SOCKETS = """
import sys
from hubclient import pretrained

def refuse(event, arguments):
    if event.startswith("socket."):
        raise AssertionError(event)

sys.addaudithook(refuse)
print(pretrained(sys.argv[1], "en")("I really liked that movie!").label)
"""


def test_what_is_stored_is_opened_without_any_socket(s3: Seaweed) -> None:
    s3.put(BUCKET, IMDB_KEY, DEMO_ZIP)
    blocked = python(NO_SOCKETS, IMDB)
    assert blocked.code != 0
    assert "socket." in blocked.err
    assert pull(IMDB, "en") == models()[0]
    done = python(NO_SOCKETS, IMDB)
    assert (done.code, done.out) == (0, "pos\n"), done.err


def test_offline_with_nothing_stored_is_refused_without_any_socket(script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
    monkeypatch.setenv("HF_ENDPOINT", script.endpoint)
    for reference in (IMDB, PUBMED, f"hf:{PUBMED_REPO}", f"s3://{BUCKET}/x.zip"):
        with pytest.raises(Offline) as caught:
            pretrained(reference, offline=True)
        assert caught.value.hint
    monkeypatch.setenv("HUBCLIENT_OFFLINE", "1")
    with pytest.raises(Offline):
        pretrained(IMDB)
    done = hub("pull", IMDB)
    assert done.code == Offline.exit_code
    assert not script.requests
    assert not holdings()


def test_offline_uses_what_is_stored_and_what_is_bundled(s3: Seaweed) -> None:
    s3.put(BUCKET, IMDB_KEY, DEMO_ZIP)
    pull(IMDB, "en")
    check(pretrained(IMDB, "en", offline=True), DEMO_ZIP)
    # The process has its bundled mirror.
    done = hub("predict", DEMO, "--offline", "I really liked that movie!")
    assert done.out.startswith("pos\t"), done.err


def test_a_local_mirror_is_asked_before_s3(script: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make_mirror(tmp_path / "first", {})
    second = make_mirror(tmp_path / "second", {IMDB_KEY: DEMO_ZIP})
    monkeypatch.setenv("HUBCLIENT_MIRRORS", f"{first}:{second}")
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
    check(pretrained(IMDB, "en"), DEMO_ZIP)
    check(pretrained(DEMO, "en"), DEMO_ZIP)
    assert not script.requests
    assert (len(names()), len(models())) == (2, 1)


def test_an_archive_on_disk_zipped_or_unpacked(tmp_path: Path) -> None:
    zipped = from_archive(DEMO_ZIP)
    check(zipped, DEMO_ZIP)
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(DEMO_ZIP) as archive:
        archive.extractall(unpacked)
    folder = from_archive(unpacked)
    check(folder, DEMO_ZIP)
    assert folder.manifest.tensors_digest == zipped.manifest.tensors_digest


def test_a_file_is_known_by_its_content(tmp_path: Path) -> None:
    copy = tmp_path / "renamed.zip"
    shutil.copyfile(DEMO_ZIP, copy)
    assert from_archive(copy).path == from_archive(DEMO_ZIP).path
    shutil.copyfile(TREC6_ZIP, copy)
    check(from_archive(copy), TREC6_ZIP)


def test_a_native_folder_is_opened_in_place(tmp_path: Path) -> None:
    native = tmp_path / "native"
    shutil.copytree(from_archive(DEMO_ZIP).path, native)
    before = holdings()
    classifier = from_folder(native)
    check(classifier, DEMO_ZIP)
    assert classifier.path == native
    assert holdings() == before


def test_a_hugging_face_folder_is_converted_and_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    shutil.copytree(PUBMED_FOLDER, folder)
    classifier = from_folder(folder, max_length=256)
    check(classifier, PUBMED_ZIP)
    assert classifier.path == models()[0]
    assert sorted(file.name for file in folder.iterdir()) == sorted(file.name for file in PUBMED_FOLDER.iterdir())
    for file in folder.iterdir():
        assert file.read_bytes() == (PUBMED_FOLDER / file.name).read_bytes()


def test_paths_as_references(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copyfile(DEMO_ZIP, tmp_path / "some.zip")
    shutil.copytree(PUBMED_FOLDER, tmp_path / "repository")
    with zipfile.ZipFile(DEMO_ZIP) as archive:
        archive.extractall(tmp_path / "unpacked")
    monkeypatch.chdir(tmp_path)
    for reference in ("./some.zip", "some.zip", str(tmp_path / "some.zip"), "./unpacked"):
        check(pretrained(reference), DEMO_ZIP)
    check(load("./repository", max_length=256), PUBMED_ZIP)
    assert (len(names()), len(models())) == (3, 2)
    done = hub("predict", "./some.zip", "I really liked that movie!", cwd=tmp_path)
    assert done.out.startswith("pos\t"), done.err


def test_an_nlu_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("HUBCLIENT_MIRRORS", str(make_mirror(tmp_path, {PUBMED_KEY: PUBMED_ZIP, IMDB_KEY: DEMO_ZIP})))
    for reference in ("en.classify.bert.pubmed.", "en.classify.bert.pubmed"):
        with caplog.at_level(logging.WARNING, "hubclient"):
            check(load(reference), PUBMED_ZIP)
    assert PUBMED in caplog.text
    check(load("en.classify.bert_sequence.imdb_large"), DEMO_ZIP)


def test_a_failed_pull_leaves_nothing_and_the_next_one_works(s3: Seaweed) -> None:
    s3.delete(BUCKET, IMDB_KEY)
    with pytest.raises(HubError):
        pretrained(IMDB, "en")
    assert not holdings()
    s3.put(BUCKET, IMDB_KEY, DEMO_ZIP)
    check(pretrained(IMDB, "en"), DEMO_ZIP)
