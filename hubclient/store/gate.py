"""One process at a time changes which names and contents there are.

That takes moments. Who has not done after half a minute hangs, and nobody waits for it any longer: then all is as without locks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hubclient.locks import wait_lock
from hubclient.sources.disk import disk_errors
from hubclient.store.layer import Layer

# No name's lock: those end with a hash.
_FILE = "names.lock"
PATIENCE = 30.0


@contextmanager
def gate(layer: Layer) -> Iterator[bool]:
    """Gives whether it is certain that no other process does so now: file systems may have no locks. Raises StoreUnwritable."""
    with disk_errors(layer.locks):
        layer.locks.mkdir(parents=True, exist_ok=True)
        hold = wait_lock(layer.locks / _FILE, patience=PATIENCE)
    try:
        yield hold.state == "held"
    finally:
        hold.release()
