"""One use of the catalogue in a process that has imported it; each prints how long it took.

`cold FOLDER` indexes the cards of the folder in an empty cache; `open FOLDER CACHE NAMES` opens the index that is in the cache and resolves
the names that are in the JSON file, those that are misspelt last; `bundle` indexes the bundled facts in an empty cache and resolves a name;
`live FILE` reads and counts the lines of a live index.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from hubclient import bundled
from hubclient.catalog import Catalog, Layer
from hubclient.catalog.live import count_live, read_live
from hubclient.catalog.live_line import ArchiveFolder
from hubclient.errors import UnknownModel
from hubclient.names import CardReference

_INDEX = "s3://bench.example.com/public/models/metadata.json"
_KNOWN = "bert_large_sequence_classifier_imdb"
_BLOCK = 1 << 20


def cold(folder: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as cache:
        start, before = time.perf_counter(), _cpu()
        (count,) = Catalog(_layers(folder), folder=Path(cache)).counts()
        took, cpu = time.perf_counter() - start, _cpu() - before
    readers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return {"seconds": took, "cpu": cpu, "cards": count.cards, "readers": readers}


def open_(folder: str, cache: str, names: str) -> dict[str, Any]:
    asked = json.loads(Path(names).read_text(encoding="utf-8"))
    (first, *further), misspelt = (_references(asked[kind]) for kind in ("known", "misspelt"))
    start = time.perf_counter()
    catalog = Catalog(_layers(folder), folder=Path(cache))
    catalog.resolve(first)
    took = time.perf_counter() - start
    resolved = [_timed(catalog, reference) for reference in further]
    # The first misspelt name loads rapidfuzz.
    missed, *others = (_timed(catalog, reference, unknown=True) for reference in misspelt)
    return {"seconds": took, "further": median(resolved), "first near": missed, "near": median(others)}


def bundle() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as cache:
        start = time.perf_counter()
        catalog = Catalog([Layer("bundle", bundled.INDEX)], folder=Path(cache))
        catalog.resolve(CardReference(_KNOWN, "en"))
        return {"seconds": time.perf_counter() - start, "cards": sum(count.cards for count in catalog.counts())}


def live(file: str) -> dict[str, Any]:
    start = time.perf_counter()
    with Path(file).open("rb") as content:
        count = count_live(read_live(iter(lambda: content.read(_BLOCK), b""), ArchiveFolder.of(_INDEX)))
    return {"seconds": time.perf_counter() - start, "entries": count.entries, "broken": count.broken}


def _layers(folder: str) -> list[Layer]:
    return [Layer("folder", Path(folder), own=True)]


def _references(names: Sequence[Sequence[str]]) -> list[CardReference]:
    return [CardReference(name, language) for name, language in names]


def _timed(catalog: Catalog, reference: CardReference, *, unknown: bool = False) -> float:
    start = time.perf_counter()
    try:
        catalog.resolve(reference)
    except UnknownModel:
        if unknown:
            return time.perf_counter() - start
        raise
    return time.perf_counter() - start


def _cpu() -> float:
    """Seconds of processor time, that of readers which have ended included."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _peak_resident() -> int:
    """Bytes that this process has had in memory at most."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    jobs: Mapping[str, Callable[..., dict[str, Any]]] = {"cold": cold, "open": open_, "bundle": bundle, "live": live}
    said = jobs[sys.argv[1]](*sys.argv[2:])
    print(json.dumps({**said, "resident": _peak_resident()}))
