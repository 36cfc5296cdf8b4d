"""The least that a catalogue must do, by hand; each prints how long it took.

`yaml FOLDER` reads every card and loads its front matter with libyaml, one after the other; `scan FOLDER` lists the folder and asks for
every file's time and size; `json FILE` parses every line.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_FRONT_MATTER = re.compile(rb"---\n(.*?)\n---\n", re.DOTALL)


def load_front_matters(folder: str) -> dict[str, float]:
    import yaml

    start = time.perf_counter()
    cards = [Path(entry.path).read_bytes() for entry in _files(folder) if entry.name.endswith(".md")]
    read, before = time.perf_counter(), time.process_time()
    for card in cards:
        if not isinstance(yaml.load(_front_matter(card), Loader=yaml.CSafeLoader), dict):
            raise TypeError("a front matter that is no mapping")
    return {"reading": read - start, "seconds": time.perf_counter() - read, "cpu": time.process_time() - before, "cards": len(cards)}


def scan(folder: str) -> dict[str, float]:
    start = time.perf_counter()
    sizes = [entry.stat().st_size for entry in _files(folder)]
    return {"seconds": time.perf_counter() - start, "files": len(sizes)}


def parse_lines(file: str) -> dict[str, float]:
    start = time.perf_counter()
    parsed = 0
    for line in Path(file).read_bytes().splitlines():
        try:
            parsed += isinstance(json.loads(line), dict)
        except ValueError:
            continue
    return {"seconds": time.perf_counter() - start, "parsed": parsed}


def _files(folder: str) -> Iterator[os.DirEntry[str]]:
    folders = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                yield entry
    for below in folders:
        yield from _files(below)


def _front_matter(card: bytes) -> bytes:
    match = _FRONT_MATTER.match(card)
    if match is None:
        raise ValueError("a card without front matter")
    return match[1]


if __name__ == "__main__":
    jobs = {"yaml": load_front_matters, "scan": scan, "json": parse_lines}
    print(json.dumps(jobs[sys.argv[1]](sys.argv[2])))
