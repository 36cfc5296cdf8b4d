"""A program that starts workers on a cache and kills them: `python killing.py CACHE ARCHIVE REPOSITORY`.

It imports what the work needs once and forks for each worker, so that a kill meets the work and not the start of Python. Each line on its
standard input is a number of seconds: a new worker is killed after so many, and what it got done is counted and printed.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from hubclient.acquire import Wanted, acquire_file
from hubclient.hub import Hub
from hubclient.settings import Settings
from hubclient.store import Entry


def main() -> None:
    root, *origins = map(Path, sys.argv[1:])
    # Once here, so that everything a conversion imports is there.
    for origin in origins:
        convert(hub_at(root), origin)
    shutil.rmtree(root)
    for line in sys.stdin:
        reading, writing = os.pipe()
        worker = os.fork()
        if worker == 0:
            work(root, origins, writing)
        os.close(writing)
        time.sleep(float(line))
        os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)
        with open(reading, "rb") as done:
            print(len(done.read()), flush=True)


def hub_at(root: Path) -> Hub:
    return Hub(settings=Settings(cache_dir=root, offline=True), progress=False)


def convert(hub: Hub, origin: Path) -> Entry:
    return acquire_file(origin, Wanted(), hub.workshop)


def work(root: Path, origins: list[Path], done: int) -> None:
    """Convert, keep, share, replace and remove, for ever."""
    chance = random.Random()
    while True:
        hub = hub_at(root)
        store = hub.store
        # An archive takes ten times as long.
        entry = convert(hub, *chance.choices(origins, [1, 5]))
        os.write(done, b".")
        with store.lock("small"), store.staging("small") as folder, store.staging("archive") as other:
            for name in range(3):
                (folder / f"{name}.bin").write_bytes(bytes([chance.randrange(3)]) * 50_000)
            archive = bytes([chance.randrange(3)]) * 70_000
            (other / "archive.zip").write_bytes(archive)
            os.write(done, b".")
            small = store.commit(folder, chance.choice(["small", "Small", "other"]))
            small = store.keep_archive(small, other / "archive.zip", hashlib.sha256(archive).hexdigest())
        store.remove([chance.choice([entry, small]).name])
        os.write(done, b".")


if __name__ == "__main__":
    main()
