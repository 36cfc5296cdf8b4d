"""What a failure means: gone, forbidden, or nothing at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubclient.check import rules
from hubclient.check.finding import Rule
from hubclient.check.verdicts import message_of, rule_of
from hubclient.errors import (
    AmbiguousModel,
    CorruptArchive,
    CorruptTransfer,
    Forbidden,
    HubError,
    InvalidReference,
    NoSourceLeft,
    NotFound,
    Offline,
    ServerFailure,
    SourceError,
    UnknownModel,
    Unreachable,
    UnsupportedModel,
)
from hubclient.settings import Settings
from hubclient.sources.huggingface import HubRepository
from hubclient.sources.location import HubLocation, S3Location
from hubclient.sources.s3 import S3File
from tests.servers.hub import FakeHub
from tests.servers.ports import free_port
from tests.servers.script import Reply, ScriptedServer


def s3_error(code: str, message: str = "Told.") -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()


# What S3 answers, by its documentation.
S3 = [
    (404, "NoSuchKey", rules.GONE),
    (404, "NoSuchBucket", rules.GONE),
    (410, "", rules.GONE),
    (403, "AccessDenied", rules.FORBIDDEN),
    (403, "AllAccessDisabled", rules.FORBIDDEN),
    (403, "AccountProblem", rules.FORBIDDEN),
    (403, "InvalidObjectState", rules.FORBIDDEN),
    (451, "", rules.FORBIDDEN),
    (403, "InvalidAccessKeyId", rules.CREDENTIALS),
    (403, "SignatureDoesNotMatch", rules.CREDENTIALS),
    (403, "RequestTimeTooSkewed", rules.CREDENTIALS),
    (403, "ExpiredToken", rules.CREDENTIALS),
    (403, "SlowDown", rules.SERVER_TROUBLE),
    (429, "", rules.SERVER_TROUBLE),
    (500, "InternalError", rules.SERVER_TROUBLE),
    (503, "SlowDown", rules.SERVER_TROUBLE),
    (400, "Odd", rules.SERVER_TROUBLE),
    (407, "", rules.UNREACHABLE),
]


@pytest.mark.parametrize(("status", "code", "rule"), S3, ids=lambda value: value.code if isinstance(value, Rule) else str(value))
def test_answers_of_s3(script: ScriptedServer, status: int, code: str, rule: Rule) -> None:
    script.answer = lambda request: Reply(status, s3_error(code) if code else b"")
    with pytest.raises(SourceError) as error:
        S3File(S3Location("b", "k.zip"), Settings(cache_dir=Path("x"), s3_endpoint=script.endpoint)).stat()
    assert rule_of(error.value) is rule
    assert error.value.code == (code if 400 <= status < 500 and code else None)


def hub_error(fakehub: FakeHub, tmp_path: Path, repo: str, token: str | None = None, endpoint: str | None = None) -> HubError:
    settings = Settings(cache_dir=tmp_path, hf_endpoint=endpoint or fakehub.endpoint, hf_token=token)
    with pytest.raises(HubError) as error:
        HubRepository(HubLocation(*repo.split("@")), settings, retries=0).resolve()
    return error.value


def test_answers_of_the_hub(fakehub: FakeHub, tmp_path: Path) -> None:
    fakehub.add("someone/open", {"config.json": b"{}"})
    fakehub.add("someone/private", {"config.json": b"{}"})
    for repo, token in (
        ("someone/nothing", None),
        ("someone/nothing", fakehub.token),
        ("someone/private", None),
        ("someone/open@gone", None),
    ):
        assert rule_of(hub_error(fakehub, tmp_path, repo, token)) is rules.GONE
    fakehub.fault(p503=100)
    assert rule_of(hub_error(fakehub, tmp_path, "someone/open")) is rules.SERVER_TROUBLE


# (status, X-Error-Code, X-Error-Message)
HUB = [
    (401, "RepoNotFound", "Repository not found", rules.GONE),
    (404, "RepoNotFound", "Repository not found", rules.GONE),
    (404, "RevisionNotFound", "Invalid rev id: x", rules.GONE),
    (401, "GatedRepo", "Access is restricted", rules.FORBIDDEN),
    (403, "GatedRepo", "Access is restricted", rules.FORBIDDEN),
    (403, "", "Access to this resource is disabled.", rules.FORBIDDEN),
    (401, "", "Invalid credentials in Authorization header", rules.CREDENTIALS),
    (401, "", "", rules.FORBIDDEN),
    (404, "", "", rules.GONE),
    (429, "", "", rules.SERVER_TROUBLE),
    (504, "", "", rules.SERVER_TROUBLE),
]


@pytest.mark.parametrize(
    ("status", "code", "message", "rule"), HUB, ids=lambda value: value.code if isinstance(value, Rule) else str(value)
)
def test_words_of_the_hub(script: ScriptedServer, tmp_path: Path, status: int, code: str, message: str, rule: Rule) -> None:
    headers = {name: value for name, value in (("X-Error-Code", code), ("X-Error-Message", message)) if value}
    script.answer = lambda request: Reply(status, b"{}", headers)
    settings = Settings(cache_dir=tmp_path, hf_endpoint=script.endpoint, hf_token="hf_x")
    with pytest.raises(SourceError) as error:
        HubRepository(HubLocation("o/r"), settings, retries=0).resolve()
    assert rule_of(error.value) is rule


def test_no_answer_at_all(tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(SourceError) as error:
        S3File(S3Location("b", "k"), Settings(cache_dir=tmp_path, s3_endpoint=endpoint)).stat()
    assert rule_of(error.value) is rules.UNREACHABLE
    with pytest.raises(SourceError) as error:
        S3File(S3Location("b", "k"), Settings(cache_dir=tmp_path, s3_endpoint="http://no.such.host.invalid")).stat()
    assert rule_of(error.value) is rules.UNREACHABLE


ERRORS = [
    (InvalidReference("x"), rules.INVALID_REFERENCE),
    (UnknownModel("x"), rules.UNKNOWN_MODEL),
    (AmbiguousModel("x"), rules.AMBIGUOUS),
    (UnknownModel("x", causes=[Unreachable("x")]), rules.UNREACHABLE),
    (UnknownModel("x", causes=[ServerFailure("x")]), rules.SERVER_TROUBLE),
    (UnknownModel("x", causes=[Offline("x")]), rules.OFFLINE),
    (Offline("x"), rules.OFFLINE),
    (CorruptTransfer("x"), rules.SERVER_TROUBLE),
    (CorruptArchive("x"), rules.BROKEN_ARCHIVE),
    (UnsupportedModel("x"), rules.UNOPENED),
    (NoSourceLeft("x", causes=[NotFound("x"), NotFound("y")]), rules.GONE),
    (NoSourceLeft("x", causes=[Forbidden("x"), NotFound("y")]), rules.FORBIDDEN),
    (NoSourceLeft("x", causes=[NotFound("x"), ServerFailure("y")]), rules.SERVER_TROUBLE),
]


@pytest.mark.parametrize(("error", "rule"), ERRORS, ids=lambda value: value.code if isinstance(value, Rule) else type(value).__name__)
def test_other_failures(error: HubError, rule: Rule) -> None:
    assert rule_of(error) is rule


def test_messages_are_one_line() -> None:
    error = Forbidden("access was refused", why="HTTP 403")
    error.code = "AccessDenied"
    assert message_of(error).startswith("access was refused: HTTP 403; S3 says the same of objects that are not there")
    error.code = "AllAccessDisabled"
    assert message_of(error).endswith("the whole bucket is closed")
    assert message_of(NotFound("there is no such object")) == "there is no such object"
