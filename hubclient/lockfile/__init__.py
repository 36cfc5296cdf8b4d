"""hubclient.lock: which models a project uses, byte for byte. It lies in the project's own repository."""

from hubclient.lockfile.file import LOCK_NAME, read_lock, write_lock
from hubclient.lockfile.lock import Lock
from hubclient.lockfile.pin import Canary, Pin

__all__ = ["LOCK_NAME", "Canary", "Lock", "Pin", "read_lock", "write_lock"]
