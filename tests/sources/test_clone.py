"""A file with another's content: shared bytes where the file system has that, and never one file under two names."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubclient import from_folder
from hubclient.sources.clone import clone
from tests.e2e.material import PUBMED_FOLDER

SIZE = 20_000_000


@pytest.fixture(scope="module")
def btrfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small file system that has reflinks."""
    base = tmp_path_factory.mktemp("btrfs")
    image, mount = base / "image", base / "mount"
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(256 << 20)
    try:
        made = subprocess.run(["mkfs.btrfs", "-q", image], capture_output=True).returncode == 0
        made = made and subprocess.run(["mount", "-o", "loop", image, mount], capture_output=True).returncode == 0
    except FileNotFoundError:
        made = False
    if not made:
        pytest.skip("a file system with reflinks cannot be made here")
    yield mount
    # Lazily: this process has a lease there, until its end.
    subprocess.run(["umount", "-l", mount], check=True)


def free(folder: Path) -> int:
    os.sync()
    return shutil.disk_usage(folder).free


def test_bytes_are_shared_and_files_are_not(btrfs: Path) -> None:
    (btrfs / "own").write_bytes(os.urandom(SIZE))
    before = free(btrfs)
    clone(btrfs / "own", btrfs / "copy")
    assert before - free(btrfs) < SIZE // 10
    content = (btrfs / "copy").read_bytes()
    assert content == (btrfs / "own").read_bytes()
    with (btrfs / "own").open("r+b") as file:
        file.write(b"changed")
    assert (btrfs / "copy").read_bytes() == content


def test_a_folder_of_the_users_is_not_copied_where_it_need_not_be(btrfs: Path) -> None:
    own = Path(shutil.copytree(PUBMED_FOLDER, btrfs / "folder"))
    weights = (own / "model.safetensors").stat().st_size
    from_folder(own, cache_dir=btrfs / "warm-up")
    shutil.rmtree(btrfs / "warm-up")
    before = free(btrfs)
    from_folder(own, cache_dir=btrfs / "cache")
    assert before - free(btrfs) < weights // 2


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.EPERM])
def test_where_there_are_none_it_is_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    if sys.platform != "linux":
        pytest.skip("the system call is Linux's")
    asked = []

    def ioctl(target: int, request: int, source: int) -> int:
        asked.append((os.readlink(f"/proc/self/fd/{target}"), request, os.readlink(f"/proc/self/fd/{source}")))
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("fcntl.ioctl", ioctl)
    (tmp_path / "own").write_bytes(b"content")
    clone(tmp_path / "own", tmp_path / "copy")
    assert asked == [(str(tmp_path / "copy"), 0x40049409, str(tmp_path / "own"))]
    assert (tmp_path / "copy").read_bytes() == b"content"
    assert (tmp_path / "copy").stat().st_nlink == 1


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        clone(tmp_path / "nothing", tmp_path / "copy")


def test_what_the_user_writes_into_his_file_is_not_the_models(tmp_path: Path) -> None:
    own = Path(shutil.copytree(PUBMED_FOLDER, tmp_path / "own"))
    classifier = from_folder(own, cache_dir=tmp_path / "cache")
    before = classifier.logits(["A trial of a drug."])
    with (own / "model.safetensors").open("r+b") as file:
        file.seek(-4096, os.SEEK_END)
        file.write(bytes(4096))
    assert (type(classifier)(classifier.path).logits(["A trial of a drug."]) == before).all()
    assert {path.stat().st_nlink for path in classifier.path.iterdir()} == {1}
