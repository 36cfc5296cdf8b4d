"""The shell sessions of a Markdown page: `$ command` lines, each followed by what it prints.

    python -m tests.package.console README.md

writes the page anew with what the commands print now.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    command: str
    output: str


def steps(page: str) -> list[Step]:
    return [step for block in _BLOCK.finditer(page) for step in _steps(block[1])]


def printed(command: str, cache: Path) -> str:
    """Standard output, with the cache and the checkout written as the reader's own."""
    run = subprocess.run(command, shell=True, env=environment(cache), capture_output=True, text=True, check=True, timeout=120)
    return neutral(run.stdout, cache)


def environment(cache: Path) -> Mapping[str, str]:
    scripts = Path(sys.executable).parent
    return {
        **os.environ,
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(_home(cache)),
        "HUBCLIENT_CACHE": str(cache),
        "HUBCLIENT_CONFIG": str(_home(cache) / ".config" / "hubclient"),
        "HUBCLIENT_LIVE_INDEX": "off",
        # Nobody listens there: what the pages show needs no network.
        "HUBCLIENT_S3_ENDPOINT": "http://127.0.0.1:9",
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "COLUMNS": "100",
        "TERM": "dumb",
        "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1",
    }


def neutral(text: str, cache: Path) -> str:
    root = Path(__file__).parents[2]
    return text.replace(str(_home(cache)), "~").replace(str(cache), "~/.cache/hubclient").replace(str(root) + os.sep, "")


def _home(cache: Path) -> Path:
    """The home folder of the pages' reader: what a page writes there lasts as long as its cache."""
    home = cache / "home"
    home.mkdir(exist_ok=True)
    return home


def rewritten(page: str, cache: Path) -> str:
    def block(match: re.Match[str]) -> str:
        return "```console\n" + "".join(f"$ {step.command}\n{printed(step.command, cache)}" for step in _steps(match[1])) + "```"

    return _BLOCK.sub(block, page)


def _steps(block: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield Step(command, output)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:]:
            path = Path(name)
            path.write_text(rewritten(path.read_text(encoding="utf-8"), Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
