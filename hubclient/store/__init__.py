"""The cache of model folders."""

from __future__ import annotations

from hubclient.store.content import StoredFile
from hubclient.store.entry import Entry
from hubclient.store.leftovers import Leftover
from hubclient.store.name import Name, parse_name
from hubclient.store.removal import Holding
from hubclient.store.store import Store
from hubclient.store.verify import Finding

__all__ = ["Entry", "Finding", "Holding", "Leftover", "Name", "Store", "StoredFile", "parse_name"]
