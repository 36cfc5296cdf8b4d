"""Where bytes may lie: immutable values that name content and know nothing of how it is fetched."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from hubclient.errors import InvalidReference
from hubclient.settings import is_web_address

# What object stores put into the query of a signed address: secrets that also change with every new signature.
_SIGNATURE_FIELDS = {"signature", "expires", "awsaccesskeyid", "key-pair-id", "policy", "sig", "token"}


@dataclass(frozen=True)
class S3Location:
    bucket: str
    key: str

    def __post_init__(self) -> None:
        # HTTP clients resolve dot segments, and a mirror is a folder: such a key would lead elsewhere.
        if not self.bucket or not self.key or {".", ".."} & {self.bucket, *self.key.split("/")}:
            raise InvalidReference(f"'{self}' does not name an S3 object", hint="write s3://BUCKET/KEY.zip")

    @classmethod
    def parse(cls, url: str) -> S3Location:
        bucket, _, key = url.removeprefix("s3://").partition("/")
        return cls(bucket, key)

    @property
    def identity(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class HubLocation:
    """A Hugging Face repository; `revision` is a branch, a tag or (what a store should be keyed by) a commit."""

    repo: str
    revision: str | None = None

    @property
    def identity(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return f"hf:{self.repo}" + (f"@{self.revision}" if self.revision else "")


@dataclass(frozen=True)
class WebLocation:
    url: str

    def __post_init__(self) -> None:
        if not is_web_address(self.url):
            raise InvalidReference(f"'{self.url}' is not an address", hint="write https://HOST/FILE.zip")

    @property
    def identity(self) -> str:
        """The address without a signature, which is secret and says nothing about the content."""
        return without_secrets(self.url)

    def __str__(self) -> str:
        return without_secrets(self.url)


Location = S3Location | HubLocation | WebLocation


def location_at(url: str) -> S3Location | WebLocation:
    """What an `s3://` or `https://` address names."""
    return S3Location.parse(url) if url.startswith("s3://") else WebLocation(url)


def without_secrets(url: str) -> str:
    """An address that may be shown and kept: no password, no signature.

    >>> without_secrets("https://me:pw@example.org/a.zip?versionId=7&X-Amz-Signature=feed")
    'https://example.org/a.zip?versionId=7'
    """
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if not _is_secret(name)]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, urlencode(query), ""))


def _is_secret(field: str) -> bool:
    return field.lower().startswith("x-amz-") or field.lower() in _SIGNATURE_FIELDS
