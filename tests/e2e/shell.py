"""The command `hub` as a process, and what the store holds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HUB = Path(sys.executable).with_name("hub")


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


def hub(*arguments: str | Path, text: str = "", env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Run:
    """Run the command to its end with `text` on stdin; warnings of Python are errors in it too."""
    done = subprocess.run(
        [HUB, *arguments],
        input=text.encode("utf-8", "surrogateescape"),
        capture_output=True,
        env={**os.environ, "PYTHONWARNINGS": "error", "PYTHONIOENCODING": "utf-8", **(env or {})},
        cwd=cwd,
        timeout=120,
    )
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())


def python(code: str, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Run:
    """Run a program in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments], capture_output=True, env={**os.environ, **(env or {})}, timeout=120
    )
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())


def cache() -> Path:
    """The test's own cache folder."""
    return Path(os.environ["HUBCLIENT_CACHE"])


def models(root: Path | None = None) -> list[Path]:
    """The folders of the models in a cache."""
    return sorted(((root or cache()) / "contents").glob("*"))


def names(root: Path | None = None) -> list[Path]:
    """The names of the models in a cache: one content may have several."""
    return sorted(((root or cache()) / "names").glob("*"))


def holdings(root: Path | None = None) -> dict[str, int]:
    """Every file of the models and of their names, and whatever is left in staging: name -> size. Lock files are no content."""
    root = root or cache()
    files = [file for part in ("contents", "names", "archives", "staging") for file in (root / part).rglob("*")]
    return {file.relative_to(root).as_posix(): file.stat().st_size for file in files if file.is_file()}
