"""Fetches and pulls that can be killed: for each line `fetch|pull ENDPOINT FOLDER` on stdin, a process of its own that does one, and whose
id is written.

After another line it writes how that process ended: until then the id is nobody else's. They are forked from a process that has imported
everything: twenty of them take no time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from hubclient.hub import Hub
from hubclient.settings import Limits, Settings
from hubclient.sources.location import S3Location
from hubclient.sources.s3 import S3File
from hubclient.transfer.fetch import fetch

# So that a pull of some megabytes can be met on the way.
_RATE = 4e6


def one_fetch(endpoint: str, folder: Path) -> None:
    settings = Settings(cache_dir=folder, s3_endpoint=endpoint)
    fetch(S3File(S3Location("b", "k.zip"), settings), Path(folder, "target"), parts=settings.transfers)


def one_pull(endpoint: str, folder: Path) -> None:
    settings = Settings(cache_dir=folder, s3_endpoint=endpoint, live_index=None, limits=Limits(rate=_RATE))
    Hub(settings=settings, progress=False).pull("s3://b/k.zip")


JOBS: dict[str, Callable[[str, Path], None]] = {"fetch": one_fetch, "pull": one_pull}


def main() -> None:
    for line in sys.stdin:
        job, endpoint, folder = line.split()
        child = os.fork()
        if not child:
            JOBS[job](endpoint, Path(folder))
            os._exit(0)
        print(child, flush=True)
        sys.stdin.readline()
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
