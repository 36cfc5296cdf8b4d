from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from hubclient.archive import location
from hubclient.archive.location import FolderMembers, open_archive
from hubclient.archive.sparknlp import read_archive
from hubclient.errors import CorruptArchive, NotAnArchive, UnsafeArchive
from tests.archive.builders import spark_members, zipped


def unpacked(folder: Path) -> Path:
    for name, data in spark_members().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def test_a_zip_and_its_folder_read_the_same(tmp_path: Path) -> None:
    packed = tmp_path / "model.zip"
    packed.write_bytes(zipped(spark_members()))
    with open_archive(packed) as from_zip, open_archive(unpacked(tmp_path / "model")) as from_folder:
        one, other = read_archive(from_zip), read_archive(from_folder)
        assert sorted(from_zip.names()) == sorted(from_folder.names())
        assert (one.labels, one.vocabulary, one.weights, one.signatures) == (
            other.labels,
            other.vocabulary,
            other.weights,
            other.signatures,
        )
        for name in from_zip.names():
            with from_folder.open(name) as stream:
                assert from_zip.read(name, 1 << 20) == from_folder.read(name, 1 << 20) == stream.read()
            assert from_zip.size(name) == from_folder.size(name)


def test_what_is_not_there_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(NotAnArchive, match=r"gone\.zip"), open_archive(tmp_path / "gone.zip"):
        pass


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="permissions do not bind here")
def test_what_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "a").chmod(0)
    with pytest.raises(NotAnArchive, match="'a'"):
        FolderMembers(tmp_path, "folder").read("a", 10)


def test_a_file_that_is_gone_while_it_is_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"content")
    members = FolderMembers(tmp_path, "folder")
    monkeypatch.setattr(Path, "is_file", lambda self: True)
    (tmp_path / "a").unlink()
    with pytest.raises(NotAnArchive, match="file 'a'"):
        members.open("a")


def test_files_larger_than_the_limit_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    with pytest.raises(UnsafeArchive, match="7 bytes, and 6"):
        FolderMembers(tmp_path, "folder").read("a", 6)


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    members = FolderMembers(tmp_path, "folder")
    (tmp_path / "a").unlink()
    for name in ("a", "b", "../a"):
        with pytest.raises(CorruptArchive, match=f"'{name}'"):
            members.size(name)


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "inside").write_bytes(b"content")
    (folder / "alias").symlink_to("inside")
    assert FolderMembers(folder, "folder").read("alias", 10) == b"content"
    (folder / "link").symlink_to("../secret")
    with pytest.raises(UnsafeArchive, match="link out of the folder"):
        FolderMembers(folder, "folder")


def test_folders_that_are_links_are_not_entered(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "loop").symlink_to(folder)
    assert FolderMembers(folder, "folder").names() == ()


def test_links_that_lead_nowhere_are_no_files(tmp_path: Path) -> None:
    for name, target in (("circle", "circle"), ("dangling", "missing")):
        (tmp_path / name).symlink_to(target)
        with pytest.raises(CorruptArchive, match=name):
            FolderMembers(tmp_path, "folder").size(name)


def test_folders_with_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(location, "MAX_MEMBERS", 3)
    with pytest.raises(UnsafeArchive, match="more than 3 files"):
        FolderMembers(unpacked(tmp_path), "folder")
