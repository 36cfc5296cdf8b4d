"""Where an archive lies on S3, and what its key says.

An S3 URI is `s3://BUCKET/KEY`. Spark NLP names its archives `<name>_<language>_<library version>_<Spark version>_<milliseconds>.zip`;
the name itself may hold underscores and dots, so the fields are taken from the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from hubclient.errors import CardError

_ARCHIVE = re.compile(r"(.+)_([A-Za-z]{2,}(?:-[A-Za-z]+)?)_(\d{1,9}(?:\.\d{1,9})+)_(\d{1,9}(?:\.\d{1,9})+)_(\d{13})\.zip", re.ASCII)
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_S3_HOST = re.compile(r"s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com")


@dataclass(frozen=True)
class ArchiveName:
    name: str | None = None
    lang: str | None = None
    lib_version: str | None = None
    spark_version: str | None = None
    epoch_ms: int | None = None


@dataclass(frozen=True)
class S3Location:
    """`prefix` and `file` are the key's two parts. The last five are None when the file is not named as Spark NLP names an archive."""

    bucket: str
    key: str
    prefix: str
    file: str
    name: str | None = None
    lang: str | None = None
    lib_version: str | None = None
    spark_version: str | None = None
    epoch_ms: int | None = None

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def to_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def parse_s3_uri(uri: str) -> S3Location:
    """Parse `s3://BUCKET/KEY`. Raises CardError."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not _BUCKET.fullmatch(bucket) or not key or key.endswith("/"):
        raise CardError(f"'{uri}' is not the address of an S3 object", hint="write s3://BUCKET/KEY")
    return _location(bucket, key)


def parse_s3_url(url: str) -> S3Location | None:
    """Parse an https:// address of Amazon S3 in path style, `https://s3.amazonaws.com/BUCKET/KEY`; None if it is another address."""
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    if scheme not in ("https", "http") or not _S3_HOST.fullmatch(host):
        return None
    bucket, _, key = unquote(path.partition("?")[0].partition("#")[0]).partition("/")
    if not _BUCKET.fullmatch(bucket) or not key or key.endswith("/"):
        return None
    return _location(bucket, key)


def parse_archive_name(file: str) -> ArchiveName:
    """What a file name says; every field is None when it is not one of Spark NLP's."""
    match = _ARCHIVE.fullmatch(file)
    if not match:
        return ArchiveName()
    name, lang, lib_version, spark_version, epoch = match.groups()
    return ArchiveName(name, lang, lib_version, spark_version, int(epoch))


# A card tells the place of its archive twice.
@lru_cache(maxsize=1)
def _location(bucket: str, key: str) -> S3Location:
    prefix, _, file = key.rpartition("/")
    name = parse_archive_name(file)
    return S3Location(bucket, key, prefix, file, name.name, name.lang, name.lib_version, name.spark_version, name.epoch_ms)
