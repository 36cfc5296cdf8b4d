"""The cache of model folders."""

from __future__ import annotations

from hubclient.store.entry import Entry, StoredFile
from hubclient.store.store import Finding, Store

__all__ = ["Entry", "Finding", "Store", "StoredFile"]
