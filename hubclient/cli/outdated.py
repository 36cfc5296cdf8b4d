"""hub outdated"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from hubclient.cli.options import CacheDir, Json, Offline, hub_for
from hubclient.cli.output import one_line, print_json, print_rows

_FOUND = 1  # the exit code


def outdated(
    file: Annotated[Path | None, typer.Option("--lock", metavar="FILE", help="The lockfile (HUBCLIENT_LOCK, ./hubclient.lock).")] = None,
    cache_dir: CacheDir = None,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Show which pinned models have a newer version.

    Cards and the live index are asked, and of Hugging Face repositories the Hub. The exit code is 1 if there is something newer.
    """
    from hubclient.check.outdated import outdated as newer_ones
    from hubclient.lockfile import read_lock

    hub = hub_for(cache_dir, offline)
    lock = read_lock(file or Path(os.environ.get("HUBCLIENT_LOCK") or "hubclient.lock"))
    found = list(newer_ones(hub, lock))
    newer = [each for each in found if each.newest is not None]
    if json:
        for each in found:
            pinned = each.pin.commit or each.pin.version
            print_json({"model": str(each.pin), "pinned": pinned, "newest": each.newest, "source": each.source, "why": each.why})
    else:
        rows = [(str(each.pin), each.pin.commit or each.pin.version or "?", each.newest or "", each.source or "") for each in newer]
        print_rows(("model", "pinned", "newest", "where"), rows) if rows else None
        for each in found:
            if each.newest is None:
                print(one_line(f"{each.pin}: {each.why}: nobody can tell"), file=sys.stderr)
    if newer:
        raise typer.Exit(_FOUND)
