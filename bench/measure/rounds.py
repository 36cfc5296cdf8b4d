"""The sides of a comparison, run in turn, each time in a process of its own: what slows the machine down meets all of them alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

SIDES = Path(__file__).resolve().parents[1] / "sides"


@dataclass(frozen=True)
class Side:
    """`command` may print a JSON object as its last line: that is what it says of its run."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """`seconds`: of the whole process, start and end included."""

    seconds: float
    said: Mapping[str, Any]


def python(program: str, *arguments: object) -> tuple[str, ...]:
    """The command of a program in `bench/sides`."""
    return (sys.executable, str(SIDES / program), *map(str, arguments))


def run(side: Side) -> Run:
    # An installed package is compiled once: with this variable set, ours alone would be compiled again for each run.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["ORT_DISABLE_TELEMETRY"] = "1"
    start = time.perf_counter()
    done = subprocess.run(side.command, env={**env, **side.env}, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{side.name} failed with exit code {done.returncode}:\n{done.stderr.strip()}")
    last = done.stdout.strip().rpartition("\n")[2]
    return Run(seconds, json.loads(last) if last.startswith("{") else {})


def interleaved(sides: Sequence[Side], rounds: int, *, warm_up: bool = False) -> dict[str, list[Run]]:
    """The runs of each side by its name, one a round; every second round goes backwards. `warm_up`: a first round is not counted."""
    runs: dict[str, list[Run]] = {side.name: [] for side in sides}
    for number in range(-1 if warm_up else 0, rounds):
        print(f"round {number + 1} of {rounds}" if number >= 0 else "warm-up", file=sys.stderr)
        for side in sides if number % 2 == 0 else reversed(sides):
            result = run(side)
            if number >= 0:
                runs[side.name].append(result)
    return runs


def seconds(runs: Sequence[Run]) -> list[float]:
    return [run.seconds for run in runs]


def figures(runs: Sequence[Run], name: str) -> list[float]:
    """What every run says of itself under that name."""
    return [float(run.said[name]) for run in runs]


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' own ratios: both sides of each were measured at about the same time."""
    return median(a / b for a, b in zip(ours, theirs, strict=True))


def median_difference(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return median(a - b for a, b in zip(ours, theirs, strict=True))
