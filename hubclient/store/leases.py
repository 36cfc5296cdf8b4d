"""Who uses which content: a small file of each process's own, locked for as long as it lives.

The system frees the lock when the process ends, however it ends. Removing leaves models alone that another process uses; nothing else
depends on it, so that failing to take a lease is no failure, and where a file system has no locks nobody is known to use anything.
"""

from __future__ import annotations

import atexit
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hubclient.locks import Hold, discard, try_lock, wait_lock

_SUFFIX = ".lease"


@dataclass(frozen=True)
class _Lease:
    path: Path
    hold: Hold
    process: int

    def end(self) -> None:
        # A forked process has the same open file, and ends before or after the one that made it.
        if self.process == os.getpid():
            with suppress(OSError):
                self.path.unlink()


# This process's, by folder and content: one each, until it ends.
_held: dict[tuple[Path, str], _Lease] = {}


class Leases:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, digest: str) -> None:
        """Never fails."""
        held = _held.get((self._folder, digest))
        if held and held.path.exists():
            return
        process = os.getpid()
        path = self._folder / f"{digest}.{process}-{os.urandom(4).hex()}{_SUFFIX}"
        with suppress(OSError):
            lease = _Lease(path, _made(path), process)
            if lease.hold.state == "held":
                _held[self._folder, digest] = lease
                atexit.register(lease.end)
            else:
                lease.end()

    def user_of(self, digest: str) -> str | None:
        """The id of another process that uses the content."""
        for path in self._of_others():
            if path.name.startswith(f"{digest}.") and not _is_over(path):
                return path.name.removeprefix(f"{digest}.").partition("-")[0]
        return None

    def sweep(self) -> None:
        """Remove what ended processes left. Never fails."""
        for path in self._of_others():
            _is_over(path)

    def _of_others(self) -> list[Path]:
        own = {lease.path for lease in _held.values()}
        try:
            return [path for path in self._folder.iterdir() if path.suffix == _SUFFIX and path not in own]
        except OSError:
            return []


def _made(path: Path) -> Hold:
    try:
        return wait_lock(path)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return wait_lock(path)


def _is_over(path: Path) -> bool:
    """Whether nobody holds the lease: then it is removed."""
    try:
        hold = try_lock(path)
    except OSError:
        return True
    if hold.state == "busy":
        return False
    discard(path, hold)
    return True
