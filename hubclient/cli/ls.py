"""hub ls"""

from __future__ import annotations

from hubclient.cli.options import CacheDir, Json, hub_for
from hubclient.cli.output import human_size, print_json, print_rows


def ls(cache_dir: CacheDir = None, json: Json = False) -> None:
    """List the models that were pulled."""
    entries = hub_for(cache_dir).store.entries()
    if json:
        for entry in entries:
            print_json({"identity": entry.identity, "path": str(entry.path), "size": entry.size, **entry.manifest})
        return
    rows = []
    for entry in entries:
        manifest = entry.manifest
        rows.append(
            (
                str(manifest.get("name") or "-"),
                str(manifest.get("language") or "-"),
                str(manifest.get("lib_version") or "-"),
                human_size(entry.size),
                str(manifest.get("origin", {}).get("url", "-")),
            )
        )
    print_rows(("name", "lang", "version", "size", "origin"), sorted(rows))
