"""hub path"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubclient.cli.options import CacheDir, Json, Lang, Reference, hub_for
from hubclient.cli.output import print_json

if TYPE_CHECKING:
    from hubclient.hub import Hub
    from hubclient.store import Entry


def path(ref: Reference, lang: Lang = None, cache_dir: CacheDir = None, json: Json = False) -> None:
    """Print the folder of a pulled model.

    Its name is a hash of what it holds: models that are the same share it.
    """
    from hubclient.stored import stored_entries

    hub = hub_for(cache_dir)
    entry = stored_entries(hub.store, hub.parse(ref, lang), hub.known)[0] if hub.lock is None else _pinned(hub, ref, lang)
    hub.store.use(entry)
    if json:
        print_json({"path": str(entry.path), "identity": entry.identity, "size": entry.size})
    else:
        print(entry.path)


def _pinned(hub: Hub, ref: str, lang: str | None) -> Entry:
    """What the lock in force means by the reference, whatever else there is of that name."""
    from hubclient.errors import NotFound
    from hubclient.plan import UseStored

    plan = hub.find(ref, lang).plan
    if not isinstance(plan, UseStored):
        raise NotFound(f"what the lock pins as '{ref}' is not in the store", where=str(hub.store.root), hint="hub sync brings it")
    return plan.entry
