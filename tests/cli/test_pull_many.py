"""`hub pull` of several models: a plan, all that can be had at the same time, and what became of each."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from hubclient import Hub, bundled
from hubclient.errors import Offline, SomeFailed, StoreFull, UnknownModel, UsageError
from hubclient.pulling import Planned
from hubclient.settings import Limits, Settings
from tests.cli.unplugged import unplugged
from tests.e2e.material import BUCKET, DEMO, DEMO_KEY, DEMO_ZIP, PUBMED, PUBMED_FOLDER, PUBMED_ZIP, ROOT, TREC6_ZIP
from tests.e2e.shell import HUB, cache, holdings, hub, models
from tests.servers.hub import FakeHub
from tests.servers.script import Reply, Request, ScriptedServer, file_reply

CONTENT = DEMO_ZIP.read_bytes()
NAMES = ("one", "two", "three")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: ScriptedServer) -> ScriptedServer:
    """Three models that only this server has; they have one content."""
    cards = tmp_path / "cards"
    cards.mkdir()
    shipped = (bundled.CARDS / f"{DEMO}_en.md").read_text(encoding="utf-8")
    for name in NAMES:
        text = shipped.replace(DEMO_KEY.removesuffix(".zip"), key(name).removesuffix(".zip")).replace(f"name: {DEMO}", f"name: {name}")
        (cards / f"{name}_en.md").write_text(text.replace("Text Classification", "Rare Task"), encoding="utf-8")
    monkeypatch.setenv("HUBCLIENT_CARDS", str(cards))
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
    script.answer = lambda request: file_reply(request, CONTENT, '"v1"')
    return script


def key(name: str) -> str:
    return f"public/models/{name}_en_3.4.4_3.0_1635774771318.zip"


def all_of(terminal: int) -> bytes:
    """What is shown until the last program that holds the terminal ends."""
    shown = b""
    try:
        while chunk := os.read(terminal, 1 << 16):
            shown += chunk
    except OSError:  # how Linux says that nobody holds the other end any more
        pass
    return shown


def bodies(script: ScriptedServer) -> list[str]:
    """What was fetched, and not only asked for."""
    return [request.path.rpartition("/")[2].partition("_")[0] for request in script.asked("GET")]


class TestSeveral:
    def test_their_folders_in_the_order_that_was_asked_for(self, shop: Path) -> None:
        done = hub("pull", PUBMED, DEMO, str(TREC6_ZIP))
        assert done.code == 0, done.err
        assert done.lines == [hub("path", reference).out.strip() for reference in (PUBMED, DEMO, str(TREC6_ZIP))]
        assert "3 models: 0 to fetch (0 B), 2 cached, 1 on this machine; " in done.err

    def test_one_that_fails_does_not_stop_the_others(self, shelf: ScriptedServer) -> None:
        shelf.answer = lambda request: Reply(404) if "two" in request.path else file_reply(request, CONTENT, '"v1"')
        done = hub("pull", "one", "two", "no_such_model", "fr/", "three")
        assert done.code == SomeFailed.exit_code
        assert done.lines == [str(models()[0])] * 2
        assert "error: no_such_model: no card has the name 'no_such_model'" in done.err
        assert "error: two: there is no such object" in done.err
        assert done.err.endswith("error: 3 of 5 models failed\n")

    def test_as_json(self, shelf: ScriptedServer) -> None:
        done = hub("pull", "one", "no_such_model", "--json")
        assert done.code == SomeFailed.exit_code
        first, second = map(json.loads, done.lines)
        assert (first["reference"], first["cached"], first["error"], first["labels"]) == ("one", False, None, ["neg", "pos"])
        assert Path(first["path"]).is_dir()
        assert (second["reference"], second["path"]) == ("no_such_model", None)
        assert second["error"].startswith("no card has the name")

    def test_what_is_named_twice_is_fetched_once(self, shelf: ScriptedServer) -> None:
        done = hub("pull", "one", "one", "en/one@3.4.4", f"s3://{BUCKET}/{key('one')}")
        assert done.lines == [str(models()[0])] * 4
        assert bodies(shelf) == ["one"]
        assert "to fetch (4.9 MB)" in done.err

    def test_options_hold_for_all(self, shelf: ScriptedServer) -> None:
        assert hub("pull", "one", "two", "--lang", "en").code == 0
        done = hub("pull", "one", "two", "--lang", "fr")
        assert (done.code, done.out) == (SomeFailed.exit_code, "")

    def test_cached_ones_need_no_socket(self, shop: Path, tmp_path: Path) -> None:
        env = {**unplugged(tmp_path / "unplugged"), "HUBCLIENT_OFFLINE": ""}
        done = hub("pull", DEMO, PUBMED, env=env)
        assert done.code == 0, done.err
        assert len(done.lines) == 2

    def test_python(self, shelf: ScriptedServer) -> None:
        hub_ = Hub(progress=False)
        told: list[str] = []
        results = hub_.pull_all(["one", "no_such_model", "two"], done=lambda pulled: told.append(pulled.reference))
        assert [result.reference for result in results] == ["one", "no_such_model", "two"]
        assert set(told) == {"one", "no_such_model", "two"}
        assert results[0].path == results[2].path == models()[0]
        assert isinstance(results[1].error, UnknownModel)
        with pytest.raises(UnknownModel):
            _ = results[1].path
        assert [result.cached for result in hub_.pull_all(["one", "two"])] == [True, True]
        assert hub_.pull_all([]) == []


class TestFile:
    LIST = f"# models for the demo\n\n{DEMO}  # the embedded one\n  {TREC6_ZIP}\n\t# nothing\n"

    def test_references_a_line(self, tmp_path: Path) -> None:
        (tmp_path / "list").write_text(self.LIST, encoding="utf-8")
        done = hub("pull", "--from", tmp_path / "list")
        assert done.code == 0, done.err
        assert len(done.lines) == 2

    def test_on_stdin_and_besides_others(self) -> None:
        done = hub("pull", DEMO, "--from", "-", text="\ufeff" + str(TREC6_ZIP) + "\r\n")
        assert done.code == 0, done.err
        assert len(done.lines) == 2

    def test_a_single_line_is_a_list_too(self, tmp_path: Path) -> None:
        done = hub("pull", "--from", "-", "--local-dir", tmp_path / "d", text=f"{DEMO}\n")
        assert done.lines == [str(tmp_path / "d" / DEMO)]

    def test_a_number_sign_within_a_reference_is_its_own(self) -> None:
        done = hub("pull", "--from", "-", text="./a#b.zip\n./c.zip #d\n")
        assert "./a#b.zip: " in done.err
        assert "./c.zip: " in done.err

    @pytest.mark.parametrize("content", [b"", b"# nothing\n"])
    def test_an_empty_list(self, content: bytes, tmp_path: Path) -> None:
        (tmp_path / "list").write_bytes(content)
        done = hub("pull", "--from", tmp_path / "list")
        assert (done.code, done.out) == (0, "")
        assert "0 models" in done.err

    def test_a_list_that_cannot_be_read(self, tmp_path: Path) -> None:
        (tmp_path / "list").write_bytes(b"\xff\xfe")
        for name in ("list", "missing", "."):
            assert hub("pull", "--from", tmp_path / name).code == UsageError.exit_code


class TestKind:
    def test_all_models_of_a_task(self, shelf: ScriptedServer) -> None:
        done = hub("pull", "--task", "rare-task")
        assert done.code == 0, done.err
        assert sorted(bodies(shelf)) == sorted(NAMES)
        assert len(done.lines) == 3

    def test_a_dry_run_fetches_nothing(self, shelf: ScriptedServer) -> None:
        done = hub("pull", "--task", "rare-task", "--lang", "en", "--dry-run", "--json")
        assert done.code == 0, done.err
        assert bodies(shelf) == []
        assert sorted(json.loads(line)["reference"] for line in done.lines) == sorted(f"en/{name}@3.4.4" for name in NAMES)
        assert f"3 models: 3 to fetch ({3 * len(CONTENT) / 1e6:.1f} MB); " in done.err
        assert not models()

    def test_other_facts(self, shelf: ScriptedServer) -> None:
        for options in (["--annotator", "BertForSequenceClassification"], ["--label", "pos"], ["--max-size", "5MB"]):
            done = hub("pull", "--task", "rare-task", "--dry-run", *options)
            assert len(done.lines) == 3, done.err
        assert hub("pull", "--task", "rare-task", "--lang", "fr", "--dry-run").code == UnknownModel.exit_code
        assert hub("pull", "--origin", "nobody/nothing", "--dry-run").code == UnknownModel.exit_code

    def test_those_that_cannot_be_opened_are_left_out(self, shelf: ScriptedServer) -> None:
        done = hub("pull", "--lang", "gl", "--dry-run")
        assert "models cannot be opened, and are left out" in done.err

    @pytest.mark.parametrize("arguments", [[], ["one", "--task", "rare-task"], ["--from", "x", "--label", "pos"], ["--jobs", "2"]])
    def test_what_is_no_selection(self, arguments: list[str]) -> None:
        assert hub("pull", *arguments).code == 2

    @pytest.mark.parametrize(("answer", "code", "fetched"), [(b"n\n", 1, 0), (b"y\n", 0, 3)])
    def test_a_person_is_asked(self, answer: bytes, code: int, fetched: int, shelf: ScriptedServer) -> None:
        ours, theirs = pty.openpty()
        with subprocess.Popen([HUB, "pull", "--task", "rare-task"], stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs) as process:
            os.close(theirs)
            os.write(ours, answer)
            shown = all_of(ours)
        os.close(ours)
        assert process.returncode == code, shown.decode()
        assert b"Pull them?" in shown
        assert len(bodies(shelf)) == fetched


class TestPlan:
    def planned(self, *references: str, **settings: object) -> list[Planned]:
        hub_ = Hub(settings=Settings.from_environment() if not settings else Settings(cache(), **settings), progress=False)  # type: ignore[arg-type]
        return list(hub_.plan_pulls(references).models)

    def test_where_from_and_how_large(self, shelf: ScriptedServer, stocked: Path, tmp_path: Path) -> None:
        hub("pull", "one")
        found = self.planned("one", "two", DEMO, str(TREC6_ZIP), "no_such_model", "./missing.zip", "bert_base_cased_qa_squad2")
        assert [(planned.state, planned.size, planned.exact) for planned in found] == [
            ("cached", 0, True),
            ("fetch", len(CONTENT), True),
            ("fetch", len(CONTENT), True),
            ("local", 0, True),
            ("failed", None, False),
            ("failed", None, False),
            ("failed", None, False),
        ]
        assert found[1].source == f"s3://{BUCKET}/{key('two')}"
        assert "mirror" in (found[2].source or "")

    def test_a_repository(self, fakehub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_ENDPOINT", fakehub.endpoint)
        fakehub.add("owner/pubmed", PUBMED_FOLDER)
        (planned,) = self.planned("hf:owner/pubmed")
        (pulled,) = Hub(progress=False).pull_all(["hf:owner/pubmed"])
        assert pulled.model is not None
        assert (planned.size, planned.exact) == (pulled.model.manifest.origin.size, True)
        fakehub.add("owner/notes", {"README.md": b"nothing"})
        assert [planned.state for planned in self.planned("hf:owner/missing", "hf:owner/notes")] == ["failed", "failed"]

    def test_where_the_source_is_in_trouble_the_card_tells(self, shelf: ScriptedServer) -> None:
        shelf.answer = lambda request: Reply(503)
        planned, unknown = self.planned("one", f"s3://{BUCKET}/own.zip")
        assert (planned.state, planned.size, planned.exact) == ("fetch", int(4.7 * (1 << 20)), False)
        assert (unknown.state, unknown.size) == ("fetch", None)
        done = hub("pull", "one", f"s3://{BUCKET}/own.zip", "--dry-run")
        assert "\tabout 4.9 MB\t" in done.lines[0]
        assert "\t?\t" in done.lines[1]
        assert "2 to fetch (4.9 MB and 1 of unknown size)" in done.err

    def test_what_is_gone_is_looked_for_at_its_origin(
        self, shelf: ScriptedServer, fakehub: FakeHub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shelf.answer = lambda request: Reply(404)
        monkeypatch.setenv("HF_ENDPOINT", fakehub.endpoint)
        fakehub.add("owaiskha9654/Multi-Label-Classification-of-PubMed-Articles", PUBMED_FOLDER)
        gone, moved = self.planned("one", PUBMED)
        assert gone.state == "failed"
        assert (moved.state, moved.exact) == ("fetch", True)
        assert "hf:owaiskha9654" in (moved.source or "")

    def test_offline(self, shelf: ScriptedServer) -> None:
        found = self.planned("one", DEMO, offline=True, card_folders=(Path(os.environ["HUBCLIENT_CARDS"]),))
        assert [planned.state for planned in found] == ["failed", "fetch"]
        assert isinstance(found[0].error, Offline)
        assert shelf.requests == []

    def test_no_room_for_all_of_them(self, shelf: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("hubclient.sources.disk.room_at", lambda place: 2 * len(CONTENT))
        with pytest.raises(StoreFull):
            Hub(progress=False).pull_all(NAMES)
        assert bodies(shelf) == []
        assert not models()

    def test_a_dry_run_says_what_fails(self, shelf: ScriptedServer) -> None:
        done = hub("pull", "one", "no_such_model", "--dry-run")
        assert done.code == SomeFailed.exit_code
        assert [line.split("\t")[:2] for line in done.lines] == [["one", "fetch"], ["no_such_model", "failed"]]
        assert hub("pull", "no_such_model", "--dry-run").code == UnknownModel.exit_code
        assert hub("pull", "one", "--dry-run").code == 0


class Meeting:
    """Answers the bodies of archives only when so many are asked for at the same time, and counts how many ever were."""

    def __init__(self, script: ScriptedServer, wanted: int) -> None:
        self.most = 0
        self._now, self._wanted, self._met = 0, wanted, threading.Event()
        self._lock = threading.Lock()
        script.answer = self._answer

    def _answer(self, request: Request) -> Reply:
        if request.method == "HEAD":
            return file_reply(request, CONTENT, '"v1"')
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            if self._now >= self._wanted:
                self._met.set()
        self._met.wait(20)
        with self._lock:
            self._now -= 1
        return file_reply(request, CONTENT, '"v1"')


class TestTogether:
    def test_small_ones_are_fetched_at_the_same_time(self, shelf: ScriptedServer) -> None:
        meeting = Meeting(shelf, 3)
        start = time.monotonic()
        assert hub("pull", *NAMES).code == 0
        assert meeting.most == 3
        assert time.monotonic() - start < 20

    def test_as_many_as_connections_are_allowed(self, shelf: ScriptedServer) -> None:
        meeting = Meeting(shelf, 1)
        assert hub("pull", *NAMES, "--jobs", "1").code == 0
        assert meeting.most == 1

    def test_one_is_converted_while_the_next_is_fetched(self, shelf: ScriptedServer) -> None:
        """The second transfer ends only when the first model is there."""
        first_is_there = threading.Event()

        def answer(request: Request) -> Reply:
            if "two" in request.path and request.method == "GET":
                assert first_is_there.wait(30)
            return file_reply(request, CONTENT, '"v1"')

        shelf.answer = answer
        results = Hub(limits=Limits(jobs=1), progress=False).pull_all(["one", "two"], done=lambda pulled: first_is_there.set())
        assert [result.error for result in results] == [None, None]

    def test_the_rate_is_that_of_all_of_them(self, shelf: ScriptedServer) -> None:
        start = time.monotonic()
        assert hub("pull", *NAMES, "--limit-rate", "5M").code == 0
        assert time.monotonic() - start > 3 * len(CONTENT) / 5e6 - 1

    @pytest.mark.parametrize("options", [["--jobs", "0"], ["--jobs", "x"], ["--limit-rate", "fast"], ["--limit-rate", "0"]])
    def test_limits_that_are_none(self, options: list[str]) -> None:
        assert hub("pull", DEMO, *options).code == 2

    def test_interrupted_by_a_person(self, shelf: ScriptedServer) -> None:
        asked, opened = threading.Event(), threading.Event()

        def answer(request: Request) -> Reply:
            if request.method == "GET":
                asked.set()
                assert opened.wait(60)
            return file_reply(request, CONTENT, '"v1"')

        shelf.answer = answer
        with subprocess.Popen([HUB, "pull", *NAMES], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert asked.wait(60)
            process.send_signal(signal.SIGINT)
            try:
                out, err = process.communicate(timeout=30)
            finally:
                opened.set()
                process.kill()
        assert process.returncode == 130, err
        assert out == ""
        assert "Traceback" not in err
        assert not holdings()


class TestLocalFolders:
    def test_of_one_model_the_folder_itself(self, tmp_path: Path) -> None:
        done = hub("pull", DEMO, "--local-dir", tmp_path / "model")
        assert done.lines == [str(tmp_path / "model")]
        stored = Hub(progress=False).pull(DEMO)
        assert {path.name for path in (tmp_path / "model").iterdir()} == {path.name for path in stored.iterdir()}
        for path in stored.iterdir():
            copy = tmp_path / "model" / path.name
            assert copy.read_bytes() == path.read_bytes()
            assert not os.path.samefile(copy, path)
            assert not copy.is_symlink()
        assert hub("predict", tmp_path / "model", "I really liked that movie!").out.startswith("pos\t")

    def test_of_several_one_each(self, shelf: ScriptedServer, tmp_path: Path) -> None:
        done = hub("pull", *NAMES, "no_such_model", "--local-dir", tmp_path / "d", "--json")
        paths = [json.loads(line)["path"] for line in done.lines]
        assert paths == [*(str(tmp_path / "d" / name) for name in NAMES), None]
        for name in NAMES:
            manifest = json.loads((tmp_path / "d" / name / "manifest.json").read_bytes())
            assert (manifest["name"], manifest["origin"]["url"].rpartition("/")[2]) == (name, key(name).rpartition("/")[2])

    def test_of_two_with_one_name(self, tmp_path: Path) -> None:
        newer = ROOT / "tests/data/bert_tiny_sequence_classifier_sst2_en_5.5.3_3.4_1738774771318.zip"
        done = hub("pull", DEMO, str(newer), str(PUBMED_ZIP), "--local-dir", tmp_path)
        assert [Path(line).name for line in done.lines] == [f"{DEMO}_en_3.4.4", f"{DEMO}_en_5.5.3", PUBMED]

    def test_again_it_is_left_and_another_one_takes_its_place(self, tmp_path: Path) -> None:
        hub("pull", DEMO, "--local-dir", tmp_path / "model")
        before = (tmp_path / "model" / "config.json").stat().st_mtime_ns
        hub("pull", DEMO, "--local-dir", tmp_path / "model")
        assert (tmp_path / "model" / "config.json").stat().st_mtime_ns == before
        assert hub("pull", str(TREC6_ZIP), "--local-dir", tmp_path / "model").code == 0
        assert json.loads((tmp_path / "model" / "manifest.json").read_bytes())["name"] == "bert_tiny_cased_sequence_classifier_trec6"
        assert [path.name for path in tmp_path.iterdir()] == ["model"]

    def test_what_else_is_there_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "notes").write_text("mine")
        done = hub("pull", DEMO, "--local-dir", tmp_path)
        assert done.code == UsageError.exit_code
        assert "not empty" in done.err
        hub("pull", DEMO, "--local-dir", tmp_path / "model")
        (tmp_path / "model" / "mine").mkdir()
        assert hub("pull", str(TREC6_ZIP), "--local-dir", tmp_path / "model").code == UsageError.exit_code
        assert (tmp_path / "notes").read_text() == "mine"

    def test_a_damaged_model_is_not_copied(self, tmp_path: Path) -> None:
        weights = Hub(progress=False).pull(DEMO) / "model.safetensors"
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
        done = hub("pull", DEMO, "--local-dir", tmp_path / "model")
        assert done.code == 8
        assert "a stored model is damaged" in done.err
        assert list(tmp_path.iterdir()) == []


def test_the_archive_is_kept_when_that_is_wanted(shelf: ScriptedServer) -> None:
    assert hub("pull", "one").code == 0
    assert not list((cache() / "archives").glob("*"))
    assert hub("pull", "one", "two", "--keep-archive").code == 0
    assert sorted(bodies(shelf)) == ["one", "one", "two"]
    (kept,) = (cache() / "archives").iterdir()
    assert kept.read_bytes() == CONTENT
    assert hub("pull", "one", "--keep-archive").code == 0
    assert len(bodies(shelf)) == 3


def test_a_person_sees_the_plan_and_one_display(shelf: ScriptedServer) -> None:
    ours, theirs = pty.openpty()
    command: list[str | Path] = [HUB, "pull", *NAMES, "--limit-rate", "5M"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, stdin=subprocess.DEVNULL) as process:
        os.close(theirs)
        shown = all_of(ours).decode()
    os.close(ours)
    assert process.returncode == 0, shown
    assert "from" in shown
    assert f"s3://{BUCKET}" in shown
    assert "pulling 3 models" in shown
    assert shown.count("pulled: ") == 3
