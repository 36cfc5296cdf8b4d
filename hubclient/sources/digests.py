"""What the content of a file must be, as far as anybody said so."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

Algorithm = Literal["sha256", "sha1", "md5", "crc32c", "crc32"]


@dataclass(frozen=True)
class Composite:
    """A digest over the digests of `parts` consecutive parts, as object stores have it of uploads in parts.

    All parts but the last are equally long; how long, the source may say (`RemoteFile.part_size`).
    """

    algorithm: Algorithm
    value: str
    parts: int


@dataclass(frozen=True)
class Digests:
    """Hexadecimal digests of the whole content. `git_sha1`: of the blob object that git makes of it."""

    sha256: str | None = None
    md5: str | None = None
    sha1: str | None = None
    git_sha1: str | None = None
    crc32c: str | None = None
    crc32: str | None = None
    composites: tuple[Composite, ...] = ()

    def over(self, other: Digests) -> Digests:
        """These, and those of `other` where these say nothing."""
        return Digests(**{field.name: getattr(self, field.name) or getattr(other, field.name) for field in fields(self)})
