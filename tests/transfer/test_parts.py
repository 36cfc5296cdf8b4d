"""What an unfinished transfer leaves: found by the next, believed as far as its checksums go, and taken by one process alone."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from hubclient import locks
from hubclient.errors import SourceError, StoreFull, StoreUnwritable
from hubclient.settings import Settings
from hubclient.sources.location import S3Location
from hubclient.sources.s3 import S3File
from hubclient.transfer.fetch import fetch
from hubclient.transfer.journal import Content
from hubclient.transfer.parts import KeptPart, forget, open_part
from hubclient.transfer.pieces import Span
from tests.servers.script import Reply, Request, ScriptedServer, file_reply
from tests.transfer.faults import LARGE, etag_of

MIB = 1 << 20
ETAG = etag_of(LARGE)
Ranges = list[tuple[int, int]]


def bring(script: ScriptedServer, folder: Path, *, kept: bool = True, retries: int = 0) -> str:
    """One fetch into `folder`/target; what is unfinished stays in `folder`/transfers."""
    settings = Settings(cache_dir=folder, s3_endpoint=script.endpoint)
    file = S3File(S3Location("b", "k.zip"), settings)
    parts = settings.transfers if kept else None
    return fetch(file, folder / "target", parts=parts, retries=retries, sleep=lambda seconds: None).sha256


def range_of(request: Request) -> tuple[int, int]:
    first, _, last = request.headers["Range"].removeprefix("bytes=").partition("-")
    return int(first), int(last) + 1


def asked(script: ScriptedServer) -> Ranges:
    """The ranges that were asked for, in order of place."""
    return sorted(range_of(request) for request in script.asked("GET") if "Range" in request.headers)


def breaking(script: ScriptedServer, at: int, *, etag: str = ETAG) -> None:
    """From then on the server brings what lies before `at`, and goes down."""

    def answer(request: Request) -> Reply:
        if request.method == "HEAD":
            return file_reply(request, LARGE, etag)
        start = range_of(request)[0]
        return file_reply(request, LARGE, etag, cut=max(0, at - start)) if start < at else Reply(500)

    script.answer = answer


def mending(script: ScriptedServer, *, etag: str = ETAG) -> None:
    script.requests.clear()
    script.answer = lambda request: file_reply(request, LARGE, etag)


def interrupted(script: ScriptedServer, folder: Path, at: int, *, etag: str = ETAG) -> None:
    breaking(script, at, etag=etag)
    with pytest.raises(SourceError):
        bring(script, folder)
    mending(script, etag=etag)


def whole(folder: Path) -> bool:
    return (folder / "target").read_bytes() == LARGE and not any((folder / "transfers").iterdir())


def test_only_what_is_missing_is_fetched(script: ScriptedServer, tmp_path: Path) -> None:
    interrupted(script, tmp_path, 9 * MIB)
    assert not (tmp_path / "target").exists()
    assert bring(script, tmp_path) == hashlib.sha256(LARGE).hexdigest()
    assert asked(script)[0] == (9 * MIB, 13 * MIB)
    assert whole(tmp_path)


def test_another_address_has_nothing_to_do_with_it(script: ScriptedServer, tmp_path: Path) -> None:
    interrupted(script, tmp_path, 9 * MIB)
    content = Content("https://example.org/k.zip", len(LARGE), ETAG, None)
    part = open_part(tmp_path / "transfers", content, tmp_path / "other")
    assert part.arrived == ()
    part.discard()
    assert len(list((tmp_path / "transfers").iterdir())) == 1


def test_of_another_content_nothing_is_used(script: ScriptedServer, tmp_path: Path) -> None:
    interrupted(script, tmp_path, 9 * MIB, etag='"old"')
    mending(script)
    bring(script, tmp_path)
    assert asked(script)[0] == (0, 4 * MIB)
    assert whole(tmp_path)


def test_a_weak_etag_makes_no_content_out_of_two(script: ScriptedServer, tmp_path: Path) -> None:
    interrupted(script, tmp_path, 9 * MIB, etag='W/"e"')
    bring(script, tmp_path)
    assert asked(script)[0] == (0, 4 * MIB)
    assert whole(tmp_path)


def content_in(folder: Path) -> Path:
    (content,) = (folder / "transfers").glob("*/content")
    return content


def spoil(content: Path, at: int) -> None:
    """As a power cut does: the journal came to the disk, and this did not."""
    with content.open("r+b") as file:
        file.seek(at)
        file.write(bytes(1000))


@pytest.mark.parametrize("at", [0, 8 * MIB, 9 * MIB - 1000])
def test_ranges_that_are_not_what_was_written_are_fetched_again(script: ScriptedServer, tmp_path: Path, at: int) -> None:
    interrupted(script, tmp_path, 9 * MIB)
    spoil(content_in(tmp_path), at)
    bring(script, tmp_path)
    assert any(start <= at < end for start, end in asked(script))
    assert sum(end - start for start, end in asked(script)) < len(LARGE)
    assert whole(tmp_path)


def shorten(content: Path) -> None:
    os.truncate(content, 5 * MIB)


def damage_journal(content: Path) -> None:
    journal = content.with_name("journal")
    journal.write_bytes(journal.read_bytes()[:-5] + b"\xff\0\n1 2")


def forget_journal(content: Path) -> None:
    content.with_name("journal").unlink()


@pytest.mark.parametrize("damage", [shorten, damage_journal, forget_journal, Path.unlink])
def test_whatever_lies_there_the_right_bytes_come(script: ScriptedServer, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    interrupted(script, tmp_path, 9 * MIB)
    damage(content_in(tmp_path))
    bring(script, tmp_path)
    assert whole(tmp_path)


def test_it_belongs_to_one_at_a_time(script: ScriptedServer, tmp_path: Path) -> None:
    """Who comes second makes a file of its own, and the first goes on undisturbed."""
    mending(script)
    held, released = threading.Event(), threading.Event()

    def answer(request: Request) -> Reply:
        if len(script.asked("GET")) == 1 and request.method == "GET":
            held.set()
            released.wait()
        return file_reply(request, LARGE, ETAG)

    script.answer = answer
    first = threading.Thread(target=bring, args=(script, tmp_path))
    first.start()
    held.wait()
    second = tmp_path / "second"
    second.mkdir()
    (second / "transfers").symlink_to(tmp_path / "transfers", target_is_directory=True)
    bring(script, second)
    assert (second / "target").read_bytes() == LARGE
    assert len(list((tmp_path / "transfers").iterdir())) == 1
    released.set()
    first.join()
    assert whole(tmp_path)


def test_where_there_are_no_locks_nothing_is_shared(script: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(script, tmp_path, 9 * MIB)
    monkeypatch.setattr("hubclient.transfer.parts.try_lock", lambda path: locks.Hold("unsupported"))
    bring(script, tmp_path)
    assert asked(script)[0] == (0, 4 * MIB)
    assert (tmp_path / "target").read_bytes() == LARGE


def test_a_folder_of_transfers_that_cannot_be_is_no_failure(script: ScriptedServer, tmp_path: Path) -> None:
    (tmp_path / "transfers").write_text("in the way")
    mending(script)
    bring(script, tmp_path)
    assert (tmp_path / "target").read_bytes() == LARGE


def test_without_one_nothing_is_left(script: ScriptedServer, tmp_path: Path) -> None:
    breaking(script, 9 * MIB)
    with pytest.raises(SourceError):
        bring(script, tmp_path, kept=False)
    assert list(tmp_path.iterdir()) == []


def test_a_transfer_at_work_is_not_taken_for_a_forgotten_one(tmp_path: Path) -> None:
    part = open_part(tmp_path, Content("https://example.org/a", 10, '"e"', None), tmp_path / "target")
    assert isinstance(part, KeptPart)
    part.make(10)
    os.utime(part.path.parent, (0, 0))
    part.record(Span(0, 5), 7)
    assert part.path.parent.stat().st_mtime > 1e9
    part.discard()


def test_a_cache_that_vanishes_is_told(script: ScriptedServer, tmp_path: Path) -> None:
    def answer(request: Request) -> Reply:
        if request.method == "GET":
            shutil.rmtree(tmp_path / "transfers", ignore_errors=True)
        return file_reply(request, LARGE, ETAG)

    script.answer = answer
    with pytest.raises(StoreUnwritable, match="HUBCLIENT_CACHE"):
        bring(script, tmp_path)


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True)
    if mount.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_room_is_taken_at_the_start(script: ScriptedServer, tmp_path: Path) -> None:
    """What others write meanwhile does not end a transfer."""

    def answer(request: Request) -> Reply:
        if request.method == "GET":
            fill(tmp_path / "somebody else's")
        return file_reply(request, LARGE, ETAG)

    with small_disk(tmp_path, 24 * MIB):
        script.answer = answer
        bring(script, tmp_path)
        assert whole(tmp_path)


def test_a_disk_that_fills_up_while_fetching(script: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where room cannot be taken."""
    monkeypatch.setattr("hubclient.transfer.parts.allocate", lambda file, size: file.truncate(size))

    def answer(request: Request) -> Reply:
        if request.method == "GET" and range_of(request)[0]:
            fill(tmp_path / "somebody else's")
        return file_reply(request, LARGE, ETAG)

    with small_disk(tmp_path, 24 * MIB):
        script.answer = answer
        with pytest.raises(StoreFull, match="HUBCLIENT_CACHE") as raised:
            bring(script, tmp_path)
        assert f"{len(LARGE):,} bytes are needed" in str(raised.value)
        assert not (tmp_path / "target").exists()
        (tmp_path / "somebody else's").unlink()
        mending(script)
        bring(script, tmp_path)
        assert whole(tmp_path)


