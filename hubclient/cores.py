"""How many cores this process may use: of the machine, of its affinity mask, of the container that it runs in.

A container's limit is a share of time (Linux control groups): cgroup v2 has `cpu.max`, v1 `cpu.cfs_quota_us` and `cpu.cfs_period_us`, in
the process's own group and in every one above it. Threads that one core runs in turn (SMT) count once: they share its multipliers.
Source: Documentation/admin-guide/cgroup-v2.rst and Documentation/scheduler/sched-bwc.rst of Linux.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

_ROOT = Path("/")


def cores(environ: Mapping[str, str] | None = None, root: Path = _ROOT) -> int:
    """At least 1. OMP_NUM_THREADS, by which numerical libraries are held back, holds back here too."""
    limits = [_physical(_allowed(), root), *_quotas(root), *_asked(os.environ if environ is None else environ)]
    return max(1, math.floor(min(limits)))


def _allowed() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def _physical(allowed: Iterable[int], root: Path) -> int:
    """Of the logical processors that are allowed, how many are cores of their own."""
    topology = root / "sys/devices/system/cpu"
    return len({_read(topology / f"cpu{number}/topology/thread_siblings_list") or str(number) for number in allowed})


def _quotas(root: Path) -> Iterator[float]:
    """Cores' worth of time, for every group that the process is in. A part of a core counts for a whole one."""
    for line in (_read(root / "proc/self/cgroup") or "").splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / ("cpu" if controllers else "")
        for own in (PurePosixPath(group), *PurePosixPath(group).parents):
            share = _share(mount / str(own).lstrip("/"))
            if share:
                yield math.ceil(share)


def _share(group: Path) -> float | None:
    """None where the group sets no limit."""
    written = _read(group / "cpu.max") or f"{_read(group / 'cpu.cfs_quota_us')} {_read(group / 'cpu.cfs_period_us')}"
    try:
        quota, period = map(float, written.split())
    except ValueError:
        return None
    return quota / period if quota > 0 and period > 0 else None


def _asked(environ: Mapping[str, str]) -> list[int]:
    """The first number, where there is one for every level of nesting."""
    first = environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return [int(first)] if first.isdecimal() and int(first) > 0 else []


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
