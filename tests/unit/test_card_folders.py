"""The list of folders that a user added: several processes, and places that cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hubclient.card_folders import CardFolders
from hubclient.errors import StoreUnwritable, UsageError
from tests.cards.shared import ROOT

ADD = """
import sys
from pathlib import Path
from hubclient.card_folders import CardFolders
kept = CardFolders(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for folder in sys.argv[2:]:
    kept.add(Path(folder))
"""


@pytest.fixture
def kept(tmp_path: Path) -> CardFolders:
    return CardFolders(tmp_path / "config")


def folders(base: Path, count: int) -> list[Path]:
    made = [base / f"folder {number}" for number in range(count)]
    for folder in made:
        folder.mkdir()
    return made


def test_processes_that_add_at_once_lose_nothing(kept: CardFolders, tmp_path: Path) -> None:
    added = folders(tmp_path, 24)
    shares = [added[number::3] for number in range(3)]
    command = [sys.executable, "-c", ADD, str(kept.path.parent)]
    running = [subprocess.Popen([*command, *share], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for share in shares]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        process.communicate(timeout=60)
    assert sorted(kept.read()) == sorted(added)
    for share in shares:
        assert [folder for folder in kept.read() if folder in share] == share


def test_names_come_back_as_they_are(kept: CardFolders, tmp_path: Path) -> None:
    odd = [tmp_path / " blank ", tmp_path / "quote'\"#", tmp_path / os.fsdecode(b"\xff"), tmp_path / "été\u2028x"]
    for folder in odd:
        folder.mkdir()
        assert kept.add(folder)
        assert not kept.add(folder)
    assert list(kept.read()) == odd
    kept.remove(odd[1])
    assert list(kept.read()) == [odd[0], *odd[2:]]
    with pytest.raises(UsageError, match="was not added"):
        kept.remove(odd[1])


def test_a_link_to_the_list_stays_one(kept: CardFolders, tmp_path: Path) -> None:
    (first, second) = folders(tmp_path, 2)
    kept.path.parent.mkdir()
    (tmp_path / "elsewhere.txt").write_text(f"{first}\n")
    kept.path.symlink_to(tmp_path / "elsewhere.txt")
    kept.add(second)
    assert kept.path.is_symlink()
    assert (tmp_path / "elsewhere.txt").read_text() == f"{first}\n{second}\n"


def test_a_list_that_cannot_be_read_is_not_lost(kept: CardFolders, tmp_path: Path) -> None:
    (folder,) = folders(tmp_path, 1)
    kept.path.parent.mkdir()
    kept.path.symlink_to(kept.path)
    assert kept.read() == ()
    with pytest.raises(StoreUnwritable) as caught:
        kept.add(folder)
    assert kept.path.is_symlink()
    assert caught.value.where == str(kept.path)
    assert "HUBCLIENT_CONFIG" in (caught.value.hint or "")


def test_what_could_not_be_written_leaves_nothing(kept: CardFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder,) = folders(tmp_path, 1)

    def full(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StoreUnwritable, match="cannot be written down"):
        kept.add(folder)
    assert [path.name for path in kept.path.parent.iterdir() if path.suffix != ".lock"] == []
