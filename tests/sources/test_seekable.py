"""A remote file read here and there: few requests, one content, and servers with few manners."""

from __future__ import annotations

import io
import os
import random
import struct
import zipfile
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from hubclient.archive.zipmembers import ZipMembers
from hubclient.errors import ContentChanged, CorruptArchive, CorruptTransfer, Forbidden, SourceError, Unreachable
from hubclient.settings import Settings
from hubclient.sources.location import WebLocation
from hubclient.sources.remote import Stat
from hubclient.sources.seekable import SeekableFile
from hubclient.sources.web import WebFile
from tests.servers.script import Reply, Request, ScriptedServer, file_reply

CONTENT = random.Random(7).randbytes(3 << 20)
SETTINGS = Settings(cache_dir=Path("unused"))


def opened(script: ScriptedServer, *, budget: int = 64 << 20) -> SeekableFile:
    file = WebFile(WebLocation(f"{script.endpoint}/a.zip"), SETTINGS)
    return SeekableFile(file, budget=budget, retries=3, sleep=lambda seconds: None)


def serving(script: ScriptedServer, content: bytes = CONTENT) -> SeekableFile:
    script.answer = lambda request: file_reply(request, content, '"e"')
    return opened(script)


def ranges(script: ScriptedServer) -> list[str]:
    return [request.headers.get("Range", "all") for request in script.asked("GET")]


def test_reads_what_lies_there(script: ScriptedServer) -> None:
    source = serving(script)
    drawn = random.Random(11)
    for _ in range(200):
        start, size = drawn.randrange(len(CONTENT) + 10), drawn.choice([0, 1, 30, 5000, 100_000])
        assert source.seek(start) == start
        assert source.read(size) == CONTENT[start : start + size]
    assert source.seek(-5, os.SEEK_END) == len(CONTENT) - 5
    assert source.read() == CONTENT[-5:]
    assert source.read(1) == b""
    assert source.moved == script.sent
    assert {request.headers["If-Match"] for request in script.asked("GET")} == {'"e"'}


def test_what_is_announced_comes_at_once_and_only_once(script: ScriptedServer) -> None:
    source = serving(script)
    source.bring([(100_000, 110_000), (1_000_000, 1_200_000), (112_000, 113_000)])
    assert len(ranges(script)) == 2
    for start, end in ((100_000, 110_000), (112_000, 113_000), (1_000_000, 1_200_000)):
        source.seek(start)
        assert source.read(end - start) == CONTENT[start:end]
    source.bring([(100_500, 105_000)])
    assert len(ranges(script)) == 2
    assert script.sent < 230_000


def test_reading_in_order_takes_few_requests(script: ScriptedServer) -> None:
    source = serving(script)
    assert b"".join(iter(lambda: source.read(1000), b"")) == CONTENT
    assert len(ranges(script)) < 10


def test_a_short_answer_is_asked_for_again_from_where_it_broke_off(script: ScriptedServer) -> None:
    script.answer = lambda request: file_reply(request, CONTENT, '"e"', cut=10_000 if request.method == "GET" else None)
    source = opened(script)
    source.bring([(0, 40_960)])
    assert source.read(40_960) == CONTENT[:40_960]
    assert ranges(script) == [f"bytes={start}-40959" for start in (0, 10_000, 20_000, 30_000, 40_000)]


def test_a_server_that_stays_silent_is_given_up(script: ScriptedServer) -> None:
    script.answer = lambda request: file_reply(request, CONTENT, '"e"', cut=0 if request.method == "GET" else None)
    with pytest.raises(Unreachable):
        opened(script).read(10)
    assert len(ranges(script)) == 4


def test_another_content_under_way_is_no_content(script: ScriptedServer) -> None:
    source = serving(script)
    source.read(10)
    script.answer = lambda request: file_reply(request, CONTENT, '"new"')
    source.seek(1_000_000)
    with pytest.raises(ContentChanged):
        source.read(10)


