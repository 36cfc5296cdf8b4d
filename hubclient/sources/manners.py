"""How often a host is asked: without a limit on one's own network, politely out in the world, and not while it asks for rest."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable

POLITE = 20.0
_PRIVATE_ENDINGS = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


class Manners:
    """`rate`: requests a second to any one host; None: `POLITE` for a public one, and no limit for others. For several threads at once."""

    def __init__(self, rate: float | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._lock = threading.Lock()
        self._free: dict[str, float] = {}
        self._resting: dict[str, float] = {}

    def turn(self, host: str) -> float:
        """How many seconds to wait before the next request, which is then counted."""
        rate = self._rate or (POLITE if is_public(host) else None)
        with self._lock:
            now = self._clock()
            start = max(now, self._free.get(host, now), self._resting.get(host, now))
            if rate is not None:
                self._free[host] = start + 1 / rate
            return start - now

    def rest(self, host: str, seconds: float) -> None:
        """The host asked not to be asked for so long (Retry-After)."""
        with self._lock:
            self._resting[host] = max(self._resting.get(host, 0.0), self._clock() + seconds)


def is_public(host: str) -> bool:
    """Whether a host is somebody else's, as far as its name tells.

    >>> [is_public(host) for host in ("s3.amazonaws.com", "localhost", "127.0.0.1", "::1", "10.1.2.3", "minio", "s3.my.internal")]
    [True, False, False, False, False, False, False]
    """
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.lower().rstrip(".").endswith(_PRIVATE_ENDINGS)
