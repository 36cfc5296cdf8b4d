"""`hub mirror`: archives under their keys, for hubclient and Spark NLP to ask, in a folder and in a bucket of a real S3 server."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from hubclient import Hub, pull
from hubclient.catalog.live import entries_named
from hubclient.catalog.live_line import ArchiveFolder
from hubclient.errors import CorruptTransfer, Forbidden, Offline, ServerFailure, SomeFailed, StoreUnwritable, Unreachable, UsageError
from hubclient.mirror.copy import Mirrored
from hubclient.settings import Settings
from hubclient.sources.location import S3Location
from hubclient.sources.s3 import S3File
from tests.e2e.material import BUCKET, DEMO, DEMO_KEY, DEMO_ZIP, IMDB, IMDB_KEY, PUBMED, PUBMED_KEY, TREC6_ZIP
from tests.e2e.shell import hub
from tests.servers.ports import free_port
from tests.servers.script import Reply, ScriptedServer, file_reply
from tests.servers.seaweed import Seaweed

CONTENT = DEMO_ZIP.read_bytes()
MD5 = hashlib.md5(CONTENT).hexdigest()
TEXT = "I really liked that movie!"


def lines(index: str | bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in index.splitlines()]


@pytest.fixture
def s3(seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch) -> Seaweed:
    """Models are fetched from there, and it may be written."""
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", seaweed.endpoint)
    for name, value in seaweed.credentials().items():
        monkeypatch.setenv(name, value)
    seaweed.put(BUCKET, IMDB_KEY, DEMO_ZIP)
    return seaweed


def mirrored(reference: str, to: Path | str, *, endpoint: str | None = None, offline: bool | None = None) -> Mirrored:
    """In this process. Raises what went wrong."""
    (result,) = Hub(progress=False, offline=offline).mirror([reference], str(to), endpoint=endpoint)
    if result.error:
        raise result.error
    return result


def read(seaweed: Seaweed, bucket: str, key: str) -> bytes:
    settings = Settings(cache_dir=Path("unused"), s3_endpoint=seaweed.endpoint)
    return b"".join(S3File(S3Location(bucket, key), settings).read().chunks)


class TestFolder:
    def test_it_serves_as_a_mirror_without_a_network(self, s3: Seaweed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        done = hub("mirror", IMDB, DEMO, "--to", tmp_path / "m")
        assert done.code == 0, done.err
        assert done.lines == [str(tmp_path / "m" / BUCKET / key) for key in (IMDB_KEY, DEMO_KEY)]
        assert (tmp_path / "m" / BUCKET / IMDB_KEY).read_bytes() == CONTENT
        monkeypatch.setenv("HUBCLIENT_MIRRORS", str(tmp_path / "m"))
        assert hub("predict", IMDB, TEXT, "--offline").out.startswith("pos\t")

    def test_its_index_tells_of_the_archives(self, s3: Seaweed, tmp_path: Path) -> None:
        hub("mirror", IMDB, DEMO, "--to", tmp_path)
        index = (tmp_path / BUCKET / "public/models/metadata.json").read_bytes()
        assert [line["checksum"] for line in lines(index)] == [MD5, MD5]
        folder = ArchiveFolder.of(f"s3://{BUCKET}/public/models/metadata.json")
        (entry,) = entries_named(index, IMDB, folder)
        assert entry.uri == f"s3://{BUCKET}/{IMDB_KEY}"
        assert entry.annotator == "BertForSequenceClassification"

    def test_what_is_there_and_equal_is_left(self, s3: Seaweed, tmp_path: Path) -> None:
        mirrored(IMDB, tmp_path)
        copy, index = tmp_path / BUCKET / IMDB_KEY, tmp_path / BUCKET / "public/models/metadata.json"
        before = [path.stat().st_mtime_ns for path in (copy, index)]
        again = hub("mirror", IMDB, "--to", tmp_path, "--json")
        assert json.loads(again.out)["state"] == "there already"
        assert [path.stat().st_mtime_ns for path in (copy, index)] == before
        copy.write_bytes(CONTENT[:-1] + b"?")
        assert mirrored(IMDB, tmp_path).copied
        assert copy.read_bytes() == CONTENT

    def test_an_index_that_was_lost_is_written_again(self, s3: Seaweed, tmp_path: Path) -> None:
        mirrored(IMDB, tmp_path)
        index = tmp_path / BUCKET / "public/models/metadata.json"
        written = index.read_bytes()
        index.unlink()
        assert not mirrored(IMDB, tmp_path).copied
        assert index.read_bytes() == written

    def test_one_that_fails_does_not_stop_the_others(self, s3: Seaweed, tmp_path: Path) -> None:
        done = hub("mirror", "no_such_model", "hf:owner/repo", str(TREC6_ZIP), DEMO, "--to", tmp_path, "--json")
        assert done.code == SomeFailed.exit_code
        states = [json.loads(line)["state"] for line in done.lines]
        assert states == ["failed", "failed", "failed", "copied"]
        assert "hf:owner/repo: 'hf:owner/repo' stands for no archive in S3" in done.err
        assert hub("mirror", "hf:owner/repo", "--to", tmp_path).code == UsageError.exit_code

    def test_a_place_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        done = hub("mirror", DEMO, "--to", tmp_path / "file" / "folder")
        assert done.code == StoreUnwritable.exit_code
        assert "the mirror cannot be written" in done.err

    def test_nothing_is_left_of_a_copy_that_fails(self, tmp_path: Path, script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was converted is what is mirrored, and nothing else that the same key leads to by now."""
        monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
        script.answer = lambda request: file_reply(request, CONTENT, '"v1"')
        pull(IMDB)
        script.answer = lambda request: file_reply(request, b"x" * len(CONTENT), '"v2"')
        with pytest.raises(CorruptTransfer):
            mirrored(IMDB, tmp_path / "m")
        assert not [path for path in (tmp_path / "m").rglob("*") if path.is_file()]


