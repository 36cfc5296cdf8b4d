"""Taking names out, and what only they meant; what is held, for whoever decides what goes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hubclient.errors import StoreInUse
from hubclient.sources.disk import disk_errors
from hubclient.store.content import StoredFile, tree_size
from hubclient.store.gate import gate
from hubclient.store.layer import Layer, as_time
from hubclient.store.leases import Leases
from hubclient.store.name import Name
from hubclient.store.staging import delete, taken_out


@dataclass(frozen=True)
class Holding:
    """A content with all its names, which go together. `size`: bytes that its removal frees. `used`: when any of them last was.
    `user`: the id of another process that uses it now."""

    digest: str
    names: tuple[Name, ...]
    size: int
    used: datetime
    user: str | None


def holdings(layer: Layer, leases: Leases) -> list[Holding]:
    """Everything that a folder holds, least recently used first."""
    named = list(layer.all_names())
    found = []
    for digest in {name.content for name, _ in named}:
        names = tuple(name for name, _ in named if name.content == digest)
        others = [name for name, _ in named if name.content != digest]
        size = tree_size(layer.contents / digest) + sum(file.size for file in _archives(names) - _archives(others))
        used = max(as_time(used) for name, used in named if name.content == digest)
        found.append(Holding(digest, names, size, used, leases.user_of(digest)))
    return sorted(found, key=lambda holding: (holding.used, holding.digest))


def remove(layer: Layer, leases: Leases, names: Sequence[Name], *, force: bool) -> int:
    """Gives how many bytes that freed. Raises StoreInUse when a content would go that another process uses (unless `force`)."""
    with disk_errors(layer.root), gate(layer):
        removed = {name.identity for name in names}
        left = [name for name, _ in layer.all_names() if name.identity not in removed]
        contents = {name.content for name in names} - {name.content for name in left}
        away = _taken_out(layer, leases, contents, force)
        for name in names:
            layer.record(name.identity).unlink(missing_ok=True)
        archives = [taken_out(layer.place_of(file), layer.staging) for file in _archives(names) - _archives(left)]
    freed = sum(tree_size(path) for path in (*away, *archives) if path)
    for path in (*away, *archives):
        if path:
            delete(path)
    return freed


def _taken_out(layer: Layer, leases: Leases, contents: Iterable[str], force: bool) -> list[Path]:
    taken = []
    for digest in contents:
        _demand_unused(leases, digest, force)
        if away := taken_out(layer.contents / digest, layer.staging):
            try:
                # Once more: a process may have begun to use it before it was gone.
                _demand_unused(leases, digest, force)
            except StoreInUse:
                os.rename(away, layer.contents / digest)
                raise
            taken.append(away)
    return taken


def _demand_unused(leases: Leases, digest: str, force: bool) -> None:
    if not force and (user := leases.user_of(digest)):
        hint = "end that process, or remove the model all the same with --force"
        raise StoreInUse("the model is in use", why=f"process {user} has opened it", hint=hint)


def _archives(names: Iterable[Name]) -> set[StoredFile]:
    return {name.archive for name in names if name.archive}
