"""The lockfile on disk."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from hubclient.errors import LockError
from hubclient.lockfile.lock import Lock
from hubclient.lockfile.toml import from_toml, to_toml

LOCK_NAME = "hubclient.lock"
_MAX_SIZE = 256 << 20


def read_lock(path: Path) -> Lock:
    """Raises LockError. A text that was just parsed is not parsed again."""
    try:
        if path.stat().st_size > _MAX_SIZE:
            raise LockError("the lockfile cannot be used", where=str(path), why=f"it has more than {_MAX_SIZE:,} bytes")
        # Some editors put a mark in front, which TOML does not allow.
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise LockError("the lockfile cannot be read", where=str(path), why=why, hint="hub lock makes one") from error
    return _parsed(text, str(path))


@lru_cache(maxsize=1)
def _parsed(text: str, path: str) -> Lock:
    return from_toml(text, path)


def write_lock(lock: Lock, path: Path) -> bool:
    """At once, and only if it changes anything; says whether it did. Raises LockError."""
    content = to_toml(lock).encode()
    with suppress(OSError):
        if path.read_bytes() == content:
            return False
    part = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        try:
            part.write_bytes(content)
            os.replace(part, path)
        finally:
            with suppress(OSError):
                part.unlink()
    except OSError as error:
        raise LockError("the lockfile cannot be written", where=str(path), why=error.strerror or str(error)) from error
    return True
