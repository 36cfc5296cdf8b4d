"""Files behind web addresses: redirects, passwords, servers with few manners."""

from __future__ import annotations

from pathlib import Path

import pytest
import urllib3

from hubclient.errors import ContentChanged, CorruptTransfer, ServerFailure, SourceError, Unreachable, UsageError
from hubclient.settings import Settings
from hubclient.sources.http import Answer, _redirect_target, rest_asked, retry_after, send
from hubclient.sources.location import WebLocation
from hubclient.sources.remote import Stat
from hubclient.sources.web import WebFile
from tests.servers.script import Reply, Request, ScriptedServer, file_reply, running_script

CONTENT = b"0123456789" * 50
SETTINGS = Settings(cache_dir=Path("unused"))


def web_file(url: str) -> WebFile:
    return WebFile(WebLocation(url), SETTINGS)


def test_size_and_content(script: ScriptedServer) -> None:
    script.answer = lambda request: file_reply(request, CONTENT, '"e"')
    file = web_file(f"{script.endpoint}/a.zip")
    assert (file.stat().size, file.stat().digests.md5) == (500, None)
    assert b"".join(file.read(495, etag='"e"').chunks) == b"56789"
    assert script.requests[-1].headers["If-Match"] == '"e"'


def test_a_server_that_knows_no_head(script: ScriptedServer) -> None:
    script.answer = lambda request: Reply(405) if request.method == "HEAD" else file_reply(request, CONTENT, '"e"')
    assert web_file(f"{script.endpoint}/a.zip").stat().size == 500


def test_a_server_that_does_not_tell_the_size(script: ScriptedServer) -> None:
    script.answer = lambda request: Reply(200, headers={"Transfer-Encoding": "chunked"})
    with pytest.raises(SourceError, match="how long"):
        web_file(f"{script.endpoint}/a.zip").stat()


def test_compression_is_not_asked_for(script: ScriptedServer) -> None:
    script.answer = lambda request: file_reply(request, CONTENT, '"e"', headers={"Content-Encoding": "gzip"})
    assert b"".join(web_file(f"{script.endpoint}/a.zip").read().chunks) == CONTENT
    assert script.requests[-1].headers["Accept-Encoding"] == "identity"


def test_another_etag_under_a_success_is_a_change(script: ScriptedServer) -> None:
    script.answer = lambda request: Reply(206, CONTENT[1:], {"ETag": '"new"', "Content-Range": "bytes 1-499/500"})
    with pytest.raises(ContentChanged):
        web_file(f"{script.endpoint}/a.zip").read(1, etag='"old"')


def test_a_weak_etag_is_not_sent_back(script: ScriptedServer) -> None:
    script.answer = lambda request: file_reply(request, CONTENT, 'W/"e"')
    web_file(f"{script.endpoint}/a.zip").read(1, etag='W/"e"').close()
    assert "If-Match" not in script.requests[-1].headers


def test_one_conditional_request_tells_whether_the_content_changed(script: ScriptedServer) -> None:
    script.answer = lambda request: file_reply(request, CONTENT, '"new"')
    file = web_file(f"{script.endpoint}/a.zip")
    assert file.changed('"new"') is None
    assert [(request.method, request.headers["If-None-Match"]) for request in script.requests] == [("HEAD", '"new"')]
    assert file.changed('"old"') == Stat(500, '"new"')
    assert file.changed(None) == Stat(500, '"new"')
    assert "If-None-Match" not in script.requests[-1].headers


@pytest.mark.parametrize(("kept", "told"), [('"e"', '"e"'), ('W/"e"', '"e"'), ('"e"', 'W/"e"')])
def test_a_server_that_knows_no_conditions(script: ScriptedServer, kept: str, told: str) -> None:
    script.answer = lambda request: Reply(200, CONTENT, {"ETag": told})
    assert web_file(f"{script.endpoint}/a.zip").changed(kept) is None


def test_a_server_that_gives_no_etag_any_more(script: ScriptedServer) -> None:
    script.answer = lambda request: Reply(200, CONTENT)
    assert web_file(f"{script.endpoint}/a.zip").changed('"e"') == Stat(500)


def test_a_condition_on_a_server_that_knows_no_head(script: ScriptedServer) -> None:
    script.answer = lambda request: Reply(405) if request.method == "HEAD" else file_reply(request, CONTENT, '"e"')
    assert web_file(f"{script.endpoint}/a.zip").changed('"e"') is None
    assert script.sent == 0


def test_not_modified_answers_no_question_that_was_not_asked(script: ScriptedServer) -> None:
    script.answer = lambda request: Reply(304)
    file = web_file(f"{script.endpoint}/a.zip")
    with pytest.raises(SourceError, match="304"):
        file.stat()
    with pytest.raises(SourceError, match="304"):
        file.changed(None)


