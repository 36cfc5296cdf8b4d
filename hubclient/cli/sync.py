"""hub sync"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hubclient.cli.options import CacheDir, Json, Offline, hub_for
from hubclient.cli.output import human_size, one_line, print_json
from hubclient.cli.several import conclude, tell

if TYPE_CHECKING:
    from hubclient.check.syncing import Synced
    from hubclient.hub import Hub
    from hubclient.lockfile import Lock


def sync(
    file: Annotated[Path | None, typer.Option("--lock", metavar="FILE", help="The lockfile (HUBCLIENT_LOCK, ./hubclient.lock).")] = None,
    frozen: Annotated[bool, typer.Option("--frozen", help="Refuse what the lock has no hash of, and leave the lock as it is.")] = False,
    exact: Annotated[bool, typer.Option("--exact", help="Remove what the lock does not pin.")] = False,
    cache_dir: CacheDir = None,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Make the cache hold what hubclient.lock pins, byte for byte.

    What the cache has of these bytes is used, whatever it was pulled as. Else mirrors are asked, and the source: nothing is taken that is
    not what the lock says. A pin without a hash is given that of what was fetched.
    """
    from hubclient.check.syncing import completed
    from hubclient.check.syncing import sync as synced
    from hubclient.lockfile import read_lock, write_lock

    hub = hub_for(cache_dir, offline)
    path = file or Path(os.environ.get("HUBCLIENT_LOCK") or "hubclient.lock")
    lock = read_lock(path)
    results = synced(hub, lock, frozen=frozen)
    for result in results:
        _print(result, json)
    after = completed(lock, results)
    if not frozen and after.pins != lock.pins and write_lock(after, path):
        print(f"{path} has the hashes of what was fetched now", file=sys.stderr)
    failed = [result.error for result in results if result.error]
    if exact and not failed:
        _remove_others(hub, lock, json)
    conclude(failed, len(results))


def _print(result: Synced, json: bool) -> None:
    if result.error:
        tell(result.error, str(result.pin))
    if json:
        print_json({"model": str(result.pin), "state": result.state, "error": str(result.error) if result.error else None})
    elif not result.error:
        print(f"{result.state}\t{one_line(str(result.pin))}")


def _remove_others(hub: Hub, lock: Lock, json: bool) -> None:
    from hubclient.check.syncing import others

    names = others(hub, lock)
    if not names:
        return
    freed = hub.store.remove(names)
    for name in names:
        if json:
            print_json({"model": name.identity, "state": "removed", "error": None})
        else:
            print(f"removed\t{one_line(name.identity)}")
    print(f"freed {human_size(freed)}", file=sys.stderr)
