"""A mirror in a bucket of S3 or a compatible store: archives under their keys, after a prefix where there is one.

Written with boto3, in parts where an archive is large, with its credential chain. A copy carries its SHA-256 as metadata, for the next
mirror to compare.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from hubclient.errors import Forbidden, Unreachable
from hubclient.mirror import index
from hubclient.mirror.place import Facts, LocalArchive
from hubclient.settings import AWS_ENDPOINT, Limits
from hubclient.sources import http
from hubclient.sources.location import S3Location
from hubclient.transfer.progress import Advance

_SHA256 = "sha256"
_MD5 = re.compile(r'"([0-9a-f]{32})"')
_DIGEST = re.compile(r"[0-9a-f]{64}")
_DEFAULT_REGION = "us-east-1"


class MirrorBucket:
    """`prefix` comes before every key; it is empty or has no slash at its ends."""

    def __init__(self, bucket: str, prefix: str, *, endpoint: str, limits: Limits) -> None:
        self._bucket, self._prefix = bucket, prefix
        self._endpoint, self._limits = endpoint, limits

    def address(self, location: S3Location) -> str:
        return f"s3://{self._bucket}/{self._key(location)}"

    def facts(self, location: S3Location) -> Facts | None:
        with self._failures(self.address(location)):
            try:
                told = self._client.head_object(Bucket=self._bucket, Key=self._key(location))
            except self._client.exceptions.ClientError as error:
                if _status(error) == 404:
                    return None
                raise
        sha256, md5 = told.get("Metadata", {}).get(_SHA256, ""), _MD5.fullmatch(told.get("ETag", ""))
        encrypted = "kms" in told.get("ServerSideEncryption", "")
        return Facts(told["ContentLength"], sha256 if _DIGEST.fullmatch(sha256) else None, md5[1] if md5 and not encrypted else None)

    def put(self, location: S3Location, archive: LocalArchive, advance: Advance) -> None:
        from boto3.s3.transfer import TransferConfig

        rate = self._limits.rate
        config = TransferConfig(max_concurrency=self._limits.jobs, max_bandwidth=max(1, int(rate)) if rate else None)
        about = {"Metadata": {_SHA256: archive.facts.sha256}, "ContentType": "application/zip"}
        with self._failures(self.address(location)):
            self._client.upload_file(str(archive.path), self._bucket, self._key(location), ExtraArgs=about, Config=config, Callback=advance)

    def index(self, location: S3Location) -> str:
        folder = self._key(location).rpartition("/")[0]
        return f"{folder}/{index.NAME}" if folder else index.NAME

    def read_index(self, address: str) -> bytes:
        with self._failures(f"s3://{self._bucket}/{address}"):
            try:
                content: bytes = self._client.get_object(Bucket=self._bucket, Key=address)["Body"].read()
            except self._client.exceptions.ClientError as error:
                if _status(error) == 404:
                    return b""
                raise
            return content

    def write_index(self, address: str, content: bytes) -> None:
        with self._failures(f"s3://{self._bucket}/{address}"):
            self._client.put_object(Bucket=self._bucket, Key=address, Body=content, ContentType="application/json")

    def _key(self, location: S3Location) -> str:
        return f"{self._prefix}/{location.key}" if self._prefix else location.key

    @cached_property
    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        session = boto3.Session()
        config = Config(
            # Dotted names fit no wildcard certificate, and not every service knows the newest checksums.
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            max_pool_connections=max(10, self._limits.jobs),
            retries={"mode": "standard", "max_attempts": 5},
        )
        endpoint = None if self._endpoint == AWS_ENDPOINT else self._endpoint
        return session.client("s3", endpoint_url=endpoint, region_name=session.region_name or _DEFAULT_REGION, config=config)

    @contextmanager
    def _failures(self, where: str) -> Iterator[None]:
        from boto3.exceptions import Boto3Error, S3UploadFailedError
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError, ProfileNotFound

        hint = "give AWS credentials that may write there (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE)"
        try:
            yield
        except (ClientError, S3UploadFailedError) as error:
            # A failed upload has the answer as its context.
            answer = error if isinstance(error, ClientError) else error.__context__
            kind, what, advice = http.meaning(_status(answer))
            raise kind(what, where=where, why=str(error), hint=hint if kind is Forbidden else advice) from error
        except (NoCredentialsError, PartialCredentialsError, ProfileNotFound) as error:
            raise Forbidden("the mirror cannot be written", where=where, why=str(error), hint=hint) from error
        except (BotoCoreError, Boto3Error) as error:
            advice = "check the endpoint and your connection"
            raise Unreachable("the mirror cannot be reached", where=where, why=str(error), hint=advice) from error


def _status(error: Any) -> int:
    """0 where there was no answer."""
    return int(getattr(error, "response", {}).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
