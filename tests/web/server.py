"""`hub ui` as a process."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.shell import HUB


@contextmanager
def running_page(cache: Path, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """The page's address, without a slash at its end. It is ended as a person ends it, and must then end well."""
    process = subprocess.Popen(
        [HUB, "ui", "--port", "0", *arguments],
        env={**_environment(cache), **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:"), process.stderr.read()
        yield address.rstrip("/")
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert said == ""
    assert process.returncode in (0, 130)


def _environment(cache: Path) -> dict[str, str]:
    """Nothing of the machine's own settings: a server outlives the test that starts it."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    told = {"HOME": str(cache / "home"), "HUBCLIENT_CACHE": str(cache), "HUBCLIENT_LIVE_INDEX": "off", "AWS_EC2_METADATA_DISABLED": "true"}
    return {**kept, **told, "PYTHONWARNINGS": "error", "PYTHONDONTWRITEBYTECODE": "1"}
