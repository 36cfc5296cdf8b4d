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
        size = sum(map(tree_size, _places(layer, digest))) + sum(file.size for file in _archives(names) - _archives(others))
        used = max(as_time(used) for name, used in named if name.content == digest)
        found.append(Holding(digest, names, size, used, leases.user_of(digest)))
    return sorted(found, key=lambda holding: (holding.used, holding.digest))


def freed_by(layer: Layer, names: Sequence[Name]) -> int:
    """How many bytes the removal of these names would free."""
    return sum(map(tree_size, _only_theirs(layer, names)))


def remove(layer: Layer, leases: Leases, names: Sequence[Name], *, force: bool) -> int:
    """All of them or none; gives how many bytes that freed. Raises StoreInUse when a content would go that another process uses (unless
    `force`)."""
    with disk_errors(layer.root), gate(layer):
        going = _only_theirs(layer, names)
        _demand_unused(leases, going, force)
        away = {path: gone for path in going if (gone := taken_out(path, layer.staging))}
        try:
            # Once more: a process may have begun to use one before it was gone.
            _demand_unused(leases, going, force)
        except StoreInUse:
            for path, gone in away.items():
                os.rename(gone, path)
            raise
        for name in names:
            layer.record(name.identity).unlink(missing_ok=True)
    freed = sum(map(tree_size, away.values()))
    for gone in away.values():
        delete(gone)
    return freed


def _only_theirs(layer: Layer, names: Sequence[Name]) -> list[Path]:
    """The contents and archives that no other name means."""
    removed = {name.identity for name in names}
    left = [name for name, _ in layer.all_names() if name.identity not in removed]
    contents = {name.content for name in names} - {name.content for name in left}
    archives = _archives(names) - _archives(left)
    return [*(place for digest in contents for place in _places(layer, digest)), *map(layer.place_of, archives)]


def _places(layer: Layer, digest: str) -> list[Path]:
    """Where a content is, and what was made of it."""
    return [layer.contents / digest, layer.derived / digest]


def _demand_unused(leases: Leases, paths: Iterable[Path], force: bool) -> None:
    for path in paths:
        if not force and (user := leases.user_of(path.name)):
            raise StoreInUse("the model is in use", where=str(path), why=f"the process {user} opened it", hint="end it, or use --force")


def _archives(names: Iterable[Name]) -> set[StoredFile]:
    return {name.archive for name in names if name.archive}
