"""One process at a time changes which names and contents there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hubclient.locks import wait_lock
from hubclient.sources.disk import disk_errors
from hubclient.store.layer import Layer

# No name's lock: those end with a hash.
_FILE = "names.lock"


@contextmanager
def gate(layer: Layer) -> Iterator[bool]:
    """Whether it is certain that no other process does so now: file systems may have no locks. Raises StoreUnwritable."""
    with disk_errors(layer.locks):
        layer.locks.mkdir(parents=True, exist_ok=True)
        hold = wait_lock(layer.locks / _FILE)
    try:
        yield hold.state == "held"
    finally:
        hold.release()
