"""What a file on the disk holds, that it is really there, and the name of a content."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

# What a manifest says of a name and not of the content: two names of one content share its folder.
NAME_FIELDS = ("name", "language", "lib_version", "spark_version", "origin")
MANIFEST = "manifest.json"
_CHUNK = 1 << 20


def sha256_of(path: Path, advance: Callable[[int], None] = lambda count: None) -> str:
    total = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        buffer = memoryview(bytearray(_CHUNK))
        while count := file.readinto(buffer):
            total.update(buffer[:count])
            advance(count)
    return total.hexdigest()


def digest_of(hashes: Mapping[str, str], manifest: bytes | None) -> str:
    """SHA-256 over the names and hashes of a content's files; of `manifest.json`, what it says of the content alone is counted.

    `hashes`: file name with slashes -> SHA-256.
    """
    counted = dict(hashes)
    if manifest is not None:
        counted[MANIFEST] = hashlib.sha256(_without_the_name(manifest)).hexdigest()
    return hashlib.sha256("".join(f"{name}\0{counted[name]}\n" for name in sorted(counted)).encode()).hexdigest()


def sync(path: Path) -> None:
    """Flush a file, or a folder's list of names, to the disk; folders cannot be on Windows, and need not."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if path.is_file() and os.access(path, os.W_OK) else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _without_the_name(manifest: bytes) -> bytes:
    try:
        said = json.loads(manifest)
        said = {field: value for field, value in said.items() if field not in NAME_FIELDS}
        return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, AttributeError, RecursionError):
        return manifest
