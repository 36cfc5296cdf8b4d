"""One conversion in a process that has imported everything, for it has converted the EMBEDDED archive before.

`convert EMBEDDED ARCHIVE FOLDER` writes the native folder, somewhere in FOLDER; `pull …` also hashes the archive, commits and syncs the
native folder, as `hub pull` does; `memory …` converts while a thread watches the process's private memory.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from hubclient import pull
from hubclient.convert.archive import convert_archive
from hubclient.convert.job import Job
from hubclient.native import WEIGHTS, Origin

_INTERVAL = 0.002


def convert(archive: Path, folder: Path) -> Path:
    native, work = folder / "native", folder / "work"
    native.mkdir(parents=True)
    work.mkdir()
    convert_archive(archive, Job(native, work, Origin(archive.name)))
    return native


def pulled(archive: Path, folder: Path) -> Path:
    return pull(str(archive.absolute()), cache_dir=folder, progress=False)


def timed(job: Callable[[], Path]) -> dict[str, float]:
    start = time.perf_counter()
    job()
    return {"seconds": time.perf_counter() - start}


def watched(job: Callable[[], Path]) -> dict[str, float]:
    """Private memory at most, above what it was before, in bytes, and in units of the weights that were written."""
    before, peak, done = private_bytes(), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(_INTERVAL):
            peak = max(peak, private_bytes())

    thread = threading.Thread(target=watch)
    thread.start()
    native = job()
    done.set()
    thread.join()
    weights = (native / WEIGHTS).stat().st_size
    return {"private": peak - before, "weights": weights}


def private_bytes() -> int:
    """Memory that no other process shares: anonymous, and pages of files that only this one has mapped."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean:", "Private_Dirty:")))


def main(job: str, embedded: str, archive: str, folder: str) -> None:
    one = pulled if job == "pull" else convert
    measure = watched if job == "memory" else timed
    with tempfile.TemporaryDirectory(dir=folder) as own:
        one(Path(embedded), Path(own, "before"))
        print(json.dumps(measure(lambda: one(Path(archive), Path(own, "after")))))


if __name__ == "__main__":
    main(*sys.argv[1:])
