"""What the processor can compute in, and what it is called."""

from __future__ import annotations

import platform
from pathlib import Path

_FACTS = Path("/proc/cpuinfo")


def flags() -> frozenset[str]:
    """Empty where the system does not tell."""
    return frozenset(_fact("flags").split())


def name() -> str:
    return " ".join((_fact("model name") or platform.processor() or platform.machine()).split())


def _fact(name: str) -> str:
    try:
        lines = _FACTS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.split(":")[0].strip() == name), "")
