"""hub sync"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hubclient.lockfile import read_lock
from tests.e2e.material import BUCKET, DEMO, PUBMED, PUBMED_KEY, PUBMED_ZIP, make_mirror
from tests.e2e.shell import hub
from tests.servers.seaweed import Seaweed


@pytest.fixture
def env(seaweed: Seaweed, tmp_path: Path) -> dict[str, str]:
    """A lock of two models, made elsewhere."""
    seaweed.put(BUCKET, PUBMED_KEY, PUBMED_ZIP)
    env = {"HUBCLIENT_S3_ENDPOINT": seaweed.endpoint}
    assert hub("lock", DEMO, PUBMED, "--level", "size", env=env, cwd=tmp_path).code == 0
    return env


def test_hashes_are_completed_and_then_frozen(env: dict[str, str], tmp_path: Path) -> None:
    refused = hub("sync", "--frozen", env=env, cwd=tmp_path)
    assert refused.code != 0
    assert f"the lock has no hash of 'en/{PUBMED}@4.1.0'" in refused.err
    run = hub("sync", env=env, cwd=tmp_path)
    assert (run.code, run.lines) == (0, [f"fetched\ten/{PUBMED}@4.1.0", f"fetched\ten/{DEMO}@3.4.4"])
    assert all(pin.sha256 for pin in read_lock(tmp_path / "hubclient.lock").pins)
    run = hub("sync", "--frozen", "--offline", "--json", env=env, cwd=tmp_path)
    assert run.code == 0
    assert [json.loads(line)["state"] for line in run.lines] == ["there", "there"]


def test_what_is_not_pinned_is_removed_when_asked_to(env: dict[str, str], tmp_path: Path) -> None:
    assert hub("lock", DEMO, "--lock", "one.lock", "--level", "hash", env=env, cwd=tmp_path).code == 0
    assert hub("sync", env=env, cwd=tmp_path).code == 0
    run = hub("sync", "--lock", "one.lock", "--exact", env=env, cwd=tmp_path)
    assert (run.code, run.lines) == (0, [f"there\ten/{DEMO}@3.4.4", f"removed\ts3://{BUCKET}/{PUBMED_KEY}"])
    assert "freed" in run.err
    assert len(hub("ls", env=env, cwd=tmp_path).lines) == 1


def test_a_tampered_mirror(env: dict[str, str], tmp_path: Path) -> None:
    assert hub("lock", PUBMED, "--level", "hash", "--lock", "one.lock", env=env, cwd=tmp_path).code == 0
    mirror = make_mirror(tmp_path / "mirror", {PUBMED_KEY: PUBMED_ZIP})
    with (mirror / BUCKET / PUBMED_KEY).open("r+b") as file:
        file.seek(5000)
        file.write(b"tampered")
    env = {**env, "HUBCLIENT_MIRRORS": str(mirror), "HUBCLIENT_CACHE": str(tmp_path / "cache")}
    run = hub("sync", "--lock", "one.lock", "--offline", env=env, cwd=tmp_path)
    assert run.code == 5
    assert "the file is another one than is wanted" in run.err
    run = hub("predict", PUBMED, "a text", "--offline", env={**env, "HUBCLIENT_LOCK": "one.lock"}, cwd=tmp_path)
    assert run.code == 5
    assert hub("sync", "--lock", "one.lock", env=env, cwd=tmp_path).code == 0


def test_a_lock_in_force_refuses_everything_else(env: dict[str, str], tmp_path: Path) -> None:
    env = {**env, "HUBCLIENT_LOCK": "hubclient.lock"}
    run = hub("predict", "bert_large_sequence_classifier_imdb", "a text", env=env, cwd=tmp_path)
    assert run.code == 4
    assert "is not in the lock" in run.err
    assert hub("predict", DEMO, "a gem", env=env, cwd=tmp_path).code == 0
    # To look at a model is not to have it.
    assert hub("info", "bert_large_sequence_classifier_imdb", env=env, cwd=tmp_path).code == 0
    assert hub("inspect", DEMO, env=env, cwd=tmp_path).code == 0


def test_what_is_at_hand_is_what_the_lock_pins(env: dict[str, str], tmp_path: Path) -> None:
    """Commands that hand out a model, or its archive, keep to the lock as those that open one."""
    locked = {**env, "HUBCLIENT_LOCK": "hubclient.lock"}
    for arguments in (("path", DEMO), ("mirror", DEMO, "--to", "copies")):
        early = hub(*arguments, env=locked, cwd=tmp_path)
        assert early.code != 0
        assert "hub sync" in early.err
    assert hub("sync", env=env, cwd=tmp_path).code == 0
    assert hub("path", DEMO, env=locked, cwd=tmp_path).lines == hub("path", DEMO, env=env, cwd=tmp_path).lines
    assert hub("mirror", DEMO, "--to", "copies", env=locked, cwd=tmp_path).code == 0
    assert len(list((tmp_path / "copies").rglob("*.zip"))) == 1
    others = "bert_large_sequence_classifier_imdb"
    for command, *more in (("path",), ("mirror", "--to", "copies"), ("pull",), ("bundle", "-o", "b"), ("export", "e")):
        refused = hub(command, others, *more, env=locked, cwd=tmp_path)
        assert refused.code == 4, command
        assert "is not in the lock" in refused.err


def test_a_sync_that_learns_nothing_leaves_the_lock_as_it_is(env: dict[str, str], tmp_path: Path) -> None:
    assert hub("sync", env=env, cwd=tmp_path).code == 0
    path = tmp_path / "hubclient.lock"
    text = path.read_text(encoding="utf-8") + "# ours\n"
    path.write_text(text, encoding="utf-8")
    run = hub("sync", env=env, cwd=tmp_path)
    assert (run.code, run.err) == (0, "")
    assert path.read_text(encoding="utf-8") == text


def test_without_a_lock(tmp_path: Path) -> None:
    run = hub("sync", cwd=tmp_path)
    assert run.code == 2
    assert "the lockfile cannot be read" in run.err
