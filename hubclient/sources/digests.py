"""What the content of a file must be, as far as anybody said so: hexadecimal digests of the whole."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Digests:
    """`git_sha1`: of the blob object that git makes of the content."""

    sha256: str | None = None
    md5: str | None = None
    git_sha1: str | None = None