def test_a_part_must_say_which(script: ScriptedServer) -> None:
    script.answer = lambda request: Reply(206, CONTENT, {"Content-Type": "multipart/byteranges; boundary=x"})
    with pytest.raises(CorruptTransfer):
        web_file(f"{script.endpoint}/a.zip").read(1)


def hop(request: Request) -> Reply:
    left = int(request.path.strip("/").removesuffix(".zip"))
    return Reply(302, headers={"Location": f"/{left - 1}.zip"}) if left else file_reply(request, CONTENT, '"e"')


def test_five_redirects_are_followed_and_no_more(script: ScriptedServer) -> None:
    script.answer = hop
    assert web_file(f"{script.endpoint}/5.zip").stat().size == 500
    with pytest.raises(ServerFailure, match="redirects"):
        web_file(f"{script.endpoint}/6.zip").stat()


def test_a_password_goes_to_its_origin_only_and_is_never_shown(script: ScriptedServer) -> None:
    with running_script() as other:
        other.answer = lambda request: Reply(404)
        script.answer = lambda request: Reply(302, headers={"Location": f"{other.endpoint}/a.zip"})
        host = script.endpoint.removeprefix("http://")
        file = web_file(f"http://me:secret@{host}/a.zip?X-Amz-Signature=feed")
        with pytest.raises(SourceError) as raised:
            file.stat()
        assert script.requests[0].headers["Authorization"].startswith("Basic ")
        assert "Authorization" not in other.requests[0].headers
        assert "secret" not in f"{raised.value}{file.url}"
        assert "feed" not in f"{raised.value}{file.url}"


@pytest.mark.parametrize(
    "target", ["http://example.org/a.zip", "file:///etc/passwd", "ftp://example.org/a", "https://[::1", "//host:99999/a"]
)
def test_redirects_to_weaker_or_other_schemes_are_refused(target: str) -> None:
    answer = Answer("https://example.org/a.zip", 302, {"Location": target}, urllib3.HTTPResponse(b""))
    with pytest.raises(ServerFailure, match="not safe") as raised:
        _redirect_target(answer)
    assert raised.value.lasting


def test_a_failed_handshake_is_lasting(script: ScriptedServer) -> None:
    with pytest.raises(Unreachable, match="secure") as raised:
        web_file(script.endpoint.replace("http:", "https:") + "/a.zip").stat()
    assert raised.value.lasting


def test_credentials_with_a_line_break(script: ScriptedServer) -> None:
    with pytest.raises(SourceError, match="cannot be made") as raised:
        send("GET", f"{script.endpoint}/a.zip", {}, authorize=lambda method, url, headers: {"Authorization": "secret\n"})
    assert raised.value.lasting
    assert "secret" not in str(raised.value)


def test_a_proxy_that_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://[::1")
    with pytest.raises(SourceError, match="cannot be made"):
        web_file("http://far.invalid/a.zip").stat()


def test_a_host_that_cannot_be() -> None:
    with pytest.raises(Unreachable):
        web_file("http://a..b/a.zip").stat()


def test_a_proxy_is_used(script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    script.answer = lambda request: file_reply(request, CONTENT, '"e"')
    monkeypatch.setenv("http_proxy", script.endpoint)
    assert web_file("http://far.invalid/a.zip").stat().size == 500
    assert script.requests[0].path == "http://far.invalid/a.zip"
    monkeypatch.setenv("no_proxy", "far.invalid")
    with pytest.raises(Unreachable):
        web_file("http://far.invalid/a.zip").stat()


def test_a_ca_bundle_that_does_not_exist(script: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with pytest.raises(UsageError, match="REQUESTS_CA_BUNDLE"):
        web_file(f"{script.endpoint}/a.zip").stat()


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after("12") == 12
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert (retry_after("Fri, 31 Dec 2199 23:59:59 GMT") or 0) > 1e6
    assert retry_after("soon") is None
    assert retry_after(None) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"RateLimit": '"api";r=0;t=55'}, 55),
        ({"RateLimit": '"api"; r=0; t=55'}, 55),
        ({"RateLimit": '"api";r=7;t=55'}, None),
        ({"RateLimit": '"api";r=7;t=200, "resolvers";r=0;t=30, "pages";t=4;r=0'}, 30),
        ({"RateLimit": '"api";r=0'}, None),
        ({"RateLimit": "\0nonsense"}, None),
        ({"RateLimit": '"api";r=0;t=55', "Retry-After": "3"}, 3),
        ({"RateLimit": '"api";r=0;t=55', "Retry-After": "soon"}, 55),
    ],
)
def test_how_long_a_refusal_asks_to_be_left_alone(headers: dict[str, str], seconds: float | None) -> None:
    assert rest_asked(headers) == seconds
