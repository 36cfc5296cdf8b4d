from __future__ import annotations

import os
from pathlib import Path

import pytest

from hubclient.errors import ContentChanged, NotFound
from hubclient.sources.local import LocalFile, in_mirror
from hubclient.sources.location import S3Location


def test_a_mirror_holds_objects_by_bucket_and_key(tmp_path: Path) -> None:
    path = tmp_path / "bucket.example" / "public" / "a.zip"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"0123456789")
    file = in_mirror(tmp_path, S3Location("bucket.example", "public/a.zip"))
    assert file.stat().size == 10
    body = file.read(4)
    assert (body.start, b"".join(body.chunks)) == (4, b"456789")
    assert file.url == path.as_uri()


def test_what_is_not_there_or_no_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        LocalFile(tmp_path / "missing.zip").stat()
    with pytest.raises(NotFound):
        LocalFile(tmp_path).stat()
    with pytest.raises(NotFound):
        LocalFile(tmp_path / "missing.zip").read()


def test_a_change_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"old")
    file = LocalFile(path)
    etag = file.stat().etag
    path.write_bytes(b"new")
    os.utime(path, ns=(1, 1))
    with pytest.raises(ContentChanged):
        file.read(1, etag=etag)
