"""Files and folders that are written for others, outside of the cache: whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from hubclient.errors import StoreError, StoreFull, StoreUnwritable, UsageError
from hubclient.sources.disk import demand_room

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_HINT = "write it to another place"
# What every folder of a model has.
_CONFIG = "config.json"


@contextmanager
def written_whole(target: Path, what: str, size: int = 0) -> Iterator[BinaryIO]:
    """A file to write about `size` bytes to, which takes the place of `target` when all went well. Raises StoreUnwritable, StoreFull."""
    part = target.with_name(f".{target.name}.{os.urandom(4).hex()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        demand_room(target.parent, size, elsewhere=_HINT)
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except OSError as error:
        raise _failure(error, f"{what} cannot be written", target) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def placed(target: Path, origin: Path, done: str, *, force: bool) -> Iterator[Path]:
    """A folder to write in, which takes the place of `target` when all went well: a model of the folder `origin` is `done` ("exported").

    force: replace a model that is there. Raises UsageError, StoreUnwritable, StoreFull.
    """
    _check(target, Path(os.path.realpath(origin)), done, force)
    staging = _beside(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging.mkdir()
        yield staging
        _swap(staging, target)
    except OSError as error:
        raise _failure(error, f"the model cannot be {done}", target) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _check(target: Path, origin: Path, done: str, force: bool) -> None:
    if origin == target or origin in target.parents:
        raise UsageError(f"a model cannot be {done} into its own folder", where=str(target), hint="name another one")
    if os.path.lexists(target) and not target.is_dir():
        raise UsageError(f"there is a file where the model is to be {done} to", where=str(target), hint="name a folder")
    there = list(target.iterdir()) if target.is_dir() else []
    if there and not force:
        raise UsageError("the folder is not empty", where=str(target), hint="name another one, or replace what is there with force")
    if there and not ((target / _CONFIG).is_file() and all(file.is_file() and not file.is_symlink() for file in there)):
        raise UsageError(f"the folder holds something else than a model that was {done}", where=str(target), hint="name another one")


def _swap(staging: Path, target: Path) -> None:
    """What was there before comes back if this fails."""
    if not target.exists():
        staging.rename(target)
        return
    away = _beside(target)
    target.rename(away)
    try:
        staging.rename(target)
    except OSError:
        away.rename(target)
        raise
    shutil.rmtree(away, ignore_errors=True)


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{os.urandom(4).hex()}")


@contextmanager
def unwritable(target: Path, what: str) -> Iterator[None]:
    """Whatever goes wrong with files within is about `target`. Raises StoreUnwritable, StoreFull."""
    try:
        yield
    except OSError as error:
        raise _failure(error, what, target) from error


def _failure(error: OSError, what: str, target: Path) -> StoreError:
    kind = StoreFull if error.errno in _FULL else StoreUnwritable
    return kind(what, where=str(error.filename or target), why=error.strerror or str(error), hint=_HINT)
