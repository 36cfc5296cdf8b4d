"""Free ports, and waiting for a server to answer on one."""

from __future__ import annotations

import random
import socket
import subprocess
import time


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def free_block(count: int) -> int:
    """The first of so many consecutive free ports, below those that systems give to outgoing connections:
    a server that opens several ports and connects to itself would else run into its own."""
    for _ in range(1000):
        first = random.randrange(10_000, 32_000 - count)
        if all(_is_free(port) for port in range(first, first + count)):
            return first
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 60) -> bool:
    """Whether the process listens; False if it ended before."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """At once: what a server of the tests would still save or wait for is of no use."""
    process.kill()
    process.wait()
