"""Models of the store, written into a bundle; those that are not there are pulled first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hubclient.acquire import Workshop
from hubclient.bundles.write import bundle_of, stream_bundle, write_bundle
from hubclient.errors import SomeFailed, UsageError
from hubclient.pulling import Parse, Pulled, plan_pulls, pull_planned
from hubclient.store import Entry


@dataclass(frozen=True)
class Bundled:
    """`models`: their identities. `size` and `sha256` are the bundle's own: who imports it can compare them."""

    models: tuple[str, ...]
    size: int
    sha256: str


def bundle(references: Iterable[str], target: Path | BinaryIO, parse: Parse, workshop: Workshop) -> Bundled:
    """All of them or nothing. Raises SomeFailed, or the error if it is one."""
    pulled = pull_planned(plan_pulls(references, parse, workshop), workshop)
    errors = [one.error for one in pulled if one.error]
    if errors:
        raise errors[0] if len(errors) == 1 else SomeFailed(f"{len(errors)} models cannot be had, and nothing was bundled", causes=errors)
    entries = _entries(pulled, workshop)
    content = bundle_of(entries)
    with workshop.progress.task("bundling", sum(map(content.size_of, content.contents))) as advance:
        if isinstance(target, Path):
            size, sha256 = write_bundle(content, entries, target, advance)
        else:
            size, sha256 = stream_bundle(content, entries, target, advance)
    return Bundled(tuple(name.identity for name in content.names), size, sha256)


def _entries(pulled: Sequence[Pulled], workshop: Workshop) -> list[Entry]:
    found = {one.reference: workshop.store.find(one.identity) if one.identity else None for one in pulled}
    if missing := [reference for reference, entry in found.items() if entry is None]:
        raise UsageError(f"'{missing[0]}' is not in the cache, and a bundle is made of what is", hint="hub import takes it there")
    return [entry for entry in found.values() if entry]
