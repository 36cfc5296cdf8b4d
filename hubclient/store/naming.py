"""File names for identities: readable, and safe on every file system.

Lower case, because names that differ only in case would be one file on some systems; the hash keeps them apart.
"""

from __future__ import annotations

import hashlib
import re

_UNSAFE = re.compile(r"[^a-z0-9._-]+")
# With it, no path below a cache's folder is longer than 130 characters: Windows allows 259 from the drive on.
_LONGEST_SLUG = 64
# Windows opens a device for these names, whatever follows the first dot.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}


def key_of(identity: str) -> str:
    """
    >>> key_of("s3://models.example/public/Tiny_en_3.4.4.zip")
    'tiny_en_3.4.4-882909a0902db28c'
    """
    return f"{_slug(identity)}-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"


def _slug(identity: str) -> str:
    is_address = "://" in identity
    readable = identity.partition("?")[0].rpartition("/")[2].removesuffix(".zip") if is_address else identity
    slug = _UNSAFE.sub("-", readable.lower())[:_LONGEST_SLUG].strip(".-") or "model"
    return f"_{slug}" if slug.partition(".")[0] in _DEVICES else slug
