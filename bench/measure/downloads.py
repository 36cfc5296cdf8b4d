"""What every download here is measured by. Imported by programs that run in peers' environments: it needs the standard library alone."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def measured(folder: Path, download: Callable[[Path], str]) -> None:
    """Let `download` bring something into a new folder, and print how long that took, what it says the SHA-256 is, and the memory at most.

    What was written is removed before it comes to the disk, so that the next one has the disk to itself.
    """
    own = folder / f"download-{os.getpid()}"
    own.mkdir()
    try:
        start = time.perf_counter()
        sha256 = download(own)
        seconds = time.perf_counter() - start
    finally:
        shutil.rmtree(own)
    print(json.dumps({"seconds": seconds, "sha256": sha256, "resident": _peak_resident()}))


def _peak_resident() -> int:
    """Of this process alone: Linux counts in `ru_maxrss` what the one was that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * int(status.read_text().partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
