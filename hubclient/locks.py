"""Locks between processes, which only save work: what they guard is correct without them.

Strategy: the system's lock on an open file (flock, on Windows a locked byte), which ends with the process that holds it, however that ends.
A file system without locks is no failure.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import Literal

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

State = Literal["held", "busy", "unsupported"]

_BUSY = {errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK}
_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF, errno.EINVAL}
_POLL_SECONDS = 0.05
# Lock files are removed while they are held: then another file is meant. More often than this it is no file system to rely on.
_MOST_REPLACEMENTS = 20


class Hold:
    """An attempt's outcome: `held` until released, `busy` (another process or thread holds it), or locks are `unsupported`."""

    def __init__(self, state: State, descriptor: int | None = None) -> None:
        self.state = state
        self._descriptor = descriptor

    def release(self) -> None:
        """May be called more than once."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            # A process that was forked meanwhile has the same open file: closing it here would not unlock it.
            with suppress(OSError):
                _unlock(descriptor)
            os.close(descriptor)


def try_lock(path: Path) -> Hold:
    """Take a lock if that is possible at once. Raises OSError if the lock file cannot be made."""
    replaced = 0
    while True:
        descriptor = _open(path)
        state = _lock(descriptor)
        if state == "held" and (_is_at(path, descriptor) or replaced == _MOST_REPLACEMENTS):
            return Hold("held", descriptor)
        os.close(descriptor)
        if state != "held":
            return Hold(state)
        replaced += 1


def wait_lock(path: Path, waiting: Callable[[], None] = lambda: None, *, patience: float = inf) -> Hold:
    """Take a lock; `waiting` is told once if another process has it now. After `patience` seconds it is `busy`."""
    hold = try_lock(path)
    if hold.state == "busy":
        waiting()
    end = time.monotonic() + patience
    while hold.state == "busy" and time.monotonic() < end:
        time.sleep(_POLL_SECONDS)
        hold = try_lock(path)
    return hold


def discard(path: Path, hold: Hold) -> None:
    """Give a lock back and remove its file; whoever waits for it makes another. Never fails."""
    # Unlinked while held: whoever opens the name afterwards gets another file, never this one without its lock.
    if sys.platform == "win32":
        hold.release()
    with suppress(OSError):
        path.unlink()
    hold.release()


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:
        # Another user's, in a cache that several share.
        return os.open(path, os.O_RDONLY)


def _lock(descriptor: int) -> State:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return "busy"
        if error.errno in _WITHOUT_LOCKS:
            return "unsupported"
        os.close(descriptor)
        raise
    return "held"


def _unlock(descriptor: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False
