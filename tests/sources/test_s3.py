"""Objects of a real S3 server, and of one that does as it is told where a real one cannot be made to."""

from __future__ import annotations

import base64
import hashlib
import sys
from pathlib import Path

import pytest

from hubclient.errors import ContentChanged, Forbidden, NotFound, Offline, ServerFailure, SourceError, Unreachable
from hubclient.settings import Settings
from hubclient.sources.http import send
from hubclient.sources.location import S3Location
from hubclient.sources.remote import Body
from hubclient.sources.s3 import S3File
from tests.servers.ports import free_port
from tests.servers.script import Reply, Request, ScriptedServer, file_reply, running_script
from tests.servers.seaweed import PRIVATE_BUCKET, PUBLIC_BUCKET, Seaweed

CONTENT = bytes(range(256)) * 1000


def settings(endpoint: str, *, offline: bool = False) -> Settings:
    return Settings(cache_dir=Path("unused"), s3_endpoint=endpoint, offline=offline)


def content(body: Body) -> bytes:
    return b"".join(body.chunks)


def be_owner(seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in seaweed.credentials().items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("key", ["public/models/a.zip", "public/a b+c%20é~=&.zip"])
def test_a_public_object_needs_no_credentials(seaweed: Seaweed, key: str) -> None:
    seaweed.put(seaweed.public_bucket, key, CONTENT)
    file = S3File(S3Location(seaweed.public_bucket, key), settings(seaweed.endpoint))
    stat = file.stat()
    assert (stat.size, stat.digests.md5) == (len(CONTENT), hashlib.md5(CONTENT).hexdigest())
    assert content(file.read(etag=stat.etag)) == CONTENT
    assert content(file.read(255_990, etag=stat.etag)) == CONTENT[255_990:]


def test_unsigned_requests_do_not_import_boto3(seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch) -> None:
    seaweed.put(seaweed.public_bucket, "light.zip", CONTENT)
    be_owner(seaweed, monkeypatch)
    monkeypatch.setitem(sys.modules, "boto3", None)
    assert S3File(S3Location(seaweed.public_bucket, "light.zip"), settings(seaweed.endpoint)).stat().size == len(CONTENT)


@pytest.mark.parametrize("key", ["k.zip", "public/a b+c%20é~=&.zip"])
def test_a_private_object_is_signed_for(seaweed: Seaweed, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seaweed.put(seaweed.private_bucket, key, CONTENT)
    be_owner(seaweed, monkeypatch)
    file = S3File(S3Location(seaweed.private_bucket, key), settings(seaweed.endpoint))
    stat = file.stat()
    assert stat.size == len(CONTENT)
    assert content(file.read(7, etag=stat.etag)) == CONTENT[7:]


def test_a_private_object_without_credentials_is_forbidden(seaweed: Seaweed) -> None:
    seaweed.put(seaweed.private_bucket, "k.zip", CONTENT)
    with pytest.raises(Forbidden, match="AccessDenied") as raised:
        S3File(S3Location(seaweed.private_bucket, "k.zip"), settings(seaweed.endpoint)).stat()
    assert "AWS_ACCESS_KEY_ID" in str(raised.value)


def test_wrong_credentials_are_forbidden(seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch) -> None:
    seaweed.put(seaweed.private_bucket, "k.zip", CONTENT)
    be_owner(seaweed, monkeypatch)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(Forbidden, match="SignatureDoesNotMatch") as raised:
        S3File(S3Location(seaweed.private_bucket, "k.zip"), settings(seaweed.endpoint)).stat()
    assert "credentials were tried" in str(raised.value)


def test_a_broken_aws_configuration_is_told(seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    with pytest.raises(Forbidden, match="no-such-profile"):
        S3File(S3Location(seaweed.private_bucket, "k.zip"), settings(seaweed.endpoint)).stat()


def test_a_missing_object_is_not_found(seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFound, match="NoSuchKey"):
        S3File(S3Location(seaweed.public_bucket, "missing.zip"), settings(seaweed.endpoint)).stat()
    with pytest.raises(NotFound):
        S3File(S3Location(seaweed.public_bucket, "missing.zip"), settings(seaweed.endpoint)).read()
    be_owner(seaweed, monkeypatch)
    with pytest.raises(NotFound, match="NoSuchBucket"):
        S3File(S3Location("nobody.example", "a.zip"), settings(seaweed.endpoint)).stat()


def test_a_changed_object_is_noticed(seaweed: Seaweed) -> None:
    seaweed.put(seaweed.public_bucket, "changes.zip", CONTENT)
    file = S3File(S3Location(seaweed.public_bucket, "changes.zip"), settings(seaweed.endpoint))
    etag = file.stat().etag
    seaweed.put(seaweed.public_bucket, "changes.zip", CONTENT[::-1])
    with pytest.raises(ContentChanged):
        file.read(10, etag=etag)


@pytest.mark.parametrize("bucket", [PUBLIC_BUCKET, PRIVATE_BUCKET])
def test_an_unchanged_object_is_told_by_one_question(seaweed: Seaweed, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    be_owner(seaweed, monkeypatch)
    seaweed.put(bucket, "revalidated.json", CONTENT)
    file = S3File(S3Location(bucket, "revalidated.json"), settings(seaweed.endpoint))
    stat = file.stat()
    assert file.changed(stat.etag) is None
    seaweed.put(bucket, "revalidated.json", CONTENT[::-1])
    changed = file.changed(stat.etag)
    assert changed is not None
    assert changed.digests.md5 == hashlib.md5(CONTENT[::-1]).hexdigest()


def test_a_real_server_answers_not_modified(seaweed: Seaweed) -> None:
    seaweed.put(seaweed.public_bucket, "conditional.json", CONTENT)
    url = f"{seaweed.endpoint}/{seaweed.public_bucket}/conditional.json"
    etag = send("HEAD", url, {}).headers["ETag"]
    assert send("HEAD", url, {"If-None-Match": etag}).status == 304


def test_an_empty_object(seaweed: Seaweed) -> None:
    seaweed.put(seaweed.public_bucket, "empty.zip", b"")
    assert S3File(S3Location(seaweed.public_bucket, "empty.zip"), settings(seaweed.endpoint)).stat().size == 0


def test_a_refused_connection_and_an_unknown_host_are_told_apart_from_trouble(script: ScriptedServer) -> None:
    for endpoint, words in ((f"http://127.0.0.1:{free_port()}", "no connection to 127"), ("http://host.invalid", "is not known")):
        with pytest.raises(Unreachable, match=words):
            S3File(S3Location("b", "k"), settings(endpoint)).stat()
    script.answer = lambda request: Reply(
        503, b"<Error><Code>SlowDown</Code><Message>Please reduce</Message></Error>", {"Retry-After": "7"}
    )
    with pytest.raises(ServerFailure) as raised:
        S3File(S3Location("b", "k"), settings(script.endpoint)).stat()
    assert raised.value.retry_after == 7
    with pytest.raises(ServerFailure, match="SlowDown: Please reduce"):
        S3File(S3Location("b", "k"), settings(script.endpoint)).read()


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, SourceError), (401, Forbidden), (403, Forbidden), (404, NotFound), (410, NotFound), (429, ServerFailure), (500, ServerFailure)],
)
def test_statuses(script: ScriptedServer, status: int, error: type[SourceError]) -> None:
    script.answer = lambda request: Reply(status)
    with pytest.raises(SourceError, match=f"HTTP {status}") as raised:
        S3File(S3Location("b", "k"), settings(script.endpoint)).stat()
    assert type(raised.value) is error
    assert raised.value.where == f"{script.endpoint}/b/k"


def test_offline_opens_no_socket(script: ScriptedServer) -> None:
    file = S3File(S3Location("b", "k"), settings(script.endpoint, offline=True))
    with pytest.raises(Offline):
        file.stat()
    with pytest.raises(Offline):
        file.read()
    assert script.requests == []


def test_checksums_that_speak_of_the_whole_content_are_known(script: ScriptedServer) -> None:
    sha256 = hashlib.sha256(CONTENT)
    checksum = {"x-amz-checksum-sha256": base64.b64encode(sha256.digest()).decode()}
    script.answer = lambda request: file_reply(request, CONTENT, '"abc-2"', headers=checksum)
    stat = S3File(S3Location("b", "k"), settings(script.endpoint)).stat()
    assert (stat.digests.sha256, stat.digests.md5) == (sha256.hexdigest(), None)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-server-side-encryption": "aws:kms"},
        {"x-amz-server-side-encryption": "aws:kms:dsse"},
        {"X-Amz-Server-Side-Encryption-Customer-Algorithm": "AES256"},
        {"x-amz-checksum-sha256": "AAAA-2"},
    ],
)
def test_the_etag_of_an_encrypted_object_is_no_md5(script: ScriptedServer, headers: dict[str, str]) -> None:
    script.answer = lambda request: file_reply(request, CONTENT, f'"{"0" * 32}"', headers=headers)
    stat = S3File(S3Location("b", "k"), settings(script.endpoint)).stat()
    assert stat.digests.sha256 is None
    assert (stat.digests.md5 is None) == ("x-amz-checksum-sha256" not in headers)


