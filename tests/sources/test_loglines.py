"""No log line, of whatever library and at whatever level, holds what lets somebody in."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from hubclient.settings import Settings
from hubclient.sources.location import S3Location, WebLocation
from hubclient.sources.s3 import S3File
from hubclient.sources.web import WebFile
from tests.servers.script import Reply, Request, ScriptedServer, file_reply

CONTENT = b"content" * 100


def test_signed_requests(script: ScriptedServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-secret-key")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "the-secret-token")

    def answer(request: Request) -> Reply:
        return file_reply(request, CONTENT, '"e"') if "Authorization" in request.headers else Reply(403)

    script.answer = answer
    with caplog.at_level(logging.DEBUG):
        file = S3File(S3Location("b", "k"), Settings(cache_dir=Path("unused"), s3_endpoint=script.endpoint))
        assert b"".join(file.read(0, file.stat().size).chunks) == CONTENT
    assert "/b/k" in caplog.text
    assert "the-secret" not in caplog.text
    assert script.requests[-1].headers["Authorization"].rpartition("Signature=")[2] not in caplog.text


@pytest.mark.parametrize("start", [0, 5])
def test_signed_addresses(script: ScriptedServer, caplog: pytest.LogCaptureFixture, start: int) -> None:
    script.answer = lambda request: (
        Reply(302, headers={"Location": "/elsewhere?versionId=7&X-Amz-Signature=the-secret-2"})
        if "versionId" not in request.path
        else file_reply(request, CONTENT, '"e"')
    )
    host = script.endpoint.removeprefix("http://")
    with caplog.at_level(logging.DEBUG):
        file = WebFile(WebLocation(f"http://me:the-secret-1@{host}/a?sig=the-secret-3"), Settings(cache_dir=Path("unused")))
        assert b"".join(file.read(start).chunks) == CONTENT[start:]
    assert "versionId=7" in caplog.text
    assert "the-secret" not in caplog.text
