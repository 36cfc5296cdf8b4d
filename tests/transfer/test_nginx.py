"""The same faults from a real server of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hubclient.errors import ServerFailure, Unreachable
from hubclient.settings import Limits, Settings
from hubclient.sources.location import WebLocation
from hubclient.sources.web import WebFile
from hubclient.transfer.fetch import Fetched, fetch
from hubclient.transfer.line import Line
from tests.servers.nginx import nginx_command, running_nginx
from tests.transfer.faults import LARGE

pytestmark = pytest.mark.skipif(nginx_command() is None, reason="nginx is not installed")
SHA256 = hashlib.sha256(LARGE).hexdigest()


def fetched(
    endpoint: str, folder: Path, waits: list[float], *, name: str = "a.zip", retries: int = 4, limits: Limits | None = None
) -> Fetched:
    settings = Settings(cache_dir=folder, limits=Limits(silence=5))
    file = WebFile(WebLocation(f"{endpoint}/a.zip"), settings)
    line = Line(settings.limits)
    return fetch(file, folder / "target", parts=settings.transfers, line=line, retries=retries, sleep=waits.append)


@pytest.mark.parametrize(
    "trouble",
    [
        "",
        "max_ranges 0;",
        "limit_conn all 3; limit_conn_status 503;",
        "limit_conn all 3; limit_conn_status 429;",
        "if ($unlucky) { return 444; }",
        "error_page 599 = @busy; if ($unlucky) { return 599; }",
        "limit_rate 20m; limit_rate_after 1m;",
        "etag off;",
        "gzip on; gzip_types application/octet-stream;",
    ],
)
def test_the_right_bytes_come(trouble: str, tmp_path: Path) -> None:
    with running_nginx(tmp_path / "nginx", {"a.zip": LARGE}, trouble) as endpoint:
        assert fetched(endpoint, tmp_path, [], retries=50).sha256 == SHA256
    assert (tmp_path / "target").read_bytes() == LARGE
    assert list((tmp_path / "transfers").iterdir()) == []


@pytest.mark.parametrize(("trouble", "error"), [("return 444;", Unreachable), ("return 502;", ServerFailure)])
def test_or_one_error(trouble: str, error: type[Exception], tmp_path: Path) -> None:
    with running_nginx(tmp_path / "nginx", {"a.zip": LARGE}, trouble) as endpoint, pytest.raises(error):
        fetched(endpoint, tmp_path, [])
    assert not (tmp_path / "target").exists()


def test_connections_that_serve_one_request_each(tmp_path: Path) -> None:
    with running_nginx(tmp_path / "nginx", {"a.zip": LARGE}, keepalive_requests=1) as endpoint:
        assert fetched(endpoint, tmp_path, []).sha256 == SHA256


def test_a_limit_holds_over_all_streams(tmp_path: Path) -> None:
    """How long a person would have waited, by the line's own clock."""
    waited = 0.0

    def sleep(seconds: float) -> None:
        nonlocal waited
        waited += seconds

    settings = Settings(cache_dir=tmp_path, limits=Limits(jobs=4, rate=1e6))
    with running_nginx(tmp_path / "nginx", {"a.zip": LARGE}) as endpoint:
        line = Line(settings.limits, clock=lambda: waited, sleep=sleep)
        fetch(WebFile(WebLocation(f"{endpoint}/a.zip"), settings), tmp_path / "target", line=line)
    assert waited == pytest.approx(len(LARGE) / 1e6, rel=0.5)
