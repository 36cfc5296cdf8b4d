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
    force: Annotated[bool, typer.Option("--force", help="Also what another process uses.")] = False,
    cache_dir: CacheDir = None,
    json: Json = False,
) -> None:
    """Remove models from the cache.

    Every stored version that the reference means is removed. What other models share stays.
    """
    from hubclient.stored import stored_names

    hub = hub_for(cache_dir)
    names = {name.identity: name for ref in refs for name in stored_names(hub.store, hub.parse(ref, lang), hub.known)}
    going = list(names.values())
    paths = {name.identity: hub.store.folder_of(name) for name in going}
    freed = hub.store.freed_by(going) if dry_run else hub.store.remove(going, force=force)
    for name in going:
        print(f"{'would remove' if dry_run else 'removed'} {name.identity}", file=sys.stderr)
        if json:
            print_json({"identity": name.identity, "path": str(paths[name.identity]), "removed": not dry_run})
    print(f"{'would free' if dry_run else 'freed'} {human_size(freed)}", file=sys.stderr)
