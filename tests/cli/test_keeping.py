"""The commands that look after the cache: ls, verify, rm, prune, path."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hubclient.store import Store
from tests.cli.test_commands import rows
from tests.e2e.material import BUCKET, DEMO, DEMO_KEY, PUBMED, TREC6_ZIP
from tests.e2e.shell import holdings, hub, names

TREC6 = "bert_tiny_cased_sequence_classifier_trec6"
DAY = 86400


@pytest.fixture
def copy(stocked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with three models that may be spoiled; the origin of one is bundled."""
    monkeypatch.setenv("HUBCLIENT_CACHE", str(shutil.copytree(stocked, tmp_path / "copy")))
    monkeypatch.setenv("HUBCLIENT_OFFLINE", "1")
    return tmp_path / "copy"


def folder_of(name: str) -> Path:
    return Path(hub("path", name).out.strip())


def used(name: str, days_ago: float) -> None:
    """As if the model had last been used then."""
    then = time.time() - days_ago * DAY
    (record,) = (path for path in names() if json.loads(path.read_bytes())["own"]["name"] == name)
    os.utime(record, (then, then))


def listed(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in hub(*arguments, "--json").out.splitlines()]


def test_ls_tells_age_use_and_total(copy: Path) -> None:
    used(DEMO, 3.5)
    used(PUBMED, -2)
    done = hub("ls")
    told = {row[0]: row for row in rows(done.out)}
    assert [told[name][5] for name in (DEMO, PUBMED)] == ["3 d", "now"]
    assert done.err.startswith("3 models, ")
    for record in listed("ls"):
        entry = Store(copy).find(record["identity"])
        assert entry is not None
        assert (record["size"], record["path"], record["archive"]) == (entry.size, str(entry.path), None)


def test_ls_says_what_is_damaged(copy: Path) -> None:
    (folder_of(DEMO) / "config.json").unlink()
    done = hub("ls")
    assert len(rows(done.out)) == 2
    assert "1 model is damaged: hub verify --all" in done.err


def test_path_is_a_use(copy: Path) -> None:
    used(DEMO, 3)
    before = next(record for record in listed("ls") if record["name"] == DEMO)
    assert hub("path", DEMO).code == 0
    after = next(record for record in listed("ls") if record["name"] == DEMO)
    assert after["used"] > before["used"]


def test_pulling_and_predicting_are_uses(copy: Path) -> None:
    for command in (["pull", DEMO], ["predict", DEMO, "fine"]):
        used(DEMO, 3)
        assert hub(*command).code == 0
        assert {row[0]: row[5] for row in rows(hub("ls").out)}[DEMO] == "now"


def test_verify_of_whole_models_says_nothing(copy: Path) -> None:
    done = hub("verify", DEMO, str(TREC6_ZIP))
    assert (done.code, done.out, done.err) == (0, "", "")
    assert [record["state"] for record in listed("verify", "--all")] == ["whole"] * 3


@pytest.mark.parametrize("arguments", [[], ["--all", DEMO]])
def test_verify_wants_to_know_what(copy: Path, arguments: list[str]) -> None:
    assert hub("verify", *arguments).code == 2


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_damage_is_found_and_mended(copy: Path) -> None:
    folder = folder_of(DEMO)
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    flip(folder / "model.safetensors")
    (folder / "tokenizer.json").unlink()
    found = hub("verify", "--all")
    assert found.code == 1
    assert [row[:2] for row in rows(found.out)] == [[f"s3://{BUCKET}/{DEMO_KEY}", name] for name in ("model.safetensors", "tokenizer.json")]
    assert "hub verify --repair" in found.err
    mended = hub("verify", DEMO, "--repair")
    assert (mended.code, mended.out) == (0, found.out)
    assert mended.err == f"repaired s3://{BUCKET}/{DEMO_KEY}\n"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole
    assert hub("verify", DEMO).code == 0


def test_what_cannot_be_had_again_is_told_and_the_others_are_mended(copy: Path) -> None:
    for name in (DEMO, PUBMED):
        flip(folder_of(name) / "config.json")
    before = holdings()
    done = hub("verify", "--all", "--repair")
    assert done.code == 1
    assert f"repaired s3://{BUCKET}/{DEMO_KEY}" in done.err
    assert "offline" in done.err
    assert [(record["state"], bool(record["findings"])) for record in listed("verify", PUBMED, DEMO)] == [
        ("damaged", True),
        ("whole", False),
    ]
    assert holdings() == before


def test_rm_of_what_is_damaged(copy: Path) -> None:
    (folder_of(DEMO) / "complete.json").unlink()
    assert hub("rm", DEMO).code == 0
    assert hub("verify", "--all").code == 0
    assert len(names()) == 2


