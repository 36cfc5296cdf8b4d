"""A table of comparisons in Markdown, or the same as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from statistics import median

from measure.rounds import median_difference, median_ratio

_LIBRARIES = ("hubclient", "numpy", "onnxruntime", "openvino", "tokenizers", "typer", "torch", "transformers")
_HEADERS = ("what", "ours", "against", "theirs", "compared", "goal", "met")


@dataclass(frozen=True)
class Row:
    """`compared` is what the goal is about: a ratio, a difference, or the figure itself. Without a goal, `met` is None."""

    what: str
    ours: str
    against: str
    theirs: str
    compared: str
    goal: str = ""
    met: bool | None = None


def as_seconds(value: float) -> str:
    return f"{value:.3f} s"


def as_milliseconds(value: float) -> str:
    return f"{value * 1000:.2f} ms"


def as_megabytes(value: float) -> str:
    return f"{value / 1e6:.0f} MB"


def as_rate(value: float) -> str:
    return f"{value:.0f} texts/s"


def ratio_row(
    what: str,
    ours: Sequence[float],
    against: str,
    theirs: Sequence[float],
    *,
    shown: Callable[[float], str],
    at_most: float | None = None,
) -> Row:
    """Medians of both sides, and of their ratio, which shall be `at_most` so much."""
    ratio = median_ratio(ours, theirs)
    goal = "" if at_most is None else f"<= {at_most:g}x"
    met = None if at_most is None else ratio <= at_most
    return Row(what, shown(median(ours)), against, shown(median(theirs)), f"{ratio:.2f}x", goal, met)


def difference_row(what: str, ours: Sequence[float], against: str, theirs: Sequence[float], *, at_most: float | None = None) -> Row:
    """Medians of both sides in seconds, and of their difference, which shall be `at_most` so much."""
    difference = median_difference(ours, theirs)
    goal = "" if at_most is None else f"<= +{at_most:.3f} s"
    met = None if at_most is None else difference <= at_most
    return Row(what, as_seconds(median(ours)), against, as_seconds(median(theirs)), f"{difference:+.3f} s", goal, met)


def publish(program: str, rows: Sequence[Row], *, as_json: bool, rounds: int | None = None, notes: Sequence[str] = ()) -> None:
    """Print the table with what it was measured on; `rounds` is None where nothing was timed."""
    if as_json:
        conditions = {"program": program, "rounds": rounds, "cores": os.cpu_count(), "versions": versions()}
        print(json.dumps({**conditions, "rows": [asdict(row) for row in rows], "notes": list(notes)}, indent=2))
        return
    timed = f"Medians of {rounds} rounds. " if rounds else ""
    libraries = ", ".join(f"{name} {number}" for name, number in versions().items())
    print(f"{timed}{os.cpu_count()} cores, {libraries}.\n")
    print("\n".join(_lines(rows)))
    for note in notes:
        print(f"\n{note}")


def versions() -> Mapping[str, str]:
    found = {"Python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _lines(rows: Sequence[Row]) -> list[str]:
    answers = {True: "yes", False: "**no**", None: ""}
    cells = [(row.what, row.ours, row.against, row.theirs, row.compared, row.goal, answers[row.met]) for row in rows]
    return [f"| {' | '.join(line)} |" for line in (_HEADERS, ("---",) * len(_HEADERS), *cells)]
