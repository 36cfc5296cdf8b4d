"""Locks between processes, which only save work: what they guard is correct without them.

A file system without locks is therefore no failure.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from filelock import BaseFileLock

_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


@dataclass(frozen=True)
class Hold:
    """An attempt's outcome: `held` until released, `busy` (another process holds it), or locks are `unsupported`."""

    state: Literal["held", "busy", "unsupported"]
    lock: BaseFileLock | None = None

    def release(self) -> None:
        if self.lock is not None:
            self.lock.release()


def try_lock(path: Path) -> Hold:
    """Take a lock if that is possible at once. Raises OSError if the lock file cannot be made."""
    return _acquire(path, timeout=0)


def wait_lock(path: Path, waiting: Callable[[], None]) -> Hold:
    """Take a lock; `waiting` is told once if another process has it now."""
    hold = try_lock(path)
    if hold.state != "busy":
        return hold
    waiting()
    return _acquire(path, timeout=-1)


def _acquire(path: Path, timeout: float) -> Hold:
    from filelock import FileLock, Timeout

    lock = FileLock(path, timeout=timeout)
    try:
        lock.acquire()
    except Timeout:
        return Hold("busy")
    except NotImplementedError:
        return Hold("unsupported")
    except OSError as error:
        if error.errno not in _WITHOUT_LOCKS:
            raise
        return Hold("unsupported")
    return Hold("held", lock)
