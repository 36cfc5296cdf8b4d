"""hub path"""

from __future__ import annotations

from hubclient.cli.options import CacheDir, Json, Lang, Reference, hub_for
from hubclient.cli.output import print_json


def path(ref: Reference, lang: Lang = None, cache_dir: CacheDir = None, json: Json = False) -> None:
    """Print the folder of a pulled model.

    Its name is a hash of what it holds: models that are the same share it.
    """
    from hubclient.stored import stored_entries

    hub = hub_for(cache_dir)
    entry = stored_entries(hub.store, hub.parse(ref, lang), hub.known)[0]
    hub.store.use(entry)
    if json:
        print_json({"path": str(entry.path), "identity": entry.identity, "size": entry.size})
    else:
        print(entry.path)
