"""Pulls of one archive under several names, in a process that has imported everything, for it has converted the EMBEDDED archive before.

`together COUNT ENDPOINT EMBEDDED ARCHIVE FOLDER` pulls so many with `pull_all`, `turns …` one after the other; `unpack …` only inflates
the archive's first layer, which is what could be done while the archive arrives.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from hubclient import Hub
from hubclient.archive.location import open_archive
from hubclient.archive.members import copy
from hubclient.settings import Settings


def hub_in(folder: str, endpoint: str) -> Hub:
    return Hub(settings=Settings(Path(folder), s3_endpoint=endpoint, live_index=None), progress=False)


def together(hub: Hub, references: list[str]) -> None:
    for pulled in hub.pull_all(references):
        assert pulled.path.is_dir()


def turns(hub: Hub, references: list[str]) -> None:
    for reference in references:
        hub.pull(reference)


def unpack(archive: Path) -> None:
    with open_archive(archive) as members, tempfile.TemporaryFile() as file:
        copy(members, max(members.names(), key=members.size), file)


def main(job: str, count: str, endpoint: str, embedded: str, archive: str, folder: str) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as before, tempfile.TemporaryDirectory(dir=folder) as own:
        hub_in(before, endpoint).pull(embedded)
        references = [f"s3://bench/model-{number}.zip" for number in range(int(count))]
        hub = hub_in(own, endpoint)
        start = time.perf_counter()
        if job == "unpack":
            unpack(Path(archive))
        else:
            {"together": together, "turns": turns}[job](hub, references)
        print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main(*sys.argv[1:])
