"""Folders as they may be: deep, odd, locked, too large, of another time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hubclient.card_folders import CardFolders
from hubclient.catalog import Catalog, Layer
from hubclient.catalog.folder import list_folder, read_bytes
from hubclient.errors import CardError, UsageError
from tests.cards.shared import ROOT, card_text
from tests.catalog.test_index import write


@pytest.mark.skipif(os.name != "posix", reason="paths are as long as POSIX allows")
def test_a_deep_tree(tmp_path: Path) -> None:
    """Deeper than Python calls go, and than a path can be."""
    deep = os.open(tmp_path, os.O_RDONLY)
    for level in range(2200):
        if level in (0, 1000):
            file = os.open("a.md", os.O_WRONLY | os.O_CREAT, dir_fd=deep)
            os.write(file, card_text().encode())
            os.close(file)
        os.mkdir("d", dir_fd=deep)
        below = os.open("d", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = below
    os.close(deep)
    try:
        found = list_folder(tmp_path)
    finally:
        subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)
    assert [Path(card.path).relative_to(tmp_path).as_posix() for card in found.cards] == ["a.md", "d/" * 1000 + "a.md"]
    (problem,) = found.problems
    assert problem.why == os.strerror(36)


def test_hidden_files_are_left_alone(tmp_path: Path) -> None:
    """Editors lock files with links to nowhere, and macOS keeps its own beside those on other disks."""
    write(tmp_path, "one")
    (tmp_path / "._one_en.md").write_bytes(b"\0\5\x16\7")
    (tmp_path / ".one.overlay.yaml").write_text("nonsense: 1\n")
    (tmp_path / ".#one_en.md").symlink_to("somebody@here.1234")
    catalog = Catalog.load([tmp_path])
    assert (len(catalog.cards), catalog.problems) == (1, ())


@pytest.mark.parametrize("time", [-1_000_000_000, 0, 10_000_000_000])
def test_files_of_any_time(tmp_path: Path, time: int) -> None:
    """The last is of the year 2286, whose nanoseconds SQLite's integers do not hold."""
    path = write(tmp_path / "cards", "one", age=time)
    if int(path.stat().st_mtime) != time:
        pytest.skip("the file system knows no such time")
    for title in ("Another", "A third", "Changed at last"):
        catalog = Catalog([Layer("folder", tmp_path / "cards")], folder=tmp_path / "cache")
        assert len(catalog.cards) == 1
        write(tmp_path / "cards", "one", title=title, age=time)
    (card,) = Catalog([Layer("folder", tmp_path / "cards")], folder=tmp_path / "cache").cards.values()
    assert card.title == "Changed at last"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.md").open("wb") as file:
        file.truncate(2**40)
    write(tmp_path, "one")
    catalog = Catalog.load([tmp_path])
    assert len(catalog.cards) == 1
    (problem,) = catalog.problems
    assert problem.what == "a file is too large for a card"
    assert problem.why == f"it has {2**40:,} bytes"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what grows while it is read")
def test_a_file_that_is_longer_than_it_says() -> None:
    assert len(read_bytes(Path("/proc/self/maps"))) > 1000


LOCKED = """
import os, sys
from pathlib import Path
from hubclient.card_folders import CardFolders
from hubclient.catalog import Catalog
from hubclient.errors import UsageError
folder = Path(sys.argv[1])
Catalog.load([folder]).cards  # Python itself may lie where only root may read
os.chmod(folder, 0)
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
for place in (folder, folder / "sub"):
    (problem,) = Catalog.load([place]).problems
    print(problem.what, problem.why)
try:
    CardFolders(folder / "config").add(folder / "sub")
except UsageError as error:
    print(error.what)
print(CardFolders(folder / "config").read())
"""


@pytest.mark.skipif(os.name != "posix", reason="permissions are set the POSIX way")
def test_folders_that_nobody_may_look_into(tmp_path: Path) -> None:
    write(tmp_path / "cards" / "sub", "one")
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if folder.owner() == tmp_path.owner() and folder.stat().st_mode & 0o5 != 0o5 and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o555)
    command = [sys.executable, "-c", LOCKED, str(tmp_path / "cards")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    (tmp_path / "cards").chmod(0o755)
    denied = "a folder of cards cannot be listed Permission denied\n"
    assert done.stdout == f"{denied * 2}this is not a folder\n()\n", done.stderr


def test_an_odd_path_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a folder"):
        CardFolders(tmp_path).add(Path("a\0b"))
    with pytest.raises(CardError):
        read_bytes(tmp_path)
