"""hub lock and hub outdated"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hubclient.lockfile import read_lock
from tests.e2e.material import BUCKET, DEMO, PUBMED, PUBMED_KEY, PUBMED_ZIP
from tests.e2e.shell import hub
from tests.servers.seaweed import Seaweed


@pytest.fixture
def env(seaweed: Seaweed) -> dict[str, str]:
    seaweed.put(BUCKET, PUBMED_KEY, PUBMED_ZIP)
    return {"HUBCLIENT_S3_ENDPOINT": seaweed.endpoint}


def test_models_are_pinned_in_the_folder_here(env: dict[str, str], tmp_path: Path) -> None:
    run = hub("lock", DEMO, PUBMED, env=env, cwd=tmp_path)
    assert (run.code, run.lines) == (0, [f"added\ten/{PUBMED}@4.1.0", f"added\ten/{DEMO}@3.4.4"])
    assert run.err.endswith("hubclient.lock: 2 models, 2 changed\n")
    lock = read_lock(tmp_path / "hubclient.lock")
    assert all(pin.sha256 and pin.canaries for pin in lock.pins)
    before = (tmp_path / "hubclient.lock").read_bytes()
    again = hub("lock", DEMO, env=env, cwd=tmp_path)
    assert (again.code, again.out) == (0, "")
    assert (tmp_path / "hubclient.lock").read_bytes() == before
    assert hub("check", "hubclient.lock", env=env, cwd=tmp_path).code == 0
    assert hub("outdated", env=env, cwd=tmp_path).code == 0


def test_what_code_loads_is_pinned_and_nothing_else(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    code = tmp_path / "src" / "app.py"
    code.write_text(f"from hubclient import pretrained\npretrained('{DEMO}', 'en')\npretrained(name)\npretrained('{PUBMED}')\n")
    file = tmp_path / "models.lock"
    run = hub("lock", "--scan", "src", "--level", "size", "--lock", file, env=env, cwd=tmp_path)
    assert run.code == 0
    assert "src/app.py:3" in run.err
    assert [pin.name for pin in read_lock(file).pins] == [PUBMED, DEMO]
    code.write_text(f"from hubclient import pretrained\npretrained('{DEMO}', 'en')\n")
    run = hub("lock", "--scan", "src", "--level", "size", "--json", env={**env, "HUBCLIENT_LOCK": str(file)}, cwd=tmp_path)
    assert json.loads(run.out) == {"change": "removed", "model": f"en/{PUBMED}@4.1.0", "what": []}


def test_what_cannot_be_pinned(env: dict[str, str], tmp_path: Path) -> None:
    run = hub("lock", DEMO, "nothing_of_this_name", "--level", "size", env=env, cwd=tmp_path)
    assert run.code == 1
    assert "nothing_of_this_name: no card has the name 'nothing_of_this_name': it is not pinned" in run.err
    assert len(read_lock(tmp_path / "hubclient.lock").pins) == 1


def test_a_trial_writes_nothing(env: dict[str, str], tmp_path: Path) -> None:
    run = hub("lock", DEMO, "--level", "size", "--dry-run", env=env, cwd=tmp_path)
    assert (run.code, run.lines) == (0, [f"added\ten/{DEMO}@3.4.4"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [[], ["--level", "exists", DEMO], ["--level", "deep", DEMO], ["--source", "x", DEMO], ["--update", DEMO]], ids=len
)
def test_what_cannot_be_done(arguments: list[str], tmp_path: Path) -> None:
    assert hub("lock", *arguments, cwd=tmp_path).code in (2, 4)
    assert list(tmp_path.iterdir()) == []


def test_a_broken_lock_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "hubclient.lock"
    file.write_text("<<<<<<< HEAD\n")
    for command in (("lock", DEMO, "--level", "size"), ("outdated",)):
        run = hub(*command, cwd=tmp_path)
        assert run.code == 2
        assert "the lockfile cannot be used" in run.err
    assert file.read_text() == "<<<<<<< HEAD\n"


def test_a_newer_version_is_told(env: dict[str, str], tmp_path: Path) -> None:
    assert hub("lock", PUBMED, "--level", "size", env=env, cwd=tmp_path).code == 0
    file = tmp_path / "hubclient.lock"
    file.write_text(file.read_text().replace('"4.1.0"', '"4.0.9"').replace("_4.1.0_3.0_1662500997655", "_4.0.9_3.0_1600000000000"))
    run = hub("outdated", env=env, cwd=tmp_path)
    assert (run.code, run.lines) == (1, [f"en/{PUBMED}@4.0.9\t4.0.9\t4.1.0\ts3://{BUCKET}/{PUBMED_KEY}"])
    run = hub("outdated", "--json", env=env, cwd=tmp_path)
    assert json.loads(run.out)["newest"] == "4.1.0"
    run = hub("lock", "--update", PUBMED, "--level", "size", env=env, cwd=tmp_path)
    assert (run.code, run.lines) == (0, [f"changed\ten/{PUBMED}@4.1.0\tsource, version"])
    assert hub("outdated", env=env, cwd=tmp_path).code == 0
