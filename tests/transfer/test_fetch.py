"""Fetching: what arrives is what was announced, however the server behaves."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hubclient.errors import CorruptTransfer, NotFound, ServerFailure, StoreFull, StoreUnwritable, Unreachable
from hubclient.settings import Settings
from hubclient.sources.local import LocalFile
from hubclient.sources.location import S3Location
from hubclient.sources.s3 import S3File
from hubclient.transfer.fetch import Fetched, fetch
from hubclient.transfer.progress import Bars, Silent, progress_for
from tests.servers.ports import free_port
from tests.servers.script import Reply, Request, ScriptedServer, file_reply
from tests.servers.seaweed import Seaweed

CONTENT = bytes(range(251)) * 4000
MD5 = f'"{hashlib.md5(CONTENT).hexdigest()}"'
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Watched:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.label = ""
        self.total: int | None = None
        self.told: list[int] = []

    @contextmanager
    def task(self, label: str, total: int | None) -> Iterator[Callable[[int], None]]:
        self.label, self.total = label, total
        yield self.told.append


def s3_file(endpoint: str, bucket: str = "b", key: str = "models/k.zip") -> S3File:
    return S3File(S3Location(bucket, key), Settings(cache_dir=Path("unused"), s3_endpoint=endpoint))


def fetched(script: ScriptedServer, target: Path, waits: list[float] | None = None) -> Fetched:
    return fetch(s3_file(script.endpoint), target, sleep=(waits if waits is not None else []).append)


def test_from_a_real_server(seaweed: Seaweed, tmp_path: Path) -> None:
    seaweed.put(seaweed.public_bucket, "models/k.zip", CONTENT)
    progress = Watched()
    result = fetch(s3_file(seaweed.endpoint, seaweed.public_bucket), tmp_path / "k.zip", progress=progress)
    assert (tmp_path / "k.zip").read_bytes() == CONTENT
    assert result == Fetched(f"{seaweed.endpoint}/{seaweed.public_bucket}/models/k.zip", len(CONTENT), SHA256, MD5, ("MD5",))
    assert (progress.label, progress.total, sum(progress.told)) == ("k.zip", len(CONTENT), len(CONTENT))


def test_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(CONTENT)
    assert fetch(LocalFile(tmp_path / "a.zip"), tmp_path / "b.zip").sha256 == SHA256


def test_an_empty_file(script: ScriptedServer, tmp_path: Path) -> None:
    script.answer = lambda request: Reply(200, b"", {"ETag": f'"{hashlib.md5(b"").hexdigest()}"'})
    assert fetched(script, tmp_path / "t").size == 0
    assert (tmp_path / "t").read_bytes() == b""


def test_facts_that_are_known_are_not_asked_for(script: ScriptedServer, tmp_path: Path) -> None:
    script.answer = lambda request: file_reply(request, CONTENT, MD5)
    file = s3_file(script.endpoint)
    assert fetch(file, tmp_path / "t", stat=file.stat()).sha256 == SHA256
    assert [request.method for request in script.requests] == ["HEAD", "GET"]


def test_a_cut_transfer_goes_on_where_it_stopped(script: ScriptedServer, tmp_path: Path) -> None:
    script.answer = lambda request: file_reply(request, CONTENT, MD5, cut=300_000)
    waits: list[float] = []
    assert fetched(script, tmp_path / "t", waits).sha256 == SHA256
    assert (tmp_path / "t").read_bytes() == CONTENT
    assert script.sent == len(CONTENT)
    assert [request.headers.get("Range") for request in script.asked("GET")] == [
        None,
        "bytes=300000-1003999",
        "bytes=600000-1003999",
        "bytes=900000-1003999",
    ]
    assert {request.headers["If-Match"] for request in script.asked("GET")} == {MD5}
    assert waits == []


def test_more_cuts_than_retries_are_borne_while_there_is_progress(script: ScriptedServer, tmp_path: Path) -> None:
    script.answer = lambda request: file_reply(request, CONTENT, MD5, cut=70_000)
    assert fetched(script, tmp_path / "t").sha256 == SHA256
    assert script.sent == len(CONTENT)


def test_cuts_without_progress_end_it(script: ScriptedServer, tmp_path: Path) -> None:
    script.answer = lambda request: file_reply(request, CONTENT, MD5, cut=3)
    with pytest.raises(Unreachable, match="broke off"):
        fetched(script, tmp_path / "t")
    assert len(script.asked("GET")) == 5


def test_a_range_answered_with_the_whole_starts_over(script: ScriptedServer, tmp_path: Path) -> None:
    def answer(request: Request) -> Reply:
        return Reply(200, CONTENT, {"ETag": MD5}, cut=400_000 if len(script.asked("GET")) == 1 else None)

    script.answer = answer
    progress = Watched()
    fetch(s3_file(script.endpoint), tmp_path / "t", progress=progress, sleep=lambda seconds: None)
    assert (tmp_path / "t").read_bytes() == CONTENT
    assert sum(progress.told) == len(CONTENT)


def test_a_part_that_was_not_asked_for_is_refused(script: ScriptedServer, tmp_path: Path) -> None:
    script.answer = lambda request: (
        Reply(206, CONTENT[5:], {"ETag": MD5, "Content-Range": f"bytes 5-{len(CONTENT) - 1}/{len(CONTENT)}"})
        if request.method == "GET"
        else file_reply(request, CONTENT, MD5)
    )
    with pytest.raises(CorruptTransfer, match="byte 5"):
        fetched(script, tmp_path / "t")


def test_a_flipped_bit_is_noticed(script: ScriptedServer, tmp_path: Path) -> None:
    script.answer = lambda request: file_reply(request, CONTENT[:-1] + b"?", MD5)
    with pytest.raises(CorruptTransfer, match="MD5"):
        fetched(script, tmp_path / "t")


def test_a_wrong_sha256_is_noticed(script: ScriptedServer, tmp_path: Path) -> None:
    checksum = {"x-amz-checksum-sha256": "A" * 43 + "="}
    script.answer = lambda request: file_reply(request, CONTENT, '"multi-2"', headers=checksum)
    with pytest.raises(CorruptTransfer, match="SHA-256"):
        fetched(script, tmp_path / "t")


@pytest.mark.parametrize("body", [CONTENT + b"?", CONTENT[:-1]])
def test_another_size_than_announced_is_noticed(script: ScriptedServer, tmp_path: Path, body: bytes) -> None:
    script.answer = lambda request: file_reply(request, CONTENT, '"e"') if request.method == "HEAD" else Reply(200, body, {"ETag": '"e"'})
    with pytest.raises((CorruptTransfer, Unreachable)):
        fetched(script, tmp_path / "t")


def test_a_change_on_the_way_starts_over_once(script: ScriptedServer, tmp_path: Path) -> None:
    old, old_etag = CONTENT[::-1], f'"{hashlib.md5(CONTENT[::-1]).hexdigest()}"'

    def answer(request: Request) -> Reply:
        if not script.asked("GET"):
            return file_reply(request, old, old_etag)
        if len(script.asked("GET")) == 1 and request.method == "GET":
            return file_reply(request, old, old_etag, cut=100_000)
        return file_reply(request, CONTENT, MD5)

    script.answer = answer
    assert fetched(script, tmp_path / "t").sha256 == SHA256
    assert (tmp_path / "t").read_bytes() == CONTENT


def test_changes_without_end_are_given_up(script: ScriptedServer, tmp_path: Path) -> None:
    script.answer = lambda request: file_reply(request, CONTENT, f'"{len(script.requests)}"')
    with pytest.raises(CorruptTransfer, match="changed"):
        fetched(script, tmp_path / "t")
    assert len(script.asked("HEAD")) == 2


def test_retry_after_is_obeyed(script: ScriptedServer, tmp_path: Path) -> None:
    script.answer = lambda request: (
        Reply(503, headers={"Retry-After": "9"}) if len(script.requests) == 1 else file_reply(request, CONTENT, MD5)
    )
    waits: list[float] = []
    fetched(script, tmp_path / "t", waits)
    assert waits == [9]


def test_a_long_retry_after_is_not_waited_for(script: ScriptedServer, tmp_path: Path) -> None:
    script.answer = lambda request: Reply(429, headers={"Retry-After": "3600"})
    waits: list[float] = []
    with pytest.raises(ServerFailure):
        fetched(script, tmp_path / "t", waits)
    assert waits == []


def test_trouble_is_borne_four_times_with_growing_waits(script: ScriptedServer, tmp_path: Path) -> None:
    script.answer = lambda request: Reply(500)
    waits: list[float] = []
    with pytest.raises(ServerFailure):
        fetched(script, tmp_path / "t", waits)
    assert len(script.requests) == 5
    assert waits == sorted(waits)
    assert 0 < waits[0] < waits[-1] <= 2


def test_refused_connections_are_retried(tmp_path: Path) -> None:
    waits: list[float] = []
    with pytest.raises(Unreachable):
        fetch(s3_file(f"http://127.0.0.1:{free_port()}"), tmp_path / "t", retries=2, sleep=waits.append)
    assert len(waits) == 2


def test_a_missing_object_is_asked_for_once(script: ScriptedServer, tmp_path: Path) -> None:
    waits: list[float] = []
    with pytest.raises(NotFound):
        fetched(script, tmp_path / "t", waits)
    assert waits == []


def test_what_cannot_fit_is_not_fetched(script: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 5, 5))
    script.answer = lambda request: file_reply(request, CONTENT, MD5)
    with pytest.raises(StoreFull, match="5 bytes are free"):
        fetched(script, tmp_path / "t")
    assert not script.asked("GET")


def test_a_folder_that_cannot_be_written(script: ScriptedServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    script.answer = lambda request: file_reply(request, CONTENT, MD5)
    with pytest.raises(StoreUnwritable, match=os.strerror(errno.ENOTDIR)):
        fetched(script, tmp_path / "file" / "t")


def test_progress_is_shown_on_terminals_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(progress_for(), Silent)
    assert isinstance(progress_for(True), Bars)
    with progress_for(True).task("a.zip", 10) as advance:
        advance(4)
    assert capsys.readouterr().out == ""
