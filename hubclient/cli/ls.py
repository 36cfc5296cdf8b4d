"""hub ls"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hubclient.cli.options import CacheDir, Json, hub_for
from hubclient.cli.output import human_size, print_json, print_rows

if TYPE_CHECKING:
    from hubclient.store import Entry


def ls(cache_dir: CacheDir = None, json: Json = False) -> None:
    """List the models that were pulled.

    Sizes are on disk, with the archive where it was kept; a content that several names share is counted once in the total. The age is since
    the model was stored.
    """
    store = hub_for(cache_dir).store
    entries = store.entries()
    if json:
        for entry in entries:
            print_json(_facts(entry))
    else:
        now = datetime.now(UTC)
        print_rows(("name", "lang", "version", "size", "age", "used", "origin"), sorted(_row(entry, now) for entry in entries))
    if damaged := len(store.names()) - len(entries):
        print(f"{damaged} model{'s are' if damaged > 1 else ' is'} damaged: hub verify --all", file=sys.stderr)
    if entries:
        print(f"{len(entries)} model{'s' * (len(entries) > 1)}, {human_size(_total(entries))}", file=sys.stderr)


def _row(entry: Entry, now: datetime) -> tuple[str, ...]:
    from hubclient.cli.quantities import age_of

    own = entry.name.own
    origin = str(own.get("origin", {}).get("url", "-"))
    named = [str(own.get(part) or "-") for part in ("name", "language", "lib_version")]
    return (*named, human_size(_size(entry)), age_of(entry.name.stored, now), age_of(entry.used, now), origin)


def _facts(entry: Entry) -> dict[str, object]:
    return {
        "identity": entry.identity,
        "path": str(entry.path),
        "size": _size(entry),
        "stored": entry.name.stored.isoformat(timespec="seconds"),
        "used": entry.used.isoformat(timespec="seconds"),
        "archive": str(entry.archive) if entry.archive else None,
        **entry.manifest,
    }


def _size(entry: Entry) -> int:
    return entry.size + (entry.name.archive.size if entry.name.archive and entry.archive else 0)


def _total(entries: list[Entry]) -> int:
    contents = {entry.digest: entry.size for entry in entries}
    archives = {entry.archive: entry.name.archive.size for entry in entries if entry.name.archive and entry.archive}
    return sum(contents.values()) + sum(archives.values())
