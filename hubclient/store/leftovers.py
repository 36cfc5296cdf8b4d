"""What ended processes left in a cache: it costs space and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hubclient.errors import StoreError
from hubclient.locks import discard, try_lock
from hubclient.store.content import is_digest, tree_size
from hubclient.store.layer import Layer, listed
from hubclient.store.name import Name
from hubclient.store.staging import abandoned, delete, is_old, sweep, taken_out


@dataclass(frozen=True)
class Leftover:
    path: Path
    size: int
    what: str


def find_leftovers(layers: tuple[Layer, ...], *, certain: bool) -> Iterator[Leftover]:
    """Those of the first layer. `certain`: no other process changes names and contents now; else only what is old is one."""
    layer = layers[0]
    names = [name for name, _ in layer.all_names()]
    for path in abandoned(layer.staging):
        yield _leftover(path, "left by a process that ended")
    for path in _nameless(layer, names):
        if certain or is_old(path):
            yield _leftover(path, "no name means it")
    for path in _broken_records(layers, names):
        if certain or is_old(path):
            yield _leftover(path, "a name without a content")
    for path in listed(layer.transfers):
        if is_old(path) and not _has_owner(path):
            yield _leftover(path, "a transfer that was given up")


def clean(layer: Layer, leftovers: Iterable[Leftover]) -> None:
    """Remove them, and what takes no room. Never fails."""
    for leftover in leftovers:
        with suppress(OSError):
            # Renamed first: half a content would be met by whoever pulls the same.
            inside = leftover.path.parent in (layer.contents, layer.transfers)
            away = taken_out(leftover.path, layer.staging) if inside else leftover.path
            if away:
                delete(away)
    sweep(layer.staging)
    with suppress(StoreError, OSError):
        for lock_file in listed(layer.locks):
            if is_old(lock_file) and (hold := try_lock(lock_file)).state == "held":
                discard(lock_file, hold)


def _leftover(path: Path, what: str) -> Leftover:
    return Leftover(path, tree_size(path), what)


def _has_owner(transfer: Path) -> bool:
    lock_file = transfer / "lock"
    try:
        hold = try_lock(lock_file) if lock_file.exists() else None
    except OSError:
        return False
    if hold:
        hold.release()
    return hold is not None and hold.state == "busy"


def _nameless(layer: Layer, names: Iterable[Name]) -> Iterator[Path]:
    names = list(names)
    contents = {name.content for name in names}
    archives = {layer.place_of(name.archive) for name in names if name.archive}
    yield from (path for path in listed(layer.contents) if path.name not in contents)
    yield from (path for path in listed(layer.derived) if is_digest(path.name) and path.name not in contents)
    yield from (path for path in listed(layer.archives) if path not in archives)


def _broken_records(layers: tuple[Layer, ...], names: Iterable[Name]) -> Iterator[Path]:
    layer = layers[0]
    there = {name.content for name in names if any((place.contents / name.content).is_dir() for place in layers)}
    whole = {layer.record(name.identity) for name in names if name.content in there}
    yield from (path for path in listed(layer.names) if path not in whole)