class TestArchives:
    """Where they come from."""

    def test_one_that_was_kept_is_not_fetched_again(self, tmp_path: Path, script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
        script.answer = lambda request: file_reply(request, CONTENT, '"v1"')
        assert hub("pull", IMDB, "--keep-archive").code == 0
        asked = len(script.requests)
        assert hub("mirror", IMDB, "--to", tmp_path / "m", "--offline").code == 0
        assert (tmp_path / "m" / BUCKET / IMDB_KEY).read_bytes() == CONTENT
        assert len(script.requests) == asked

    def test_one_that_was_not_kept_is_missed_offline(self, tmp_path: Path, s3: Seaweed) -> None:
        pull(IMDB)
        with pytest.raises(Offline):
            mirrored(IMDB, tmp_path / "m", offline=True)

    def test_a_model_that_was_pulled_tells_what_is_expected_so_that_nobody_is_asked(
        self, tmp_path: Path, script: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
        script.answer = lambda request: file_reply(request, CONTENT, '"v1"')
        pull(IMDB)
        mirrored(IMDB, tmp_path)
        asked = len(script.requests)
        assert not mirrored(IMDB, tmp_path).copied
        assert len(script.requests) == asked

    def test_a_server_that_says_no_digest(self, tmp_path: Path, script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
        """Then only the bytes tell whether the copy is equal."""
        monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
        script.answer = lambda request: file_reply(request, CONTENT, '"v1"')
        assert mirrored(IMDB, tmp_path).copied
        assert not mirrored(IMDB, tmp_path).copied
        assert script.sent >= 2 * len(CONTENT)

    def test_by_its_address_and_without_a_card(self, tmp_path: Path, s3: Seaweed) -> None:
        s3.put(BUCKET, "own/model.zip", DEMO_ZIP)
        reference = f"s3://{BUCKET}/own/model.zip"
        assert mirrored(reference, tmp_path) == Mirrored(reference, str(tmp_path / BUCKET / "own/model.zip"), len(CONTENT), copied=True)
        assert not (tmp_path / BUCKET / "own/metadata.json").exists()

    def test_a_card_whose_archive_cannot_be_opened_is_mirrored_for_spark_nlp(self, tmp_path: Path, s3: Seaweed) -> None:
        location = Hub(progress=False).resolve("bert_base_cased_qa_squad2").card.s3_parsed
        assert location is not None
        key = location.key
        s3.put(BUCKET, key, b"an archive that nobody opens")
        assert mirrored("bert_base_cased_qa_squad2", tmp_path).listed
        assert (tmp_path / BUCKET / key).read_bytes() == b"an archive that nobody opens"


class TestBucket:
    def place(self, s3: Seaweed, prefix: str) -> str:
        return f"s3://{s3.public_bucket}/{prefix}"

    def test_a_live_index_and_an_endpoint_lead_to_it(self, s3: Seaweed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """As an own service is used: the same bucket's name, another endpoint."""
        done = hub("mirror", IMDB, DEMO, "--to", self.place(s3, "copies"), "--json")
        assert done.code == 0, done.err
        assert [json.loads(line)["address"] for line in done.lines] == [f"s3://{BUCKET}/copies/{key}" for key in (IMDB_KEY, DEMO_KEY)]
        assert read(s3, BUCKET, f"copies/{IMDB_KEY}") == CONTENT
        index = read(s3, BUCKET, "copies/public/models/metadata.json")
        assert [line["checksum"] for line in lines(index)] == [MD5, MD5]
        for name in s3.credentials():
            monkeypatch.delenv(name)
        pull(f"s3://{BUCKET}/copies/{IMDB_KEY}")
        settings = Settings(tmp_path, s3_endpoint=s3.endpoint, live_index=f"s3://{BUCKET}/copies/public/models/metadata.json")
        assert [card.s3_uri for card in Hub(settings=settings, progress=False).live.cards_named(IMDB)] == [
            f"s3://{BUCKET}/copies/{IMDB_KEY}"
        ]

    def test_what_is_there_and_equal_is_left(self, s3: Seaweed) -> None:
        place = self.place(s3, "left")
        assert mirrored(IMDB, place).copied
        assert not mirrored(IMDB, place).copied
        s3.put(BUCKET, f"left/{IMDB_KEY}", CONTENT[:-1] + b"?")
        assert mirrored(IMDB, place).copied
        assert read(s3, BUCKET, f"left/{IMDB_KEY}") == CONTENT

    def test_in_parts_it_is_left_as_well(self, s3: Seaweed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A large copy has no MD5 for an ETag: its SHA-256 is among its metadata."""
        large = tmp_path / "large.zip"
        large.write_bytes(b"PK" + bytes(range(256)) * (40 << 12))
        s3.put(BUCKET, "own/large_en_3.4.4_3.0_1635774771318.zip", large)
        place, reference = self.place(s3, "parts"), f"s3://{BUCKET}/own/large_en_3.4.4_3.0_1635774771318.zip"
        assert mirrored(reference, place).copied
        settings = Settings(cache_dir=tmp_path, s3_endpoint=s3.endpoint)
        copy = S3File(S3Location(BUCKET, "parts/own/large_en_3.4.4_3.0_1635774771318.zip"), settings).stat()
        assert copy.size == large.stat().st_size
        assert "-" in (copy.etag or "")
        again = mirrored(reference, place)
        assert (again.copied, again.listed) == (False, True)

    def test_archives_are_added_to_the_index_that_is_there(self, s3: Seaweed) -> None:
        place = self.place(s3, "added")
        s3.put(BUCKET, "added/public/models/metadata.json", b'{"name":"kept","readyToUse":false}\n')
        mirrored(IMDB, place)
        mirrored(DEMO, place)
        names = [line["name"] for line in lines(read(s3, BUCKET, "added/public/models/metadata.json"))]
        assert names == ["kept", IMDB, DEMO]

    def test_another_endpoint_than_the_one_that_is_fetched_from(
        self, s3: Seaweed, script: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
        script.answer = lambda request: file_reply(request, CONTENT, '"v1"')
        mirrored(IMDB, self.place(s3, "elsewhere"), endpoint=s3.endpoint)
        assert read(s3, BUCKET, f"elsewhere/{IMDB_KEY}") == CONTENT
        assert {request.method for request in script.requests} <= {"GET", "HEAD"}

    def test_who_may_not_write(self, s3: Seaweed, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in s3.credentials():
            monkeypatch.delenv(name)
        with pytest.raises(Forbidden, match="AWS_ACCESS_KEY_ID"):
            mirrored(DEMO, self.place(s3, "denied"))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        done = hub("mirror", DEMO, "--to", self.place(s3, "denied"))
        assert done.code == Forbidden.exit_code
        assert "wrong" not in done.err

    def test_nobody_there(self, s3: Seaweed) -> None:
        with pytest.raises(Unreachable, match="the mirror cannot be reached"):
            mirrored(DEMO, "s3://bucket", endpoint=f"http://127.0.0.1:{free_port()}")

    def test_a_service_in_trouble(self, s3: Seaweed, script: ScriptedServer) -> None:
        script.answer = lambda request: Reply(500)
        with pytest.raises(ServerFailure):
            mirrored(DEMO, "s3://bucket", endpoint=script.endpoint)

    @pytest.mark.parametrize("place", ["s3://", "s3:///prefix", "s3://bucket/../x", "s3://bucket/a//b"])
    def test_what_is_no_place(self, place: str) -> None:
        with pytest.raises(UsageError):
            mirrored(DEMO, place)

    @pytest.mark.parametrize("endpoint", ["host", "ftp://host", "http://"])
    def test_what_is_no_endpoint(self, endpoint: str) -> None:
        with pytest.raises(UsageError):
            mirrored(DEMO, "s3://bucket", endpoint=endpoint)


def test_a_model_without_a_card_is_mirrored_by_its_origin(s3: Seaweed, tmp_path: Path) -> None:
    """As it came from the live index, or from another machine."""
    key = "public/models/kept_en_4.0.0_3.0_1635774771318.zip"
    s3.put(BUCKET, key, DEMO_ZIP)
    pull(f"s3://{BUCKET}/{key}")
    assert mirrored("kept", tmp_path).address == str(tmp_path / BUCKET / key)


def test_the_mirror_has_several_folders(s3: Seaweed, tmp_path: Path) -> None:
    s3.put(BUCKET, PUBMED_KEY, DEMO_ZIP)
    s3.put(BUCKET, "own/kept_en_4.0.0_3.0_1635774771318.zip", DEMO_ZIP)
    done = hub("mirror", PUBMED, f"s3://{BUCKET}/own/kept_en_4.0.0_3.0_1635774771318.zip", "--to", tmp_path)
    assert done.code == 0, done.err
    assert [len(lines(path.read_bytes())) for path in sorted(tmp_path.rglob("metadata.json"))] == [1, 1]
