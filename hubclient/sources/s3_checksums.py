"""What an S3 object's headers say of its content: the checksums that uploaders gave, and the ETag.

An ETag is the MD5 of an object that was uploaded at once; of one that was uploaded in N parts it is the MD5 of the parts' MD5s, and ends
in `-N`.
Checksums (x-amz-checksum-*, base64) are made alike, or of the whole object whatever its parts.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hubclient.sources.digests import Algorithm, Composite, Digests

_ETAG = re.compile(r'"?([0-9a-f]{32})(?:-([1-9]\d{0,4}))?"?')
_CHECKSUM = re.compile(r"([A-Za-z0-9+/]+=*)(?:-([1-9]\d{0,4}))?")
# With these keys the ETag of an object is not the MD5 of its content.
_KMS = re.compile(r"aws:kms.*")
_CUSTOMER_KEY = "x-amz-server-side-encryption-customer-algorithm"
_LENGTHS: Mapping[Algorithm, int] = {"sha256": 32, "sha1": 20, "crc32c": 4, "crc32": 4}


def announced(headers: Mapping[str, str]) -> Digests:
    """`headers`: looked up without regard to case."""
    digests = Digests()
    for algorithm, length in _LENGTHS.items():
        digests = _with(digests, algorithm, *_checksum(headers.get(f"x-amz-checksum-{algorithm}", ""), length))
    match = _ETAG.fullmatch(headers.get("ETag", ""))
    encrypted = _KMS.fullmatch(headers.get("x-amz-server-side-encryption", "")) or _CUSTOMER_KEY in headers
    return _with(digests, "md5", match[1], match[2]) if match and not encrypted else digests


def _with(digests: Digests, algorithm: Algorithm, value: str | None, parts: str | None) -> Digests:
    if value is None:
        return digests
    if parts is None:
        whole: dict[str, Any] = {algorithm: value}
        return replace(digests, **whole)
    return replace(digests, composites=(*digests.composites, Composite(algorithm, value, int(parts))))


def _checksum(written: str, length: int) -> tuple[str | None, str | None]:
    """(hexadecimal digest, number of parts), None for what is not there."""
    match = _CHECKSUM.fullmatch(written)
    try:
        digest = base64.b64decode(match[1], validate=True) if match else b""
    except binascii.Error:
        return None, None
    return (digest.hex(), match[2]) if match and len(digest) == length else (None, None)
