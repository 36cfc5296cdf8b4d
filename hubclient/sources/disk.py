"""Failures of local disks, told as what they mean to a person."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hubclient.errors import StoreError, StoreFull, StoreUnwritable

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CACHE_HINT = "choose another folder for the cache by setting HUBCLIENT_CACHE"


@contextmanager
def disk_errors(place: Path, needed: int | None = None) -> Iterator[None]:
    """Raise StoreFull or StoreUnwritable in place of an OSError from writing below `place`, for which `needed` bytes are wanted."""
    try:
        yield
    except OSError as error:
        raise disk_failure(error, place, needed) from error


def disk_failure(error: OSError, place: Path, needed: int | None = None) -> StoreError:
    where = str(error.filename or place)
    why = error.strerror or str(error)
    if error.errno in _FULL:
        return StoreFull(
            "there is no room left to store the model",
            where=where,
            why=f"{why}; {_room(place, needed)}",
            hint=f"free some space, or {_CACHE_HINT}",
        )
    return StoreUnwritable("the cache cannot be written", where=where, why=why, hint=f"make it writable, or {_CACHE_HINT}")


def demand_room(place: Path, needed: int, *, elsewhere: str = _CACHE_HINT) -> None:
    """Raises StoreFull before anything is fetched that cannot fit. `elsewhere`: how another place is chosen."""
    free = room_at(place)
    if free is not None and needed > free:
        raise StoreFull(
            "there is no room to store the model", where=str(place), why=_room(place, needed), hint=f"free some space, or {elsewhere}"
        )


def _room(place: Path, needed: int | None) -> str:
    free = room_at(place)
    told = [f"{needed:,} bytes are needed"] if needed is not None else []
    told += [f"{free:,} bytes are free"] if free is not None else []
    return ", ".join(told) or "how much is free is not known"


def room_at(place: Path) -> int | None:
    """Bytes that are free where a folder lies, or would be made; None where that is not known."""
    import shutil

    for folder in (place, *place.parents):
        if os.path.isdir(folder):
            try:
                return shutil.disk_usage(folder).free
            except OSError:
                return None
    return None
