"""What the machine, or the container that this process runs in, lets it have.

A container's limits are those of its control group and of every group above it; the smallest counts.
Source: Linux, Documentation/admin-guide/cgroup-v2.rst (cpu.max, memory.max), cgroup-v1/memory.rst and scheduler/sched-bwc.rst.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_ROOT = Path("/")
# What version 1 has where there is no limit: the highest number of whole pages.
_UNLIMITED = 1 << 62


@dataclass(frozen=True)
class Machine:
    """`cpus`: of the machine; `usable`: those that this process may run on. `cpu_quota`: in CPUs, `memory` and `memory_limit` in bytes;
    None where there is none, or it is not known."""

    cpus: int | None
    usable: int | None
    cpu_quota: float | None
    memory: int | None
    memory_limit: int | None


@dataclass(frozen=True)
class Processor:
    """Its name, and what it can do in Linux's words: empty where the system does not tell."""

    name: str
    flags: frozenset[str]


def processor(facts: Path = _ROOT / "proc/cpuinfo") -> Processor:
    told: dict[str, str] = {}
    for line in _read(facts).splitlines():
        name, _, value = line.partition(":")
        told.setdefault(name.strip(), value.strip())
    return Processor(told.get("model name") or platform.processor() or platform.machine(), frozenset(told.get("flags", "").split()))


def this_machine() -> Machine:
    return Machine(os.cpu_count(), _usable(), cpu_quota(), _memory(), memory_limit())


def cpu_quota(root: Path = _ROOT) -> float | None:
    """`root`: where /proc and /sys are."""
    quotas = [_v2_quota(folder) for folder in _groups(root, "")]
    quotas += [_v1_quota(folder) for folder in _groups(root, "cpu")]
    return min((quota for quota in quotas if quota is not None), default=None)


def memory_limit(root: Path = _ROOT) -> int | None:
    limits = [_number(folder / "memory.max") for folder in _groups(root, "")]
    limits += [_number(folder / "memory.limit_in_bytes") for folder in _groups(root, "memory")]
    return min((limit for limit in limits if limit is not None and limit < _UNLIMITED), default=None)


def _usable() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """The folders of this process's group and of those above it; "" stands for version 2."""
    base = root / "sys/fs/cgroup" / controller
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            own = PurePosixPath(path)
            # A container may see its group's path as the host has it, and only its own folder.
            yield from (base / folder.relative_to("/") for folder in (own, *own.parents))


def _v2_quota(folder: Path) -> float | None:
    quota, _, period = _read(folder / "cpu.max").strip().partition(" ")
    return _ratio(quota, period)


def _v1_quota(folder: Path) -> float | None:
    return _ratio(_read(folder / "cpu.cfs_quota_us").strip(), _read(folder / "cpu.cfs_period_us").strip())


def _ratio(quota: str, period: str) -> float | None:
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() and int(period) else None


def _number(path: Path) -> int | None:
    text = _read(path).strip()
    return int(text) if text.isdecimal() else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
