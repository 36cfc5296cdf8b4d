"""Classify so many short lines, which nobody keeps: `FOLDER LINES`. Says how many bytes are private after how many lines, and the rate."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from hubclient import from_folder

_WORDS = ("fine", "film", "awful", "plot", "not", "very", "a", "great", "mess", "and")
_SAMPLES = 100


def lines(count: int) -> Iterator[str]:
    return (" ".join(_WORDS[int(digit)] for digit in str(number)) for number in range(count))


def private() -> int:
    """Bytes that are neither a file's nor anybody else's. Source: Linux, Documentation/filesystems/proc.rst (RssAnon)."""
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))


def main(folder: str, count: str) -> None:
    opened, total = from_folder(folder), int(count)
    every = max(1, total // _SAMPLES)
    sizes, start = [], time.perf_counter()
    for number, _ in enumerate(opened.predict_iter(lines(total)), 1):
        if number % every == 0:
            sizes.append((number, private()))
    print(json.dumps({"sizes": sizes, "rate": total / (time.perf_counter() - start)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