def test_room_that_was_taken_is_not_asked_for_again(script: ScriptedServer, tmp_path: Path) -> None:
    with small_disk(tmp_path, 24 * MIB):
        interrupted(script, tmp_path, 9 * MIB)
        fill(tmp_path / "somebody else's")
        bring(script, tmp_path)
        assert whole(tmp_path)


def fill(file: Path) -> None:
    with suppress(OSError), file.open("ab", buffering=0) as sink:
        while sink.write(bytes(MIB)):
            pass


def test_a_quota_that_is_used_up_while_fetching(script: ScriptedServer, tmp_path: Path) -> None:
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)

    def answer(request: Request) -> Reply:
        if request.method == "GET":
            resource.setrlimit(resource.RLIMIT_FSIZE, (10 * MIB, limit[1]))
        return file_reply(request, LARGE, ETAG)

    script.answer = answer
    try:
        with pytest.raises(StoreFull, match=os.strerror(errno.EFBIG)):
            bring(script, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    mending(script)
    bring(script, tmp_path)
    assert whole(tmp_path)


def test_a_second_failure_takes_nothing_away(script: ScriptedServer, tmp_path: Path) -> None:
    interrupted(script, tmp_path, 9 * MIB)
    breaking(script, 9 * MIB)
    with pytest.raises(SourceError):
        bring(script, tmp_path)
    mending(script)
    bring(script, tmp_path)
    assert asked(script)[0] == (9 * MIB, 13 * MIB)


@pytest.mark.parametrize("linked", [True, False])
def test_what_stays_is_not_fetched_again_until_it_is_forgotten(
    linked: bool, script: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not linked:
        monkeypatch.setattr(os, "link", lambda source, target: (_ for _ in ()).throw(OSError(errno.EPERM, "no links here")))
    mending(script)
    settings = Settings(cache_dir=tmp_path, s3_endpoint=script.endpoint)
    file = S3File(S3Location("b", "k.zip"), settings)
    for times in range(2):
        (tmp_path / "target").unlink(missing_ok=True)
        fetch(file, tmp_path / "target", parts=settings.transfers, stays=True)
        assert (tmp_path / "target").read_bytes() == LARGE
        assert bool(asked(script)) is (times == 0 or not linked)
        script.requests.clear()
    forget(settings.transfers, file.url)
    assert list(settings.transfers.iterdir()) == []
    forget(settings.transfers, file.url)


def test_of_what_stays_nothing_is_used_for_another_content(script: ScriptedServer, tmp_path: Path) -> None:
    mending(script)
    settings = Settings(cache_dir=tmp_path, s3_endpoint=script.endpoint)
    file = S3File(S3Location("b", "k.zip"), settings)
    fetch(file, tmp_path / "old", parts=settings.transfers, stays=True)
    newer = LARGE[::-1]
    script.answer = lambda request: file_reply(request, newer, etag_of(newer))
    fetch(file, tmp_path / "new", parts=settings.transfers, stays=True)
    assert (tmp_path / "new").read_bytes() == newer
    assert (tmp_path / "old").read_bytes() == LARGE


def test_what_somebody_works_on_is_not_forgotten(tmp_path: Path) -> None:
    content = Content("http://a/b", 10, '"e"', None)
    part = open_part(tmp_path, content, tmp_path / "target")
    part.make(10)
    forget(tmp_path, content.url)
    assert part.path.exists()
    part.discard()
