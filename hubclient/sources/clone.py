"""A file of one's own with another file's content, without its bytes being written where the file system can share them.

Strategy: a reflink, which is a copy in every respect but its cost (Linux: ioctl FICLONE, linux/fs.h; macOS: clonefile(2)), else a copy.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

_FICLONE = 0x40049409


def clone(source: Path, target: Path) -> None:
    """Make the new file `target`. Raises OSError."""
    if not _reflink(source, target):
        shutil.copyfile(source, target)


def _reflink(source: Path, target: Path) -> bool:
    """False where the two file systems are two, or it has no reflinks, or there is no such call."""
    if sys.platform == "linux":
        import fcntl

        with source.open("rb") as origin, target.open("wb") as made:
            try:
                fcntl.ioctl(made.fileno(), _FICLONE, origin.fileno())
            except OSError:
                return False
            return True
    if sys.platform == "darwin":
        import ctypes

        clonefile = getattr(ctypes.CDLL(None, use_errno=True), "clonefile", None)
        return clonefile is not None and clonefile(os.fsencode(source.resolve()), os.fsencode(target), 0) == 0
    return False
