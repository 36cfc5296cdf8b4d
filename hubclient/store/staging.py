"""Folders to build an entry in, beside the entries and on the same file system; what a killed process leaves is swept by the next.

Each folder has a lock file of the same name, held by its owner: the system frees it when the owner dies, however it dies.
Where the file system has no locks, age decides.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hubclient.locks import Hold, try_lock
from hubclient.sources.disk import disk_errors

_STALE_SECONDS = 24 * 3600
_LOCK_SUFFIX = ".lock"


@contextmanager
def staging_folder(root: Path, key: str) -> Iterator[Path]:
    """A new empty folder below `root`, removed on any exit. Raises StoreUnwritable, StoreFull."""
    with disk_errors(root):
        root.mkdir(parents=True, exist_ok=True)
    sweep(root)
    with disk_errors(root):
        folder, lock_file, hold = _claim(root, key)
    try:
        with disk_errors(root):
            # Not tempfile's: its mode would keep other users of a shared cache out of the finished entry.
            folder.mkdir()
        yield folder
    finally:
        _delete(folder)
        _discard(lock_file, hold)


def _claim(root: Path, key: str) -> tuple[Path, Path, Hold]:
    """An unused name and its lock. A sweep may take a lock file for a leftover before it is locked: then that name is lost."""
    while True:
        folder = unused(root, key)
        lock_file = folder.with_name(folder.name + _LOCK_SUFFIX)
        hold = try_lock(lock_file)
        if hold.state != "busy":
            return folder, lock_file, hold


def unused(root: Path, key: str) -> Path:
    return root / f"{key}.{os.urandom(4).hex()}"


def sweep(root: Path) -> None:
    """Remove what dead owners left. Never fails: leftovers cost space, nothing else."""
    with suppress(OSError):
        for lock_file in list(root.glob(f"*{_LOCK_SUFFIX}")):
            _sweep_owned(lock_file)
        for folder in [path for path in root.iterdir() if path.suffix != _LOCK_SUFFIX]:
            if not folder.with_name(folder.name + _LOCK_SUFFIX).exists() and _is_old(folder):
                _delete(folder)


def _sweep_owned(lock_file: Path) -> None:
    hold = try_lock(lock_file)
    if hold.state == "busy" or (hold.state == "unsupported" and not _is_old(lock_file)):
        return
    _delete(lock_file.with_suffix(""))
    _discard(lock_file, hold)


def _discard(lock_file: Path, hold: Hold) -> None:
    # Unlinked while held: whoever opens the name afterwards gets another file, never this one without its lock.
    if os.name == "nt":
        hold.release()
    with suppress(OSError):
        lock_file.unlink()
    hold.release()


def _delete(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _STALE_SECONDS
    except OSError:
        return False
