"""How many cores this process may use: of the machine, of its affinity mask, of the container that it runs in.

Threads that one core runs in turn (SMT) count once: they share its multipliers. Source: Linux,
Documentation/ABI/stable/sysfs-devices-system-cpu.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from hubclient.machine import cpu_quota

_ROOT = Path("/")


def cores(environ: Mapping[str, str] | None = None, root: Path = _ROOT) -> int:
    """At least 1. OMP_NUM_THREADS, by which numerical libraries are held back, holds back here too."""
    limits = [_physical(_allowed(), root), *_quota(root), *_asked(os.environ if environ is None else environ)]
    return max(1, min(limits))


def _allowed() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def _physical(allowed: Iterable[int], root: Path) -> int:
    """Of the logical processors that are allowed, how many are cores of their own."""
    topology = root / "sys/devices/system/cpu"
    return len({_read(topology / f"cpu{number}/topology/thread_siblings_list") or str(number) for number in allowed})


def _quota(root: Path) -> list[int]:
    """Cores' worth of time. A part of a core counts for a whole one."""
    quota = cpu_quota(root)
    return [math.ceil(quota)] if quota else []


def _asked(environ: Mapping[str, str]) -> list[int]:
    """The first number, where there is one for every level of nesting."""
    first = environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return [int(first)] if first.isdecimal() and int(first) > 0 else []


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
