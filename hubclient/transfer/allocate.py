"""Room on the disk for a whole file, taken before any of it is written: it lies together, and cannot run out of room half-way.

Strategy: fallocate(2), by the C library's function of that name. (posix_fallocate, which Python has, writes into every block where the file
system knows no other way: over a network that would be as much as the file itself.)
"""

from __future__ import annotations

import errno
import os
import sys
from typing import BinaryIO

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def allocate(file: BinaryIO, size: int) -> None:
    """Make the file so long, zeros where nothing has been written. Where room cannot be taken, it is not. Raises OSError."""
    file.truncate(size)
    if sys.platform != "linux" or not size:
        return
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    call = getattr(libc, "fallocate64", None) or getattr(libc, "fallocate", None)
    if call is None:
        return
    call.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    if call(file.fileno(), 0, 0, size) and (error := ctypes.get_errno()) in _NO_ROOM:
        raise OSError(error, os.strerror(error), file.name)