def whole(request: Request, content: bytes) -> Reply:
    return Reply(200, content, {"ETag": '"e"'})


def test_a_server_without_ranges_is_refused_by_name(script: ScriptedServer) -> None:
    script.answer = lambda request: whole(request, CONTENT)
    source = opened(script)
    assert source.read(10) == CONTENT[:10]
    source.seek(1_000_000)
    with pytest.raises(SourceError, match="whole files only") as refusal:
        source.read(10)
    assert refusal.value.lasting
    assert script.endpoint in str(refusal.value)


def test_a_server_without_ranges_is_borne_with_for_a_small_file(script: ScriptedServer) -> None:
    small = CONTENT[:50_000]
    script.answer = lambda request: whole(request, small)
    source = opened(script)
    source.seek(49_000)
    assert source.read() == small[49_000:]
    source.seek(0)
    assert source.read() == small
    assert ranges(script) == ["bytes=45056-49999"]


def test_another_place_than_was_asked_for(script: ScriptedServer) -> None:
    headers = {"ETag": '"e"', "Content-Range": f"bytes 5-9/{len(CONTENT)}"}
    script.answer = lambda request: Reply(206, CONTENT[5:10], headers) if request.method == "GET" else whole(request, CONTENT)
    source = opened(script)
    source.seek(8192)
    with pytest.raises(CorruptTransfer, match="began at byte 5"):
        source.read(10)


def test_a_refusal_is_told_as_what_it_is(script: ScriptedServer) -> None:
    script.answer = lambda request: file_reply(request, CONTENT, '"e"') if request.method == "HEAD" else Reply(403)
    with pytest.raises(Forbidden):
        opened(script).read(10)


def test_no_more_is_moved_than_was_allowed(script: ScriptedServer) -> None:
    script.answer = lambda request: file_reply(request, CONTENT, '"e"')
    source = opened(script, budget=100_000)
    with pytest.raises(SourceError, match="too much"):
        source.read()
    assert script.sent == 0


def test_seeking_before_the_start() -> None:
    class Nothing:
        url = "nowhere"

    with pytest.raises(OSError, match="before"):
        SeekableFile(Nothing(), Stat(10)).seek(-1)  # type: ignore[arg-type]


def zipped(*, comment: bytes = b"", bulk: int = 2 << 20) -> bytes:
    """Something large, and behind it something small."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("weights", random.Random(3).randbytes(bulk))
        archive.writestr("small", b"here" * 100, compress_type=zipfile.ZIP_DEFLATED)
        archive.comment = comment
    return file.getvalue()


def as_zip64(content: bytes) -> bytes:
    """The same, whose end says that its numbers stand in the records of zip64 (APPNOTE 4.3.14, 4.3.15)."""
    end = content.rindex(b"PK\5\6")
    count, size, start = struct.unpack("<HII", content[end + 10 : end + 20])
    record = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, end, 1)
    last = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return content[:end] + record + locator + last


CONTENTS = {"plain": zipped(), "comment": zipped(comment=b"of the archive" * 3000), "zip64": as_zip64(zipped())}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_a_member_of_a_zip_without_the_rest(script: ScriptedServer, content: bytes) -> None:
    source = serving(script, content)
    source.bring_end(1 << 15)
    members = ZipMembers(cast("BinaryIO", source), "a.zip")
    assert members.read("small", 1000) == b"here" * 100
    assert members.packed_size("weights") == 2 << 20
    assert script.sent < 120_000
    assert len(ranges(script)) <= 3


def test_a_directory_that_claims_to_be_huge_is_not_fetched(script: ScriptedServer) -> None:
    content = bytearray(zipped())
    end = content.rindex(b"PK\5\6")
    content[end + 12 : end + 20] = struct.pack("<II", end - 100, 100)
    source = serving(script, bytes(content))
    source._budget = 1 << 20
    with pytest.raises((SourceError, CorruptArchive)):
        ZipMembers(cast("BinaryIO", source), "a.zip")
    assert script.sent < 1 << 20
