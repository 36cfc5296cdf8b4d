"""A server that is far away: a network namespace of our own, in which every packet of one port is held up.

Needs root, `ip`, `iptables`, and what NetfilterQueue is built with (Debian: iptables, libnetfilter-queue-dev, gcc, python3-dev).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from measure.peers import peer

_QUEUE = "NetfilterQueue==1.1.0"


def obstacle(shared: Path) -> str | None:
    """Why nothing can be put at a distance here."""
    if os.name != "posix" or os.geteuid() != 0:
        return "only root may make network namespaces"
    missing = [command for command in ("ip", "iptables") if shutil.which(command) is None]
    if missing:
        return f"missing: {', '.join(missing)}"
    return None if _program(shared).exists() else "the program that delays packets is not there (see --shared)"


@contextmanager
def namespace() -> Iterator[Sequence[str]]:
    """What to write before a command so that it runs there. Nothing outside can be reached from within."""
    peer(_QUEUE)
    name = f"hubclient-bench-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        inside = ["ip", "netns", "exec", name]
        subprocess.run([*inside, "ip", "link", "set", "lo", "up"], check=True)
        yield inside
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


@contextmanager
def far_away(port: int, milliseconds: float, shared: Path) -> Iterator[None]:
    """Within such a namespace: packets of that port take so long, each way."""
    process = subprocess.Popen([peer(_QUEUE) / "python", _program(shared), str(port), str(milliseconds)], stdout=subprocess.DEVNULL)
    # It says nothing when it is ready.
    time.sleep(1)
    if process.poll() is not None:
        sys.exit("packets cannot be delayed here")
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _program(shared: Path) -> Path:
    return shared / "servers" / "nfqdelay.py"
