"""The servers of the tests, with something large on them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measure.material import ROOT

sys.path.insert(0, str(ROOT))

from tests.servers.hub import FakeHub, running_fakehub
from tests.servers.seaweed import Seaweed, running_seaweed

__all__ = ["FakeHub", "Seaweed", "fakehub", "make_file", "running_seaweed", "upload_in_parts"]

_CHUNK = 1 << 20


def make_file(path: Path, size: int) -> Path:
    """Of bytes that nothing compresses."""
    with path.open("wb") as file:
        for start in range(0, size, _CHUNK):
            file.write(os.urandom(min(_CHUNK, size - start)))
    return path


def upload_in_parts(seaweed: Seaweed, key: str, path: Path) -> None:
    """As upload tools leave large objects: the ETag is no MD5 of the content."""
    import boto3

    session = boto3.Session(aws_access_key_id=seaweed.access_key, aws_secret_access_key=seaweed.secret_key, region_name="us-east-1")
    client = session.client("s3", endpoint_url=seaweed.endpoint)
    client.upload_file(str(path), seaweed.public_bucket, key)


@contextmanager
def fakehub(folder: Path, repo: str, file: Path) -> Iterator[FakeHub]:
    """A Hub with one repository, which holds that file."""
    (folder / "hub").mkdir()
    with running_fakehub(folder / "hub") as hub:
        (folder / "repository").mkdir()
        os.link(file, folder / "repository" / file.name)
        hub.add(repo, folder / "repository")
        yield hub
