"""Offline, no command opens a socket; and for a model that is there, none is opened online either."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from hubclient import Hub
from hubclient.cli.app import app
from hubclient.errors import AmbiguousModel, Offline, UnknownModel
from hubclient.plan import UseStored
from hubclient.settings import Settings
from tests.cli.unplugged import unplugged
from tests.e2e.material import BUCKET, DATA, DEMO, DEMO_KEY, DEMO_ZIP, IMDB, PUBMED, PUBMED_FOLDER, ROOT, make_mirror
from tests.e2e.shell import Run, hub, python
from tests.servers.hub import FakeHub
from tests.servers.script import ScriptedServer

GOLDEN = DATA / f"{DEMO_ZIP.stem}.golden.jsonl"
# Every command, with the exit code that it has offline in a cache with three models. OUT: a folder of the test's; CARDS: the shipped ones;
# LABELLED: a file of labelled texts.
COMMANDS: dict[str, list[tuple[list[str], int]]] = {
    "pull": [
        ([DEMO], 0),
        ([DEMO, PUBMED, IMDB], 9),
        (["--lang", "fr", "--dry-run"], 9),
        ([f"{DEMO}@3.4.4"], 0),
        ([f"s3://{BUCKET}/{DEMO_KEY}"], 0),
        ([IMDB], 5),
        (["hf:owner/repo"], 5),
    ],
    "predict": [
        ([DEMO, "fine"], 0),
        ([DEMO, "--precision", "int8", "fine"], 0),
        ([DEMO, "--input", str(GOLDEN), "--column", "text", "--output", "OUT/answers.jsonl"], 0),
        ([IMDB, "fine"], 5),
    ],
    "evaluate": [([DEMO, "--input", "LABELLED"], 0), ([IMDB, "--input", "LABELLED"], 5)],
    "search": [(["sst2"], 0)],
    "info": [([DEMO], 0), ([IMDB], 0)],
    "explain": [([DEMO], 0), ([IMDB], 5), (["no_such_model"], 4)],
    "path": [([DEMO], 0), ([IMDB], 5)],
    "ls": [([], 0)],
    "rm": [([DEMO, "--dry-run"], 0)],
    "verify": [([DEMO], 0), (["--all", "--repair"], 0)],
    "prune": [(["--dry-run"], 0), (["--max-size", "1TB"], 0)],
    "bundle": [([DEMO, "-o", "OUT/bundle.tar"], 0), ([IMDB, "-o", "OUT/bundle.tar"], 5)],
    "import": [([str(DEMO_ZIP)], 0)],
    "mirror": [([DEMO, "--to", "OUT/mirror"], 0), ([IMDB, "--to", "OUT/mirror"], 5)],
    "export": [([DEMO, "OUT/exported"], 0)],
    "serve": [([IMDB, "--port", "0"], 5)],
    "notebook": [([DEMO, "-o", "OUT/demo.ipynb"], 0), ([IMDB, "-o", "OUT/imdb.ipynb"], 0)],
    "refresh": [([], 5)],
    "lint": [(["CARDS"], 1)],
    "inspect": [([DEMO], 0), ([IMDB], 5)],
    "check": [([DEMO], 0), ([IMDB], 3)],
    "lock": [([DEMO, "--lock", "OUT/hubclient.lock"], 0), ([IMDB, "--lock", "OUT/hubclient.lock"], 1)],
    "sync": [(["--lock", "OUT/hubclient.lock"], 2)],
    "outdated": [(["--lock", "OUT/hubclient.lock"], 2)],
    # The page itself is served over a socket.
    "ui": [(["--cards", "OUT/missing"], 2)],
    "site build": [(["OUT", "--force"], 2)],
    "env": [([], 0), (["--online"], 0)],
    "cards add": [(["OUT"], 0)],
    "cards remove": [(["OUT"], 2)],
    "cards list": [([], 0)],
    "cards new": [(["renamed", "--from-archive", str(DEMO_ZIP), "-o", "OUT"], 0), (["new", "--from-hf", "owner/repo", "-o", "OUT"], 5)],
}
CASES = [(command, arguments, code) for command, runs in COMMANDS.items() for arguments, code in runs]


@pytest.fixture
def guard(tmp_path: Path) -> dict[str, str]:
    return unplugged(tmp_path / "unplugged")


@pytest.fixture
def live(script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """All services are this server, which must not be asked."""
    monkeypatch.setenv("HUBCLIENT_S3_ENDPOINT", script.endpoint)
    monkeypatch.setenv("HF_ENDPOINT", script.endpoint)
    monkeypatch.setenv("HUBCLIENT_LIVE_INDEX", f"{script.endpoint}/metadata.json")
    return script


def names_of_commands() -> Iterator[str]:
    yield from (command.name or command.callback.__name__ for command in app.registered_commands if command.callback)
    for group in app.registered_groups:
        assert group.typer_instance is not None
        commands = group.typer_instance.registered_commands
        yield from (f"{group.name} {command.name or command.callback.__name__}" for command in commands if command.callback)


def _placed(argument: str, places: Mapping[str, Path]) -> str:
    for name, path in places.items():
        argument = argument.replace(name, str(path))
    return argument


def test_no_command_is_left_out() -> None:
    assert set(names_of_commands()) == COMMANDS.keys()


@pytest.mark.parametrize(
    "program", ["import socket; socket.socket()", "import ctypes; ctypes.CDLL(None).socket(2, 1, 0)"], ids=["python", "library"]
)
def test_the_guard_sees_sockets(program: str, guard: dict[str, str]) -> None:
    assert python(program, env=guard).code != 0
    assert python("print(1)", env=guard).code == 0


@pytest.mark.parametrize(
    ("command", "arguments", "code"), CASES, ids=[f"{command} {number}" for number, (command, _, _) in enumerate(CASES)]
)
def test_offline_no_socket_is_opened(
    command: str,
    arguments: list[str],
    code: int,
    stocked: Path,
    live: ScriptedServer,
    guard: dict[str, str],
    tmp_path: Path,
) -> None:
    labelled = tmp_path / "labelled.csv"
    labelled.write_text("text,label\nA warm film.,pos\nDull.,neg\n", encoding="utf-8")
    places = {"OUT": tmp_path, "CARDS": ROOT / "cards", "LABELLED": labelled}
    given = [_placed(part, places) for part in arguments]
    done = hub(*command.split(), *given, env={**guard, "HUBCLIENT_OFFLINE": "1", "HUBCLIENT_CACHE": str(stocked)})
    assert done.code == code, done.err
    assert live.requests == []
    if code == Offline.exit_code and command != "path":
        assert "offline was asked for" in done.err


@pytest.mark.parametrize("arguments", [["pull", DEMO], ["predict", DEMO, "fine"], ["pull", IMDB]], ids=" ".join)
@pytest.mark.parametrize("way", ["--offline", "HF_HUB_OFFLINE"])
def test_other_ways_to_say_so(way: str, arguments: list[str], stocked: Path, live: ScriptedServer, guard: dict[str, str]) -> None:
    option, env = ([way], {}) if way.startswith("-") else ([], {way: "1"})
    done = hub(*arguments, *option, env={**env, **guard, "HUBCLIENT_CACHE": str(stocked)})
    assert done.code == (5 if IMDB in arguments else 0), done.err
    assert live.requests == []


def test_what_is_missing_is_named(live: ScriptedServer) -> None:
    done = hub("pull", IMDB, "--offline")
    assert f"en/{IMDB}@3.3.2 is not in the cache" in done.err
    assert f"s3://{BUCKET}/public/models/{IMDB}" in done.err
    assert done.err.endswith(hub("explain", IMDB, env={"HUBCLIENT_OFFLINE": "1"}).err)
    assert "hf:owner/repo is not in the cache" in hub("pull", "hf:owner/repo", "--offline").err


def test_other_versions_that_are_there_are_named(live: ScriptedServer, shelf: Callable[..., Hub]) -> None:
    hub_with_old = shelf("4.0.0")
    hub_with_old.pull("kept@4.0.0")
    with pytest.raises(Offline) as caught:
        shelf("4.0.0", "4.1.0", mirrored=False).pull("kept")
    assert "en/kept@4.1.0 is not in the cache" in caught.value.what
    assert caught.value.why == "the cache has en/kept@4.0.0"


class TestOnline:
    """A model that is there."""

    @pytest.mark.parametrize(
        "reference", [DEMO, f"en/{DEMO}@3.4.4", PUBMED, f"s3://{BUCKET}/{DEMO_KEY}"], ids=["name", "version", "overlay", "address"]
    )
    @pytest.mark.parametrize("command", ["pull", "predict", "path", "info"])
    def test_is_opened_without_a_socket(
        self, command: str, reference: str, stocked: Path, live: ScriptedServer, guard: dict[str, str]
    ) -> None:
        text = ["fine"] if command == "predict" else []
        done = hub(command, reference, *text, env={**guard, "HUBCLIENT_CACHE": str(stocked)})
        assert done.code == 0, done.err
        assert live.requests == []

    @pytest.mark.parametrize("reference", ["hf:owner/pubmed", "hf:owner/pubmed@main"])
    def test_so_is_a_repository(self, reference: str, fakehub: FakeHub, guard: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_ENDPOINT", fakehub.endpoint)
        fakehub.add("owner/pubmed", PUBMED_FOLDER)
        assert hub("pull", reference).code == 0
        done = hub("pull", reference, env=guard)
        assert done.code == 0, done.err
        assert "cached: " in done.err

    def test_so_is_a_version_that_no_card_tells_of(self, live: ScriptedServer, guard: dict[str, str], shelf: Callable[..., Hub]) -> None:
        """It came from the live index, or from another machine; only what a name means today is asked for."""
        shelf("4.0.0").pull("kept")
        for reference in ("kept@4.0.0", "en/kept@4.0.0"):
            assert told(hub("pull", reference, "--json", env=guard))["cached"] is True
        assert live.requests == []
        assert told(hub("pull", "kept", "--json", env={"HUBCLIENT_OFFLINE": "1"}))["cached"] is True
        assert live.requests == []
        assert hub("pull", "kept@4.0").code == 0
        assert live.requests == []
        assert hub("explain", "kept@4.0.0").code == 0
        assert hub("pull", "kept@9").code == UnknownModel.exit_code
        assert len(live.requests) > 0


def told(done: Run) -> dict[str, object]:
    assert done.code == 0, done.err
    record: dict[str, object] = json.loads(done.out)
    return record


def test_a_name_without_a_card_is_still_ambiguous(live: ScriptedServer, shelf: Callable[..., Hub]) -> None:
    for language in ("fr", "de"):
        shelf("4.0.0", language=language).pull("kept")
    with pytest.raises(AmbiguousModel):
        Hub(offline=True, progress=False).pull("kept")
    plan = Hub(offline=True, progress=False).find("fr/kept").plan
    assert isinstance(plan, UseStored)
    assert "kept_fr_4.0.0" in plan.identity


@pytest.fixture
def shelf(tmp_path: Path) -> Callable[..., Hub]:
    """Makes hubs that know these versions of `kept`, and have the archives of them in a mirror."""

    def make(*versions: str, language: str = "en", mirrored: bool = True) -> Hub:
        cards = tmp_path / f"cards-{language}-{'-'.join(versions)}"
        cards.mkdir()
        shipped = (ROOT / "cards" / f"{DEMO}_en.md").read_text(encoding="utf-8")
        for version in versions:
            key = f"public/models/kept_{language}_{version}_3.0_1635774771318"
            text = shipped.replace(DEMO_KEY.removesuffix(".zip"), key).replace(f"name: {DEMO}", "name: kept")
            (cards / f"kept_{language}_{version}.md").write_text(text, encoding="utf-8")
            if mirrored:
                make_mirror(tmp_path / "mirror", {f"{key}.zip": DEMO_ZIP})
        environment = Settings.from_environment()
        mirrors = (tmp_path / "mirror",) if mirrored else ()
        settings = Settings(environment.cache_dir, card_folders=(cards,), mirrors=mirrors, offline=True, live_index=None)
        return Hub(settings=settings, progress=False)

    return make
