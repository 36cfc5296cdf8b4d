"""What the page asks is answered as the page shows."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hubclient.serve import Limits
from tests.e2e.material import ROOT
from tests.serve.conftest import DEMO_MODEL, Served, Start

PAGE: str = (ROOT / "docs" / "serve.md").read_text(encoding="utf-8")
ASKED = re.compile(r"^```sh\n(curl .*?)^```\n\n```json\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


def asked(server: Served, command: str) -> Any:
    """What the command gets; `-d` makes it a POST."""
    _, quiet, url, *options = shlex.split(command)
    assert quiet == "-s"
    said = dict(zip(options[::2], options[1::2], strict=True))
    headers = dict([said["-H"].split(": ")]) if "-H" in said else {}
    return server.ask("POST" if "-d" in said else "GET", urlsplit(url).path, said.get("-d", "").encode() or None, headers).json


def rounded(value: Any) -> Any:
    return json.loads(json.dumps(value), parse_float=lambda digits: round(float(digits), 4))


def test_the_answers_on_the_page(starting: Start) -> None:
    server = starting(DEMO_MODEL)
    found = ASKED.findall(PAGE)
    assert len(found) == 3
    for command, answer in found:
        assert rounded(asked(server, command)) == json.loads(answer), command


def test_the_limits_on_the_page() -> None:
    limits = Limits()
    told = dict(re.findall(r"^\| `(--[\w-]+)[^`]*` \| ([\d,]+) \|", PAGE, re.MULTILINE))
    assert {name: int(value.replace(",", "")) for name, value in told.items()} == {
        "--max-body": limits.body >> 20,
        "--max-texts": limits.texts,
        "--max-characters": limits.characters,
        "--queue": limits.queue,
        "--timeout": limits.seconds,
    }
    assert f"A head may have {limits.head_bytes >> 10} KiB and take {limits.head_seconds:g} seconds" in PAGE
    assert f"a body {limits.body_seconds:g} seconds, and {limits.connections} connections" in PAGE
    assert f"at most {limits.stop_seconds:g} seconds" in PAGE


def test_every_limit_of_the_command_is_the_servers(tmp_path: Path) -> None:
    import inspect

    from hubclient.cli.serve import serve

    defaults = {name: parameter.default for name, parameter in inspect.signature(serve).parameters.items()}
    limits = Limits()
    assert (defaults["max_body"] << 20, defaults["max_texts"], defaults["max_characters"]) == (limits.body, limits.texts, limits.characters)
    assert (defaults["queue"], defaults["timeout"]) == (limits.queue, limits.seconds)
