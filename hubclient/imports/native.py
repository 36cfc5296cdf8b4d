"""A native folder, as `hub pull --local-dir` writes it, taken into the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from hubclient.acquire import Workshop, identity_of
from hubclient.archive.safenames import check_names
from hubclient.errors import CorruptArchive, UnsafeArchive
from hubclient.imports.result import Imported
from hubclient.imports.sound import check_model
from hubclient.names import HubReference, parse_reference
from hubclient.native import Manifest, read_manifest
from hubclient.sources.clone import clone
from hubclient.sources.disk import demand_room, disk_errors
from hubclient.sources.location import HubLocation, location_at
from hubclient.store import Entry
from hubclient.store.content import MARKER, size_of
from hubclient.store.digest import sha256_of

_MAX_FILES = 100
_LARGEST_MARKER = 1 << 20


def import_native(path: Path, workshop: Workshop) -> Imported:
    """What the folder's marker lists, if it has one, is held against it. Raises ModelError, ArchiveError, StoreError."""
    identity = _identity(read_manifest(path), path)
    with workshop.store.lock(identity):
        if entry := workshop.store.find(identity):
            return Imported(str(path), "there already", entry)
        return Imported(str(path), "imported", _take(path, identity, workshop))


def _identity(manifest: Manifest, path: Path) -> str:
    """What the model was called where it was stored, as far as its manifest tells."""
    url, name = manifest.origin.url, manifest.name or ""
    if name.startswith("hf:") and isinstance(reference := parse_reference(name), HubReference):
        return HubLocation(reference.repo, reference.revision).identity
    return location_at(url).identity if url.startswith(("s3://", "https://", "http://")) and url.endswith(".zip") else identity_of(path)


def _take(path: Path, identity: str, workshop: Workshop) -> Entry:
    listed = _listed(path)
    sizes = _sizes(path, listed)
    demand_room(workshop.store.root, sum(sizes.values()))
    with workshop.store.staging(identity) as staging, disk_errors(staging, needed=sum(sizes.values())):
        for name in sizes:
            clone(path / name, staging / name)
        with workshop.progress.task(f"importing {path.name}", sum(sizes.values())) as advance:
            hashes = {name: sha256_of(staging / name, advance) for name in sizes}
        if listed and (damaged := [name for name, sha256 in listed.items() if hashes[name] != sha256]):
            why = f"the SHA-256 of {', '.join(damaged)} is not the one in its {MARKER}"
            raise CorruptArchive("the model was changed after it was written", where=str(path), why=why)
        check_model(staging)
        return workshop.store.commit(staging, identity, hashes)


def _listed(path: Path) -> Mapping[str, str] | None:
    """File name -> SHA-256, as the folder's marker has it; None without one."""
    marker = path / MARKER
    size = size_of(marker)
    if size is None:
        return None
    try:
        if size > _LARGEST_MARKER:
            raise ValueError(f"it has {size:,} bytes")
        return {str(name): str(facts["sha256"]) for name, facts in json.loads(marker.read_bytes())["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptArchive(f"the model's {MARKER} cannot be read", where=str(marker), why=str(error)) from error


def _sizes(path: Path, listed: Mapping[str, str] | None) -> dict[str, int]:
    """The files that make the model: plain ones, in no folder of their own."""
    names = sorted(listed or (file.name for file in path.iterdir()))
    check_names(names, str(path))
    if len(names) > _MAX_FILES:
        raise UnsafeArchive(f"the folder has {len(names):,} files, and {_MAX_FILES} are allowed", where=str(path))
    sizes = {name: size_of(path / name) for name in names if "/" not in name}
    if odd := [name for name in names if sizes.get(name) is None]:
        raise UnsafeArchive("the folder holds something else than a model's plain files", where=str(path), why=", ".join(odd[:5]))
    return {name: size for name, size in sizes.items() if size is not None}