def test_rm_tells_what_that_frees(copy: Path) -> None:
    size = sum(path.stat().st_size for path in folder_of(DEMO).iterdir())
    planned, done = hub("rm", DEMO, "--dry-run"), hub("rm", DEMO)
    assert planned.err.splitlines()[-1] == f"would free {size / 1e6:.1f} MB"
    assert done.err.splitlines()[-1] == f"freed {size / 1e6:.1f} MB"


USE = """
import sys
from hubclient import pretrained
classifier = pretrained(sys.argv[1], "en")
print("open", flush=True)
sys.stdin.read()
print(classifier("fine").label)
"""


@contextmanager
def open_elsewhere(name: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", USE, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


def test_a_model_that_a_process_has_open_is_left_alone(copy: Path) -> None:
    used(PUBMED, 1)
    with open_elsewhere(DEMO) as process:
        refused = hub("rm", DEMO)
        assert refused.code == 8
        assert f"the process {process.pid} opened it" in refused.err
        done = hub("prune", "--max-size", "0")
        assert done.code == 0
        assert f"left alone: {DEMO}: in use by the process {process.pid}" in done.err
        assert [row[0] for row in rows(hub("ls").out)] == [DEMO]
        assert hub("rm", DEMO, "--force").code == 0
        out, _ = process.communicate("")
        assert out == "pos\n"


def test_prune_by_size_removes_the_least_recently_used(copy: Path) -> None:
    for name, days in ((DEMO, 3), (PUBMED, 2), (TREC6, 1)):
        used(name, days)
    sizes = {record["name"]: record["size"] for record in listed("ls")}
    limit = sizes[TREC6] + sizes[PUBMED] + 10_000
    before = holdings()
    planned = hub("prune", "--max-size", str(limit), "--dry-run")
    assert (planned.code, [row[0] for row in rows(planned.out)]) == (0, [DEMO])
    assert holdings() == before
    done = hub("prune", "--max-size", str(limit))
    assert done.out == planned.out
    assert [row[0] for row in rows(hub("ls").out)] == [PUBMED, TREC6]
    assert done.err.startswith("freed ")
    assert hub("predict", DEMO, "fine").code == 0


def test_prune_by_age(copy: Path) -> None:
    for name, days in ((DEMO, 40), (PUBMED, 31), (TREC6, 29)):
        used(name, days)
    (first, second) = listed("prune", "--older-than", "30d", "--dry-run")
    assert [first["models"], second["why"]] == [[f"s3://{BUCKET}/{DEMO_KEY}"], "not used for so long"]
    assert hub("prune", "--older-than", "30d").code == 0
    assert [row[0] for row in rows(hub("ls").out)] == [TREC6]


def test_prune_alone_removes_what_killed_processes_left(copy: Path) -> None:
    left = copy / "contents" / ("0" * 64)
    left.mkdir()
    (left / "half").write_bytes(b"half")
    done = hub("prune")
    assert rows(done.out) == [["0" * 64, "4 B", "-", "no name means it"]]
    assert not left.exists()
    assert len(rows(hub("ls").out)) == 3
    again = hub("prune")
    assert (again.code, again.out, again.err) == (0, "", "there is nothing to prune\n")


@pytest.mark.parametrize("arguments", [["--max-size", "much"], ["--older-than", "long"], ["--max-size", "-1"], ["--older-than", "30"]])
def test_prune_wants_quantities(copy: Path, arguments: list[str]) -> None:
    assert hub("prune", *arguments).code == 2


@pytest.mark.parametrize(("answer", "left"), [("n", 3), ("y", 2), ("", 3)])
def test_prune_asks_a_person(copy: Path, answer: str, left: int) -> None:
    pty = pytest.importorskip("pty")
    used(DEMO, 40)
    main, side = pty.openpty()
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("hub")), "prune", "--older-than", "30d"], stdin=side, stderr=side, stdout=side
    )
    os.close(side)
    os.write(main, f"{answer}\n".encode())
    shown = b""
    while True:
        try:
            shown += os.read(main, 4096)
        except OSError:
            break
    os.close(main)
    assert process.wait(60) == 0
    assert b"Remove this? [y/N]" in shown
    assert len(names()) == left


def test_a_shared_cache_is_used_and_never_written_to(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBCLIENT_SHARED_CACHE", str(copy))
    monkeypatch.setenv("HUBCLIENT_CACHE", str(copy.parent / "private"))
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*") if path.name != "config.json"}
    assert folder_of(DEMO).is_relative_to(copy)
    refused = hub("rm", DEMO)
    assert (refused.code, "shared cache" in refused.err) == (8, True)
    assert hub("prune", "--max-size", "0").err == "there is nothing to prune\n"
    flip(folder_of(DEMO) / "config.json")
    assert hub("verify", DEMO, "--repair").code == 0
    assert folder_of(DEMO).is_relative_to(copy.parent / "private")
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*") if path.name != "config.json"} == before
