"""A file that is kept: how often its source is asked, what is believed of what lies in the folder, and what becomes of failures."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hubclient.errors import CorruptTransfer, NotFound, Offline, ServerFailure, SourceError, Unreachable
from hubclient.settings import Settings
from hubclient.sources.location import WebLocation
from hubclient.sources.web import WebFile
from hubclient.transfer.kept import ABOUT, Copy, KeptFile
from tests.servers.ports import free_port
from tests.servers.script import Reply, Request, ScriptedServer, file_reply

HOUR = timedelta(hours=1)
START = datetime(2024, 2, 29, 12, tzinfo=UTC)
OLD, NEW = b"old content\n" * 100, b"new content\n" * 90


def etag_of(content: bytes) -> str:
    return f'"{hashlib.sha1(content).hexdigest()}"'


def serve(script: ScriptedServer, content: bytes) -> None:
    script.answer = lambda request: file_reply(request, content, etag_of(content))


def remark(path: Path) -> Mapping[str, Any]:
    return {"first": path.read_bytes()[:3].decode()}


@dataclass
class Desk:
    """A folder, a clock that a test sets, and files kept there."""

    script: ScriptedServer
    folder: Path
    time: datetime = START
    waits: list[float] = field(default_factory=list)

    def kept(self, *, offline: bool = False, endpoint: str | None = None, review: Callable[[Path], Mapping[str, Any]] = remark) -> KeptFile:
        settings = Settings(cache_dir=Path("unused"), offline=offline)
        remote = WebFile(WebLocation(f"{endpoint or self.script.endpoint}/f.json"), settings)
        return KeptFile(remote, self.folder, review, clock=lambda: self.time, sleep=self.waits.append)

    def current(self) -> Copy:
        return self.kept().current(HOUR)

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def about(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads((self.folder / ABOUT).read_bytes())
        return said


@pytest.fixture
def desk(script: ScriptedServer, tmp_path: Path) -> Desk:
    serve(script, OLD)
    return Desk(script, tmp_path / "live" / "k")


def methods(script: ScriptedServer) -> list[str]:
    return [request.method for request in script.requests]


def test_the_first_copy(desk: Desk, script: ScriptedServer) -> None:
    copy = desk.current()
    assert copy.path.read_bytes() == OLD
    assert copy == Copy(
        copy.path, f"{script.endpoint}/f.json", len(OLD), hashlib.sha256(OLD).hexdigest(), etag_of(OLD), START, START, {"first": "old"}
    )
    assert methods(script) == ["HEAD", "GET"]
    assert desk.files() == [ABOUT, copy.path.name]
    assert desk.kept().copy() == copy


def test_within_the_hour_nobody_is_asked(desk: Desk, script: ScriptedServer) -> None:
    first = desk.current()
    script.requests.clear()
    kept = desk.kept()
    for desk.time in (START, START + timedelta(minutes=30), START + HOUR - timedelta(seconds=1)):
        assert kept.current(HOUR) == desk.current() == first
    assert script.requests == []


def test_after_the_hour_one_conditional_question_is_asked(desk: Desk, script: ScriptedServer) -> None:
    first = desk.current()
    script.requests.clear()
    desk.time = START + HOUR
    for _ in range(3):
        copy = desk.current()
    assert [(request.method, request.headers["If-None-Match"]) for request in script.requests] == [("HEAD", etag_of(OLD))]
    assert (copy.path, copy.fetched_at, copy.revalidated_at) == (first.path, START, START + HOUR)


def test_a_changed_file_is_fetched(desk: Desk, script: ScriptedServer) -> None:
    first = desk.current()
    script.requests.clear()
    serve(script, NEW)
    desk.time = START + HOUR
    copy = desk.current()
    assert methods(script) == ["HEAD", "GET"]
    assert (copy.path.read_bytes(), copy.fetched_at, copy.remarks) == (NEW, START + HOUR, {"first": "new"})
    assert first.path.read_bytes() == OLD  # for who is about to read it
    assert desk.kept().copy() == copy


def test_it_is_revalidated_when_that_is_asked_for(desk: Desk, script: ScriptedServer) -> None:
    desk.current()
    script.requests.clear()
    assert desk.kept().revalidated().fetched_at == START
    serve(script, NEW)
    assert desk.kept().revalidated().path.read_bytes() == NEW
    assert methods(script) == ["HEAD", "HEAD", "GET"]


def test_a_clock_that_was_set_back(desk: Desk, script: ScriptedServer) -> None:
    desk.current()
    script.requests.clear()
    desk.time = START - timedelta(seconds=1)
    desk.current()
    desk.current()
    assert methods(script) == ["HEAD"]


def test_a_server_without_etags_is_fetched_from_again(desk: Desk, script: ScriptedServer) -> None:
    script.answer = lambda request: Reply(200, OLD)
    first = desk.current()
    desk.time = START + HOUR
    copy = desk.current()
    assert (copy.path, copy.fetched_at, first.etag) == (first.path, START + HOUR, None)
    assert methods(script) == ["HEAD", "GET"] * 2


def test_offline_the_copy_is_good_however_old(desk: Desk, script: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Offline):
        desk.kept(offline=True).current(HOUR)
    copy = desk.current()
    script.requests.clear()
    desk.time = START + timedelta(days=400)
    assert desk.kept(offline=True).current(HOUR) == copy
    assert caplog.records == []
    with pytest.raises(Offline):
        desk.kept(offline=True).revalidated()
    assert script.requests == []


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_a_source_in_trouble_leaves_the_copy_in_use(
    desk: Desk, script: ScriptedServer, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    copy = desk.current()
    script.requests.clear()
    script.answer = lambda request: Reply(status)
    desk.time = START + HOUR
    kept = desk.kept()
    with caplog.at_level(logging.WARNING, "hubclient"):
        assert kept.current(HOUR) == copy
        assert kept.current(HOUR) == copy
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "2024-02-29 12:00 UTC" in caplog.text
    assert (len(script.asked("HEAD")), desk.waits) == (1, [])
    with pytest.raises(SourceError, match=str(status)):
        kept.revalidated()
    assert desk.kept().copy() == copy


def test_after_trouble_it_is_asked_again_in_an_hour(desk: Desk, script: ScriptedServer) -> None:
    desk.current()
    script.answer = lambda request: Reply(500)
    desk.time = START + HOUR
    kept = desk.kept()
    kept.current(HOUR)
    serve(script, NEW)
    desk.time += HOUR
    assert kept.current(HOUR).path.read_bytes() == NEW


def test_without_a_copy_trouble_is_an_error(desk: Desk, script: ScriptedServer) -> None:
    script.answer = lambda request: Reply(503)
    with pytest.raises(ServerFailure):
        desk.current()
    assert len(desk.waits) == 4
    script.answer = lambda request: Reply(404)
    with pytest.raises(NotFound):
        desk.current()
    with pytest.raises(Unreachable):
        desk.kept(endpoint=f"http://127.0.0.1:{free_port()}").current(HOUR)


def test_a_transfer_that_fails_leaves_the_copy_as_it_was(desk: Desk, script: ScriptedServer) -> None:
    copy = desk.current()
    desk.time = START + HOUR
    script.answer = lambda request: file_reply(request, NEW, etag_of(NEW), cut=3)
    assert desk.current() == copy
    assert desk.files() == [ABOUT, copy.path.name]


def test_what_the_review_refuses_is_not_kept(desk: Desk, script: ScriptedServer) -> None:
    def refuse(path: Path) -> Mapping[str, Any]:
        raise CorruptTransfer("a page of another kind", where=str(path))

    with pytest.raises(CorruptTransfer):
        desk.kept(review=refuse).current(HOUR)
    copy = desk.current()
    serve(script, NEW)
    desk.time = START + HOUR
    assert desk.kept(review=refuse).current(HOUR) == copy
    assert desk.files() == [ABOUT, copy.path.name]


def shorten(desk: Desk) -> None:
    path = desk.folder / desk.about()["path"]
    path.write_bytes(path.read_bytes()[:-1])


def remove(desk: Desk) -> None:
    (desk.folder / desk.about()["path"]).unlink()


def name_another(desk: Desk) -> None:
    (desk.folder.parent / "other").write_bytes(OLD)
    edit(path="../other")(desk)


def edit(**changed: object) -> Callable[[Desk], object]:
    return lambda desk: (desk.folder / ABOUT).write_text(json.dumps({**desk.about(), **changed}), encoding="utf-8")


def overwrite(content: bytes) -> Callable[[Desk], object]:
    return lambda desk: (desk.folder / ABOUT).write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        shorten,
        remove,
        overwrite(b""),
        overwrite(b"[]"),
        overwrite(b"{}"),
        overwrite(b"\xff{"),
        overwrite(b"[" * 100_000),
        edit(size=1),
        name_another,
        edit(path=ABOUT),
        edit(path=7),
        edit(url="http://elsewhere/f.json"),
        edit(etag=7),
        edit(remarks=[]),
        edit(fetched_at="then"),
        edit(revalidated_at="2024-02-29T12:00:00"),
        edit(surplus=1),
    ],
)
def test_what_is_damaged_is_fetched_again(desk: Desk, script: ScriptedServer, damage: Callable[[Desk], object]) -> None:
    first = desk.current()
    damage(desk)
    script.requests.clear()
    assert desk.kept().copy() is None
    assert desk.current() == first
    assert first.path.read_bytes() == OLD
    assert methods(script) == ["HEAD", "GET"]
    assert "If-None-Match" not in script.requests[0].headers


def test_another_address_is_another_file(desk: Desk) -> None:
    desk.current()
    assert desk.kept(endpoint="http://127.0.0.1:1").copy() is None


def test_a_folder_that_cannot_be_made_is_done_without(desk: Desk, script: ScriptedServer) -> None:
    desk.folder.parent.write_text("a file where the folder would be")
    kept = desk.kept()
    copy = kept.current(HOUR)
    assert copy.path.read_bytes() == OLD
    assert kept.current(HOUR) == copy
    assert methods(script) == ["HEAD", "GET"]
    for _ in range(2):
        desk.time += HOUR
        kept.current(HOUR)
        kept.current(HOUR)
    assert methods(script) == ["HEAD", "GET", "HEAD", "HEAD"]
    copy.path.unlink()
    folder = kept.current(HOUR).path.parent
    del kept
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_any_more(desk: Desk, script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk.current()
    replace = os.replace

    def refuse(source: Path, target: Path) -> None:
        if Path(target).parent == desk.folder:
            raise PermissionError(13, "Permission denied", str(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    kept = desk.kept()
    desk.time = START + HOUR
    script.requests.clear()
    assert kept.current(HOUR).path == kept.current(HOUR).path == first.path
    assert methods(script) == ["HEAD"]
    serve(script, NEW)
    desk.time += HOUR
    assert kept.current(HOUR).path.read_bytes() == NEW
    assert desk.kept().copy() == first
    monkeypatch.undo()
    assert desk.files() == [ABOUT, first.path.name]
    serve(script, OLD + NEW)
    kept.revalidated()
    assert [(one.copy() or first).path.read_bytes() for one in (kept, desk.kept())] == [OLD + NEW] * 2


def test_what_a_killed_process_left_is_removed_after_a_day(desk: Desk, script: ScriptedServer) -> None:
    desk.folder.mkdir(parents=True)
    for name, hours in (("dead.part", 25), (f"content-{'0' * 64}", 25), ("busy.part", 1)):
        (desk.folder / name).write_bytes(b"")
        os.utime(desk.folder / name, (time.time() - hours * 3600,) * 2)
    first = desk.current()
    assert desk.files() == sorted([ABOUT, "busy.part", first.path.name])
    os.utime(first.path, (0, 0))
    serve(script, NEW)
    second = desk.kept().revalidated()
    assert desk.files() == sorted([ABOUT, "busy.part", first.path.name, second.path.name])
    serve(script, OLD + NEW)
    third = desk.kept().revalidated()
    assert desk.files() == sorted([ABOUT, "busy.part", second.path.name, third.path.name])


PROCESS = """
import sys
from datetime import timedelta
from pathlib import Path
from hubclient.settings import Settings
from hubclient.sources.location import WebLocation
from hubclient.sources.web import WebFile
from hubclient.transfer.kept import KeptFile

kept = KeptFile(WebFile(WebLocation(sys.argv[1]), Settings(cache_dir=Path("unused"))), Path(sys.argv[2]), lambda path: {})
for _ in range(20):
    copy = kept.revalidated()
    content = copy.path.read_bytes()
    assert len(content) == copy.size and len(set(content)) == 1, copy
    assert copy.etag == f'"{content[0]}"', copy
"""


def test_processes_that_write_at_once_mix_nothing_up(desk: Desk, script: ScriptedServer) -> None:
    counter = iter(range(1_000_000))

    def changing(request: Request) -> Reply:
        """Contents of one size, told apart by their ETags alone."""
        wanted = request.headers.get("If-Match")
        letter = int(wanted.strip('"')) if wanted else 65 + next(counter) % 26
        return file_reply(request, bytes([letter]) * 5000, f'"{letter}"')

    script.answer = changing
    command = [sys.executable, "-c", PROCESS, f"{script.endpoint}/f.json", str(desk.folder)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    for process in processes:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said.decode()
    copy = desk.kept().copy()
    assert copy is not None
    assert copy.etag == f'"{copy.path.read_bytes()[0]}"'
    assert not [name for name in desk.files() if name.endswith(".part")]
