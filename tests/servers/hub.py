"""Starts fakehub.py, a stand-in for the Hugging Face Hub."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3

from tests.servers.ports import free_block, stop, wait_for

TOKEN = "hf_test"


@dataclass(frozen=True)
class FakeHub:
    """Serves `root`/ORG/NAME. Repositories named `private…` and `gated…` want `token`."""

    endpoint: str
    root: Path
    token: str = TOKEN

    def add(self, repo: str, files: dict[str, bytes] | Path) -> Path:
        """A repository with these files, or a copy (by links) of a folder's."""
        folder = self.root / repo
        if isinstance(files, Path):
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.symlink_to(files.resolve(), target_is_directory=True)
            return folder
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return folder

    def fault(self, *, cut: int = 0, p503: int = 0) -> None:
        """Cut each large file's answer after so many bytes; answer so many per cent of requests with 503."""
        urllib3.request("GET", f"{self.endpoint}/_fault?cut={cut}&p503={p503}", retries=False)


@contextmanager
def running_fakehub(root: Path) -> Iterator[FakeHub]:
    root = root.resolve()
    process, port = _start(root)
    try:
        yield FakeHub(f"http://127.0.0.1:{port}", root)
    finally:
        stop(process)


def _start(root: Path) -> tuple[subprocess.Popen[bytes], int]:
    command = [sys.executable, str(Path(__file__).with_name("fakehub.py")), str(root)]
    for _ in range(5):
        port = free_block(2)
        process = subprocess.Popen(
            [*command, str(port)], env={**os.environ, "FAKEHUB_TOKEN": TOKEN}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if wait_for(port, process) and wait_for(port + 1, process):
            return process, port
        stop(process)
    raise AssertionError("fakehub.py does not start")
