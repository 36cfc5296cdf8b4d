"""Our own downloads.

`object ENDPOINT BUCKET KEY FOLDER`: one object, in its place as an archive is that is to be converted. `flushed …`: the same, flushed to
the disk first, as the store does with what it keeps. `hub ENDPOINT REPO FILE FOLDER`: one file of a repository.
`objects ENDPOINT BUCKET PREFIX COUNT AT_ONCE FOLDER`: the objects PREFIX0, PREFIX1 and so on, AT_ONCE of them at the same time, fetched
alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

# Imported by the first request otherwise: no side's imports are measured.
import truststore  # noqa: F401
import urllib3  # noqa: F401
from isal import isal_zlib  # noqa: F401
from measure.downloads import measured

from hubclient.settings import Settings
from hubclient.sources import HubLocation, S3Location, remote_file
from hubclient.sources.huggingface import HubRepository
from hubclient.store.digest import sync
from hubclient.transfer.fetch import fetch
from hubclient.transfer.line import Line
from hubclient.transfer.repository import fetch_files
from hubclient.transfer.together import together


def one_object(endpoint: str, bucket: str, key: str, own: Path, *, flushed: bool = False) -> str:
    settings = Settings(cache_dir=own, s3_endpoint=endpoint)
    staging = own / "staging"
    staging.mkdir()
    file = remote_file(S3Location(bucket, key), settings)
    fetched = fetch(file, staging / "object", parts=settings.transfers, line=Line(settings.limits))
    commit(staging, own / "committed", flushed=flushed)
    return fetched.sha256


def one_file(endpoint: str, repo: str, name: str, own: Path) -> str:
    settings = Settings(cache_dir=own, hf_endpoint=endpoint, hf_cache=own / "huggingface")
    staging = own / "staging"
    repository = HubRepository(HubLocation(repo), settings)
    sums = fetch_files(repository, repository.resolve(), [name], staging, parts=settings.transfers, line=Line(settings.limits))
    commit(staging, own / "committed", flushed=False)
    return sums[name]


def many_objects(endpoint: str, bucket: str, prefix: str, count: str, at_once: str, own: Path) -> str:
    settings = Settings(cache_dir=own, s3_endpoint=endpoint)
    line = Line(settings.limits)
    files = [remote_file(S3Location(bucket, f"{prefix}{number}"), settings) for number in range(int(count))]
    tasks = [partial(fetch, file, own / f"object{number}", parts=settings.transfers, line=line) for number, file in enumerate(files)]
    return "".join(fetched.sha256[:1] for fetched in together(tasks, at_once=int(at_once)))


def commit(staging: Path, target: Path, *, flushed: bool) -> None:
    if flushed:
        for path in [*staging.iterdir(), staging]:
            sync(path)
    os.rename(staging, target)
    if flushed:
        sync(target.parent)


def main(what: str, *arguments: str) -> None:
    flushed = partial(one_object, flushed=True)
    jobs: dict[str, Callable[..., str]] = {"object": one_object, "flushed": flushed, "hub": one_file, "objects": many_objects}
    measured(Path(arguments[-1]), partial(jobs[what], *arguments[:-1]))


if __name__ == "__main__":
    main(*sys.argv[1:])
