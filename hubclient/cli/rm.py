"""hub rm"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hubclient.cli.options import CacheDir, Json, Lang, hub_for
from hubclient.cli.output import human_size, print_json


def rm(
    refs: Annotated[list[str], typer.Argument(metavar="REF...", help="What to remove, as for hub pull.")],
    lang: Lang = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    cache_dir: CacheDir = None,
    json: Json = False,
) -> None:
    """Remove models from the cache.

    Every stored version that the reference means is removed.
    """
    from hubclient.stored import stored_entries

    hub = hub_for(cache_dir)
    entries = {entry.path: entry for ref in refs for entry in stored_entries(hub.store, hub.parse(ref, lang), hub.known)}
    for entry in entries.values():
        size = entry.size if dry_run else hub.store.remove(entry)
        print(f"{'would remove' if dry_run else 'removed'} {entry.identity} ({human_size(size)})", file=sys.stderr)
        if json:
            print_json({"identity": entry.identity, "path": str(entry.path), "size": size, "removed": not dry_run})