def signed_only(request: Request) -> Reply:
    return (
        file_reply(request, CONTENT, '"e"')
        if "Authorization" in request.headers
        else Reply(403, headers={"x-amz-bucket-region": "eu-west-3"})
    )


def test_the_buckets_region_is_signed_for(script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "temporary")
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    script.answer = signed_only
    S3File(S3Location("b", "k"), settings(script.endpoint)).stat()
    headers = script.requests[-1].headers
    assert "/eu-west-3/s3/aws4_request" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == "temporary"


def test_credentials_stay_with_their_origin(script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with running_script() as other:
        other.answer = lambda request: Reply(403)
        moved = Reply(307, headers={"Location": f"{other.endpoint}/b/k"})
        script.answer = lambda request: moved if "Authorization" in request.headers else Reply(403)
        with pytest.raises(Forbidden):
            S3File(S3Location("b", "k"), settings(script.endpoint)).stat()
        assert any("Authorization" in request.headers for request in script.requests)
        assert other.requests
        assert not any({"authorization", "x-amz-security-token"} & {name.lower() for name in request.headers} for request in other.requests)


def test_a_refusal_by_another_origin_is_not_answered_with_credentials(script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with running_script() as other:
        other.answer = lambda request: Reply(403)
        script.answer = lambda request: Reply(302, headers={"Location": other.endpoint})
        with pytest.raises(Forbidden):
            S3File(S3Location("b", "k"), settings(script.endpoint)).stat()
        assert not any("Authorization" in request.headers for request in script.requests + other.requests)
