"""A run that was broken off is taken up where it was: nothing is lost, nothing doubled, and the result is the same to the byte."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hubclient import Classifier, from_folder
from hubclient.errors import UsageError
from hubclient.tables.answers import Asking
from hubclient.tables.run import Seen, predict_file
from tests.e2e.shell import HUB
from tests.tables.test_files import write

WORDS = ("fine", "film", "awful", "plot", "not", "very", "a", "great", "mess", "and")
FORMS = ("csv", "jsonl", "parquet")


def texts(count: int) -> list[str]:
    chosen = random.Random(5)
    return [" ".join(chosen.choices(WORDS, k=chosen.randint(0, 12))) for _ in range(count)]


def spoilt(path: Path) -> Path:
    """With a bad row here and there."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(b"\xff,x\n" if number % 7 == 3 else line for number, line in enumerate(lines)))
    return path


class BrokenOff(Exception):
    pass


@pytest.mark.usefixtures("_small_parts")
@pytest.mark.parametrize("out", FORMS)
@pytest.mark.parametrize("given", ["csv", "csv.gz", "jsonl", "parquet", "txt"])
def test_broken_off_after_every_part(demo: Classifier, tmp_path: Path, given: str, out: str) -> None:
    source = write(tmp_path / f"in.{given}", texts(70))
    source = spoilt(source) if given in ("csv", "jsonl") else source
    whole, pieces = tmp_path / f"whole.{out}", tmp_path / f"pieces.{out}"
    wanted = predict_file([Asking(demo)], source, whole)

    def break_off(seen: Seen) -> None:
        raise BrokenOff

    for _ in range(10):
        try:
            done = predict_file([Asking(demo)], source, pieces, watch=break_off)
            break
        except BrokenOff:
            assert not pieces.exists()
    assert done.resumed == done.rows == wanted.rows
    assert done.bad == wanted.bad
    assert pieces.read_bytes() == whole.read_bytes()
    if wanted.bad_file:
        assert done.bad_file
        assert done.bad_file.read_bytes() == wanted.bad_file.read_bytes()
    assert not list(tmp_path.glob("*.partial"))
    assert not list(tmp_path.glob("*.journal"))


@pytest.mark.usefixtures("_small_parts")
@pytest.mark.parametrize("out", FORMS)
def test_broken_off_between_writing_and_saying_so(demo: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str) -> None:
    """What the journal does not tell of is cut off."""
    from hubclient.tables.journal import Journal

    source = write(tmp_path / "in.csv", texts(70))
    whole, pieces = tmp_path / f"whole.{out}", tmp_path / f"pieces.{out}"
    predict_file([Asking(demo)], source, whole)
    write_journal, told = Journal.write, []

    def sometimes(journal: Journal, progress: object) -> None:
        told.append(progress)
        if len(told) % 2:
            raise BrokenOff
        write_journal(journal, progress)  # type: ignore[arg-type]

    monkeypatch.setattr(Journal, "write", sometimes)
    while not pieces.exists():
        try:
            predict_file([Asking(demo)], source, pieces)
        except BrokenOff:
            continue
    assert len(told) > 8
    assert pieces.read_bytes() == whole.read_bytes()


@pytest.mark.usefixtures("_small_parts")
def test_other_settings_are_not_mixed(demo: Classifier, tmp_path: Path) -> None:
    source, target = write(tmp_path / "in.csv", texts(40)), tmp_path / "out.csv"

    def break_off(seen: Seen) -> None:
        assert (seen.rows, seen.size) == (16, source.stat().st_size)
        raise BrokenOff

    with pytest.raises(BrokenOff):
        predict_file([Asking(demo)], source, target, watch=break_off)
    other = from_folder(demo.path, max_length=8)
    for asking, options, what in (
        (Asking(other), {}, "model"),
        (Asking(demo, scores=True), {}, "model"),
        (Asking(demo), {"keep": ["id"]}, "keep"),
    ):
        with pytest.raises(UsageError, match="other settings") as caught:
            predict_file([asking], source, target, **options)  # type: ignore[arg-type]
        assert what in str(caught.value.why)
    os.utime(source, (1, 1))
    with pytest.raises(UsageError, match="other settings"):
        predict_file([Asking(demo)], source, target)
    done = predict_file([Asking(demo)], source, target, force=True)
    assert (done.rows, done.resumed) == (40, 0)


@pytest.mark.usefixtures("_small_parts")
@pytest.mark.parametrize("damage", ["gone", "short", "journal"])
def test_what_was_written_is_gone(demo: Classifier, tmp_path: Path, damage: str) -> None:
    source, target = write(tmp_path / "in.csv", texts(40)), tmp_path / "out.csv"

    def break_off(seen: Seen) -> None:
        raise BrokenOff

    with pytest.raises(BrokenOff):
        predict_file([Asking(demo)], source, target, watch=break_off)
    partial = tmp_path / "out.csv.partial"
    if damage == "gone":
        partial.unlink()
    elif damage == "short":
        os.truncate(partial, 10)
    else:
        (tmp_path / "out.csv.journal").write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be taken up"):
        predict_file([Asking(demo)], source, target)
    assert predict_file([Asking(demo)], source, target, force=True).rows == 40


def killed_at_random(model: Path, tmp_path: Path, rows: int, kills: int, out: str, seed: int) -> None:
    source = spoilt(write(tmp_path / "in.csv", texts(rows)))
    whole, pieces = tmp_path / f"whole.{out}", tmp_path / f"pieces.{out}"
    command = [str(HUB), "predict", str(model), "--input", str(source), "--output"]
    subprocess.run([*command, str(whole)], check=True, capture_output=True, timeout=200)
    chosen = random.Random(seed)
    journal = tmp_path / f"pieces.{out}.journal"
    for kill in range(kills):
        begun = rows_done(journal)
        with subprocess.Popen([*command, str(pieces)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            # Now and then while it starts, else once it has come further: and then at any moment.
            while kill % 4 and process.poll() is None and rows_done(journal) == begun:
                time.sleep(0.002)
            time.sleep(chosen.uniform(0, 0.1))
            assert process.poll() is None, "it ended before it was killed"
            process.send_signal(signal.SIGKILL)
    begun = rows_done(journal)
    assert 0 < begun < rows
    done = subprocess.run([*command, str(pieces), "--json"], check=True, capture_output=True, timeout=200)
    told = json.loads(done.stdout)
    assert (told["rows"], told["of_an_earlier_run"]) == (rows, begun)
    assert pieces.read_bytes() == whole.read_bytes()
    assert Path(f"{pieces}.bad.jsonl").read_bytes() == Path(f"{whole}.bad.jsonl").read_bytes()


def rows_done(journal: Path) -> int:
    return int(json.loads(journal.read_bytes())["progress"]["place"]["rows"]) if journal.exists() else 0


@pytest.mark.skipif(sys.platform == "win32", reason="there, nothing is killed so")
@pytest.mark.parametrize("out", ["csv", "parquet"])
def test_killed_at_random_moments(demo: Classifier, tmp_path: Path, out: str) -> None:
    killed_at_random(demo.path, tmp_path, 60_000, 5, out, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("out", ["csv", "parquet"])
def test_killed_at_many_random_moments(demo: Classifier, tmp_path: Path, out: str) -> None:
    killed_at_random(demo.path, tmp_path, 300_000, 25, out, seed=2)
