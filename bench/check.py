"""Availability: all archives that cards name, held against a lock of sizes and ETags; some are missing, and some were replaced."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from measure.buckets import shelf
from measure.material import parser
from measure.report import Row, as_megabytes, publish
from measure.rounds import Run, Side, figures, interleaved, median_ratio, python

_SHARE = 0.01
_GOAL = 2_000  # objects a second
_RESIDENT = 300e6


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        sources = _sources()[: options.objects]
        print(f"putting {len(sources):,} objects into their buckets", file=sys.stderr)
        with shelf(sources, Path(folder) / "server") as shelved:
            lock = _lock(shelved.server.endpoint, sources, Path(folder))
            count = shelved.change(_SHARE)
            runs = interleaved(_sides(shelved.server.endpoint, lock, Path(folder)), options.rounds, warm_up=True)
    _check(runs, len(sources), count)
    publish("check", _rows(runs, len(sources)), rounds=options.rounds, as_json=options.json, notes=[_note(count)])


def _options() -> argparse.Namespace:
    options = parser(__doc__, rounds=5)
    options.add_argument("--objects", type=int, default=None, help="only so many (default: all)")
    return options.parse_args()


def _sources() -> list[str]:
    """Where the archives of all bundled cards lie."""
    from hubclient import Hub

    with tempfile.TemporaryDirectory() as cache:
        cards = Hub(cache_dir=cache, progress=False).cards.values()
        return sorted({card.s3_parsed.uri for card in cards if card.s3_parsed and not _comes_along(card.s3_parsed.uri)})


def _comes_along(source: str) -> bool:
    """The demo model lies in a mirror, which is looked into first."""
    from hubclient.bundled import MIRROR

    return MIRROR.joinpath(*source.removeprefix("s3://").split("/")).exists()


def _lock(endpoint: str, sources: Sequence[str], folder: Path) -> Path:
    from hubclient import Hub
    from hubclient.check.finding import ProbeSettings, Subject
    from hubclient.check.locking import relock
    from hubclient.lockfile import Lock, write_lock
    from hubclient.settings import Settings

    hub = Hub(settings=Settings(cache_dir=folder / "cache", s3_endpoint=endpoint, live_index=None), progress=False)
    done = relock(Lock(), [Subject(source) for source in sources], "size", ProbeSettings(hub))
    if done.unpinned:
        sys.exit(f"{len(done.unpinned)} objects could not be pinned: {done.unpinned[0].why}")
    path = folder / "hubclient.lock"
    write_lock(done.lock, path)
    return path


def _sides(endpoint: str, lock: Path, folder: Path) -> list[Side]:
    return [Side(name, python("check.py", name, endpoint, lock, folder / "cache")) for name in ("heads", "lists", "by-hand")]


def _check(runs: Mapping[str, Sequence[Run]], objects: int, count: int) -> None:
    expected = {"available": objects - 2 * count, "gone": count, "changed": count}
    for name in ("heads", "lists"):
        for run in runs[name]:
            if run.said["found"] != {verdict: number for verdict, number in expected.items() if number}:
                sys.exit(f"{name} found {run.said['found']}, and there are {expected}")


def _rows(runs: Mapping[str, Sequence[Run]], objects: int) -> list[Row]:
    rates = {name: [objects / seconds for seconds in figures(side, "seconds")] for name, side in runs.items()}
    what = f"{objects:,} objects"
    return [
        _rate_row(f"{what}, one HEAD each", rates["heads"], rates["by-hand"], at_least=_GOAL),
        _rate_row(f"{what}, by the lists of their buckets", rates["lists"], rates["by-hand"]),
        _memory_row("one HEAD each", runs["heads"]),
        _memory_row("by lists", runs["lists"]),
    ]


def _rate_row(what: str, ours: Sequence[float], theirs: Sequence[float], *, at_least: float | None = None) -> Row:
    goal, met = ("", None) if at_least is None else (f">= {at_least:,.0f}/s", median(ours) >= at_least)
    ratio = f"{median_ratio(ours, theirs):.2f}x"
    return Row(what, f"{median(ours):,.0f}/s", "HEAD by hand, 8 sockets", f"{median(theirs):,.0f}/s", ratio, goal, met)


def _memory_row(what: str, runs: Sequence[Run]) -> Row:
    resident = median(figures(runs, "resident"))
    return Row(
        f"resident at most, {what}",
        as_megabytes(resident),
        "",
        "",
        as_megabytes(resident),
        f"<= {as_megabytes(_RESIDENT)}",
        resident <= _RESIDENT,
    )


def _note(count: int) -> str:
    return f"{count:,} objects were missing and {count:,} were replaced by others of the same length: found exactly, in every round."


if __name__ == "__main__":
    main()
