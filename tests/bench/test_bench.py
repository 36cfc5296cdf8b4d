"""Every bench runs and prints its table; what it measures here, on the embedded model, says nothing."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hubclient import from_folder, pull

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
(EMBEDDED,) = (ROOT / "mirror").rglob("*.zip")


def bench(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "bench" / program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def table(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The first cell of every row."""
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert lines[0] == "| what | ours | against | theirs | compared | goal | met |"
    assert {line.count(" | ") for line in lines} == {6}
    return [line.split(" | ")[0].removeprefix("| ") for line in lines[2:]]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    file = tmp_path / "texts.txt"
    file.write_text("1 a gem of a film\n0 dull\n1 good\n0 no movement , no yuks , not much of anything .\n", encoding="utf-8")
    return file


def test_start() -> None:
    assert table(bench("start.py", "--rounds", 1, "--archive", EMBEDDED)) == [
        "`import typer`",
        "`import hubclient`",
        "`hub --version`",
        "`hub pull`, cached",
        "first answer, cached",
        "resident at most, first answer",
    ]


def test_pulls() -> None:
    assert table(bench("pulls.py", "--rounds", 1, "--archive", EMBEDDED, "--rate", 500)) == [
        "4 models over a line of 500 MB/s",
        "unpacking while one archive arrives: at most saved",
    ]


@pytest.mark.timeout(600)
@pytest.mark.xdist_group("spark")
@pytest.mark.skipif(not importlib.util.find_spec("pyspark") or shutil.which("java") is None, reason="Spark or Java is not installed")
def test_spark(texts: Path) -> None:
    done = bench("spark.py", "--rounds", 1, "--texts", texts, "--count", 30, "--masters", "local[2]")
    assert table(done) == ["30 texts, local[2]"]
    assert "Labels that differ, of 30: local[2]: 0." in done.stdout


@pytest.mark.skipif(importlib.util.find_spec("fastapi") is None, reason="FastAPI is not installed")
def test_serve(texts: Path) -> None:
    done = bench("serve.py", "--rounds", 1, "--archive", EMBEDDED, "--texts", texts, "--seconds", 0.5, "--connections", 8)
    assert table(done) == ["requests, 8 connections", "latency, p50", "latency, p99"]
    assert "Labels that differ, of 4: 0." in done.stdout


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_convert() -> None:
    assert table(bench("convert.py", "--rounds", 1, "--archive", EMBEDDED)) == [
        "archive to native folder",
        "the same, hashed, committed and synced",
        "private memory, above the imported process",
    ]


def test_throughput(texts: Path) -> None:
    picture = texts.with_name("picture.svg")
    done = bench("throughput.py", "--rounds", 1, "--archive", EMBEDDED, "--texts", texts, "--singles", 2, *drawn(picture))
    rows = table(done)
    peers = 2 if importlib.util.find_spec("transformers") else 1
    assert [row for row in rows if "float16" not in row and "int8" not in row] == [
        *["the model, 4 texts"] * (peers + 1),
        *["the model, one text"] * peers,
    ]
    assert [row for row in rows if "int8" in row] == [f"the model, 4 texts, int8{what}" for what in ("", ": labels", ": accuracy")]
    assert "ONNX Runtime by hand, sorted batches: 0" in done.stdout
    assert ("no AMX. The goals of bfloat16 are not measured" in done.stdout) != ("with AMX" in done.stdout)
    if drawn(picture):
        assert "hubclient, float32" in picture.read_text("utf-8").replace("<!-- ", "")


def drawn(picture: Path) -> list[object]:
    return ["--picture", picture] if importlib.util.find_spec("matplotlib") else []


def test_memory() -> None:
    assert [row.partition(":")[2] for row in table(bench("memory.py", "--lines", 3000))] == [" private memory, at most", " its slope"]


def test_batches(texts: Path) -> None:
    done = bench("batches.py", "--rounds", 1, "--archive", EMBEDDED, "--texts", texts)
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows] == ["| tokens a text", "| ---", "| SST-2", "| 25", "| 128", "| 512"]


@pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason="transformers is not installed")
def test_models_of_any_size(texts: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    monkeypatch.syspath_prepend(ROOT / "bench")
    random_model = importlib.import_module("measure.random_model")
    monkeypatch.setitem(random_model.SIZES, "tiny", {**random_model.SIZES["base"], "num_hidden_layers": 1})
    made = random_model.random_bert("tiny", pull(str(EMBEDDED), cache_dir=tmp_path / "cache", progress=False), tmp_path / "tiny")
    opened = from_folder(made, cache_dir=tmp_path / "cache")
    assert len(opened(["a film", "no film"])) == 2
    assert AutoModelForSequenceClassification.from_pretrained(made).config.hidden_size == 768


def test_catalogue(tmp_path: Path) -> None:
    cards = tmp_path / "cards.zip"
    with zipfile.ZipFile(cards, "w") as archive:
        for card in (ROOT / "cards").glob("bert_*.md"):
            archive.write(card, f"posts/{card.name}")
    done = bench("catalogue.py", "--rounds", 1, "--cards", cards, "--lines", 2000)
    assert table(done) == [
        *["index of 3 cards, cold"] * 2,
        "index of 3 cards, cold, processor time",
        "resident at most, the cold index",
        "the same, of a process that reads",
        "open it unchanged, a first name",
        "a further name",
        "the names near a misspelt one, the first time",
        "the same, a further time",
        "resident at most, all these names",
        "bundled index of 11,141 cards, first use",
        "resident at most, bundled index",
        "live index, 1,958 archives read and counted",
        "the same",
        "resident at most, live index",
    ]


def test_json() -> None:
    done = bench("start.py", "--rounds", 1, "--archive", EMBEDDED, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["program"] == "start"
    assert report["rounds"] == 1
    assert {"what", "ours", "against", "theirs", "compared", "goal", "met"} == set(report["rows"][0])
    assert report["versions"]["onnxruntime"]


@pytest.mark.parametrize(
    "program", ["start.py", "convert.py", "accuracy.py", "throughput.py", "batches.py", "catalogue.py", "spark.py", "serve.py"]
)
def test_nothing_to_measure(program: str, tmp_path: Path) -> None:
    done = bench(program, "--shared", tmp_path / "nowhere")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "there is nothing to measure" in done.stderr
    assert "Traceback" not in done.stderr


def test_rounds_must_be_positive() -> None:
    done = bench("start.py", "--rounds", 0)
    assert done.returncode == 2
    assert "at least 1" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="the archives are not there")
@pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason="transformers is not installed")
def test_accuracy() -> None:
    rows = table(bench("accuracy.py"))
    assert {row.partition(",")[0] for row in rows} == {"demo model", "MiniLM", "trec6 model"}
