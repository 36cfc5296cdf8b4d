"""Folders to build a content in, beside the contents and on the same file system; what a killed process leaves is swept by the next.

Each folder has a lock file of the same name, held by its owner: the system frees it when the owner dies, however it dies.
Where the file system has no locks, age decides.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hubclient.locks import Hold, discard, try_lock
from hubclient.sources.disk import disk_errors

STALE_SECONDS = 24 * 3600
GONE = ".gone"
_LOCK_SUFFIX = ".lock"


@contextmanager
def staging_folder(root: Path, key: str) -> Iterator[Path]:
    """A new empty folder below `root`, removed on any exit. Raises StoreUnwritable, StoreFull."""
    with disk_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        folder, lock_file, hold = _claim(root, key)
    try:
        with disk_errors(root):
            # Not tempfile's: its mode would keep other users of a shared cache out of the finished entry.
            folder.mkdir()
        yield folder
    finally:
        delete(folder)
        discard(lock_file, hold)


def taken_out(path: Path, root: Path) -> Path | None:
    """Rename a folder or a file away into staging, so that nobody meets half of it when it is deleted. None if there is nothing."""
    root.mkdir(parents=True, exist_ok=True)
    away = root / f"{path.name}.{os.urandom(4).hex()}{GONE}"
    try:
        path.rename(away)
    except FileNotFoundError:
        return None
    return away


def abandoned(root: Path) -> list[Path]:
    """What dead owners left. Never fails."""
    found = []
    with suppress(OSError):
        for folder in [path for path in root.iterdir() if path.suffix != _LOCK_SUFFIX]:
            lock_file = _lock_of(folder)
            if hold := _taken_over(lock_file, folder) if lock_file.exists() else None:
                hold.release()
                found.append(folder)
            elif not lock_file.exists() and (folder.suffix == GONE or is_old(folder)):
                found.append(folder)
    return found


def sweep(root: Path) -> None:
    """Remove the locks of folders that are gone. Never fails."""
    with suppress(OSError):
        for lock_file in list(root.glob(f"*{_LOCK_SUFFIX}")):
            folder = lock_file.with_suffix("")
            if not folder.exists() and (hold := _taken_over(lock_file, folder)):
                discard(lock_file, hold)


def _claim(root: Path, key: str) -> tuple[Path, Path, Hold]:
    """An unused name and its lock. A sweep may take a lock file for a leftover before it is locked: then that name is lost."""
    while True:
        folder = root / f"{key}.{os.urandom(4).hex()}"
        lock_file = _lock_of(folder)
        hold = try_lock(lock_file)
        if hold.state != "busy":
            return folder, lock_file, hold


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + _LOCK_SUFFIX)


def _taken_over(lock_file: Path, folder: Path) -> Hold | None:
    """The lock of a dead owner; where there are no locks, of one who has written nothing for a day."""
    with suppress(OSError):
        hold = try_lock(lock_file)
        if hold.state == "held" or (hold.state == "unsupported" and is_old(lock_file) and (is_old(folder) or not folder.exists())):
            return hold
    return None


def delete(path: Path) -> None:
    """Remove a folder or a file. Never fails."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def is_old(path: Path) -> bool:
    """Whether nothing in a folder, or a file, was written for a day. Clocks are set back: what is as far in the future is old too."""
    try:
        inside = path.iterdir() if path.is_dir() else ()
        return all(abs(time.time() - file.lstat().st_mtime) > STALE_SECONDS for file in (path, *inside))
    except OSError:
        return False
