"""Sizes and ages as people write and read them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import typer

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([KMGT])(i?)B?|B?)", re.IGNORECASE)
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdwy])", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}
_SHOWN = (("y", 365 * 86400), ("d", 86400), ("h", 3600), ("min", 60))


def size_in(written: str, option: str) -> int:
    """Bytes: kB, MB, GB and TB are powers of 1000, KiB and so on of 1024."""
    match = _SIZE.fullmatch(written.strip())
    if not match:
        raise typer.BadParameter(f"'{written}' is not a size; write 500MB or 1.5GB", param_hint=option)
    power = " kmgt".index((match[2] or " ").lower())
    return int(float(match[1]) * (1024 if match[3] else 1000) ** power)


def age_in(written: str, option: str) -> timedelta:
    match = _AGE.fullmatch(written.strip())
    try:
        if match:
            return timedelta(seconds=float(match[1]) * _SECONDS[match[2].lower()])
    except OverflowError:
        pass
    raise typer.BadParameter(f"'{written}' is not an age; write 30d, 12h or 2w", param_hint=option)


def age_of(then: datetime, now: datetime) -> str:
    """How long ago; what a clock that was set back puts into the future was now."""
    seconds = (now - then).total_seconds()
    for unit, length in _SHOWN:
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return "now"
