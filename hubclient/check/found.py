"""What was found where a model should be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hubclient.check.aim import Aim
from hubclient.errors import HubError
from hubclient.sources.huggingface import HubSnapshot

_MD5 = re.compile(r'"?([0-9a-f]{32})"?')
# With these keys the ETag of an object is not the MD5 of its content.
_ENCRYPTION, _CUSTOMER_KEY = "x-amz-server-side-encryption", "x-amz-server-side-encryption-customer-algorithm"


@dataclass(frozen=True)
class Found:
    """`where`: the address or path that has it; `local`: the file, where it lies on this machine. `md5`: where the source tells it.
    `snapshot`: of a repository."""

    where: str
    size: int
    etag: str | None = None
    md5: str | None = None
    local: Path | None = None
    snapshot: HubSnapshot | None = None


Answer = Found | HubError
Tell = Callable[[Aim, Answer], None]
"""Is told once of each aim, from any thread."""


def md5_of(etag: str | None, headers: Mapping[str, str] | None = None) -> str | None:
    """The content's MD5, which S3 takes for the ETag of what was uploaded in one part.

    >>> md5_of('"d41d8cd98f00b204e9800998ecf8427e"'), md5_of('"d41d8cd98f00b204e9800998ecf8427e-2"')
    ('d41d8cd98f00b204e9800998ecf8427e', None)
    """
    told = headers or {}
    if told.get(_ENCRYPTION, "").startswith("aws:kms") or _CUSTOMER_KEY in told:
        return None
    match = _MD5.fullmatch(etag or "")
    return match[1] if match else None
