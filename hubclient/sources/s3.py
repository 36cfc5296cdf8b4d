"""An object in S3 or a compatible store: asked without a signature first, signed only when that is refused.

Addresses are path style, `ENDPOINT/BUCKET/KEY`: bucket names with dots fit no wildcard certificate.
Signing is botocore's (Signature Version 4), and boto3's credential chain says who asks.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from hubclient.errors import Forbidden, SourceError
from hubclient.settings import AWS_ENDPOINT, Settings
from hubclient.sources import http
from hubclient.sources.location import S3Location, WebLocation
from hubclient.sources.remote import Stat
from hubclient.sources.s3_checksums import announced
from hubclient.sources.web import WebFile

_DEFAULT_REGION = "us-east-1"
_REGION = re.compile(r"[a-z0-9-]+")


class S3File(WebFile):
    def __init__(self, location: S3Location, settings: Settings) -> None:
        self._path = path_of(location)
        super().__init__(WebLocation(settings.s3_endpoint + self._path), settings)
        self._region: str | None = None
        self._signer: http.Authorize | None = None
        self._identified = False

    def _send(self, method: str, headers: Mapping[str, str]) -> http.Answer:
        asked = {**headers, "x-amz-checksum-mode": "ENABLED"} if method == "HEAD" else headers
        answer = self._send_signed(method, asked)
        if self._is_elsewhere(answer):
            answer.close()
            self._address = f"https://s3.{self._region}.amazonaws.com{self._path}"
            answer = self._send_signed(method, asked)
        if answer.status in (401, 403) and self._signer is None and http.origin_of(answer.url) == http.origin_of(self._address):
            self._learn_region(answer)
            self._signer = self._find_signer()
            if self._signer is not None:
                answer.close()
                return self._send_signed(method, asked)
        return answer

    def _send_signed(self, method: str, headers: Mapping[str, str], query: str = "") -> http.Answer:
        return http.send(method, self._address + query, headers, authorize=self._signer, silence=self._silence)

    def _is_elsewhere(self, answer: http.Answer) -> bool:
        """AWS's general endpoint serves one region, and names the region of a bucket that lies in another."""
        self._learn_region(answer)
        general = self._address.startswith(AWS_ENDPOINT + "/")
        return general and answer.status in (301, 307, 400) and self._region is not None

    def _learn_region(self, answer: http.Answer) -> None:
        told = answer.headers.get("x-amz-bucket-region", "")
        if _REGION.fullmatch(told):
            self._region = told

    def _find_signer(self) -> http.Authorize | None:
        if self._identified:
            return None
        self._identified = True
        import boto3
        from botocore.exceptions import BotoCoreError

        try:
            session = boto3.Session()
            credentials = session.get_credentials()
        except BotoCoreError as error:
            raise _unusable(error, self.url) from error
        region = self._region or session.region_name or os.environ.get("AWS_REGION") or _DEFAULT_REGION
        return _signer(credentials, region) if credentials else None

    def _failure(self, answer: http.Answer) -> SourceError:
        hint = None
        if answer.status in (401, 403):
            hint = "your AWS credentials were tried: check that they may read this bucket" if self._signer else None
            hint = hint or "if the bucket is private, give AWS credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE)"
        return http.failure(answer, hint)

    def _facts(self, size: int, headers: Mapping[str, str]) -> Stat:
        return Stat(size, headers.get("ETag"), announced(headers))

    def part_size(self, stat: Stat) -> int | None:
        """By a question for the first part, which S3 answers with its length; not every look-alike does."""
        if not stat.digests.composites:
            return None
        answer = self._send_signed("HEAD", {}, "?partNumber=1")
        answer.close()
        told, count = answer.headers.get("Content-Length", ""), answer.headers.get("x-amz-mp-parts-count", "")
        is_part = answer.status == 206 and answer.headers.get("ETag") == stat.etag and count.isdecimal() and told.isdecimal()
        return int(told) if is_part else None


def path_of(location: S3Location) -> str:
    """Behind the endpoint."""
    return f"/{quote(location.bucket, safe='')}/{quote(location.key, safe='/~')}"


def _signer(credentials: Any, region: str) -> http.Authorize:
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.exceptions import BotoCoreError

    def authorize(method: str, url: str, headers: Mapping[str, str]) -> Mapping[str, str]:
        try:
            # Temporary credentials are renewed here: a long transfer may outlive them.
            current = credentials.get_frozen_credentials()
        except BotoCoreError as error:
            raise _unusable(error, url) from error
        request = AWSRequest(method=method, url=url, headers=dict(headers))
        S3SigV4Auth(current, "s3", region).add_auth(request)
        return dict(request.headers.items())

    return authorize


def _unusable(error: Exception, url: str) -> Forbidden:
    return Forbidden(
        "access was refused without credentials, and yours cannot be used",
        where=url,
        why=str(error),
        hint="correct your AWS configuration (AWS_PROFILE, ~/.aws)",
    )
