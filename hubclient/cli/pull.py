"""hub pull"""

from __future__ import annotations

from hubclient.cli.options import CacheDir, Json, Lang, Offline, Reference, Revision, Source, checked_source, hub_for
from hubclient.cli.output import human_size, print_json


def pull(
    ref: Reference,
    lang: Lang = None,
    source: Source = None,
    revision: Revision = None,
    cache_dir: CacheDir = None,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Fetch a model and print its folder.

    It is verified and converted; what the cache has is not fetched again.
    """
    import sys
    import time

    from hubclient.plan import UseStored
    from hubclient.way import obtain

    hub = hub_for(cache_dir, offline)
    start = time.monotonic()
    target = hub.find(ref, lang, source=checked_source(source), revision=revision)
    cached = isinstance(target.plan, UseStored)
    model = obtain(hub.workshop, target)
    folder, manifest = model.folder, model.manifest
    if cached:
        print(f"cached: {manifest.origin.url}", file=sys.stderr)
    else:
        size = f" ({human_size(manifest.origin.size)})" if manifest.origin.size is not None else ""
        print(f"pulled {manifest.origin.url}{size} in {time.monotonic() - start:.1f} s", file=sys.stderr)
    if json:
        print_json({"path": str(folder), "cached": cached, **manifest.to_dict()})
    else:
        print(folder)
