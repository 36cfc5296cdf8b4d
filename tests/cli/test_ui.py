"""`hub ui` and `hub site` where they cannot do what is asked; tests/web has the page itself."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.shell import hub, python

WITHOUT = """
import sys
sys.modules[sys.argv[1]] = None
sys.argv = ["hub", *sys.argv[2:]]
from hubclient.cli import main
main()
"""


@pytest.mark.parametrize("missing", ["fastapi", "uvicorn", "jinja2", "markdown_it", "nh3"])
@pytest.mark.parametrize("command", [("ui", "--port", "0"), ("site", "build", "site")])
def test_a_missing_extra_is_named(missing: str, command: tuple[str, ...], tmp_path: Path) -> None:
    arguments = [part if part != "site" or place == 0 else str(tmp_path / part) for place, part in enumerate(command)]
    done = python(WITHOUT, missing, *arguments)
    assert done.code != 0
    assert "hubclient[web]" in done.err
    assert "Traceback" not in done.err
    assert not list(tmp_path.iterdir())


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_that_is_taken(taken: int) -> None:
    done = hub("ui", "--port", str(taken))
    assert done.code == 2
    assert "another program listens there" in done.err


@pytest.mark.parametrize(("option", "value", "told"), [("--host", "203.0.113.1", "cannot be served there"), ("--port", "65536", "65536")])
def test_addresses_that_cannot_be_had(option: str, value: str, told: str) -> None:
    done = hub("ui", option, value, *(() if option == "--port" else ("--port", "0")))
    assert done.code == 2
    assert told in done.err


def test_cards_must_be_a_folder(tmp_path: Path) -> None:
    for command in (("ui", "--port", "0"), ("site", "build", tmp_path / "site")):
        assert "there is no folder" in hub(*command, "--cards", tmp_path / "missing").err
