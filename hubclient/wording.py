"""How numbers and times are written for people."""

from __future__ import annotations


def human_size(size: float) -> str:
    """Bytes as people read them, by powers of 1000.

    >>> [human_size(size) for size in (0, 999, 1234, 91_000_000, 4.2e9)]
    ['0 B', '999 B', '1.2 kB', '91.0 MB', '4.2 GB']
    """
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError


def megabytes(size: float) -> str:
    """The cards' megabytes, which are of 1024 * 1024 bytes.

    >>> [megabytes(size) for size in (0.4, 16.84, 413.0, 2048.0)]
    ['0.4 MB', '16.8 MB', '413 MB', '2 GB']
    """
    if size >= 1024:
        return f"{size / 1024:.1f}".removesuffix(".0") + " GB"
    return (f"{size:.1f}".removesuffix(".0") if size < 100 else f"{size:.0f}") + " MB"


def date_of(milliseconds: int) -> str:
    """The day in UTC.

    >>> date_of(1635774771318)
    '2021-11-01'
    """
    import datetime

    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC).date().isoformat()


def plural(count: int, noun: str) -> str:
    """
    >>> plural(1, "model"), plural(1200, "model")
    ('1 model', '1,200 models')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
