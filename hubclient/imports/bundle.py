"""A bundle, imported: each content that is whole and right, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from hubclient.acquire import Workshop
from hubclient.bundles.read import BundleReader
from hubclient.errors import ArchiveError, CorruptArchive, HubError, ModelError, StoreError, StoreFull, StoreUnwritable
from hubclient.imports.result import Imported
from hubclient.imports.sound import check_model
from hubclient.native import read_manifest
from hubclient.sources.disk import demand_room, disk_errors
from hubclient.store import Entry, Name


def import_bundle(stream: BinaryIO, where: str, workshop: Workshop) -> Iterator[Imported]:
    """From a file, or a pipe. Of a file, all but the contents' bytes is looked at before anything is taken from it.

    Raises NotAnArchive, CorruptArchive, UnsafeArchive, StoreFull, StoreUnwritable: then nothing more is taken.
    """
    reader = BundleReader(stream, where)
    reader.check()
    bundle = reader.bundle
    with disk_errors(workshop.store.root):
        workshop.store.root.mkdir(parents=True, exist_ok=True)
    missing = [digest for digest in bundle.contents if _there(bundle.names_of(digest), workshop) is None]
    demand_room(workshop.store.root, sum(map(bundle.size_of, missing)))
    for digest in bundle.contents:
        names = bundle.names_of(digest)
        if (entries := _there(names, workshop)) is not None:
            reader.skip(digest)
            yield from (Imported(entry.identity, "there already", entry) for entry in entries)
            continue
        taken = _take(digest, reader, names, workshop)
        if isinstance(taken, HubError):
            yield from (Imported(name.identity, "failed", error=taken) for name in names)
        else:
            yield from (Imported(entry.identity, "imported", entry) for entry in taken)
    reader.finish()


def _there(names: list[Name], workshop: Workshop) -> list[Entry] | None:
    """The entries of a content's names, if the store has all of them, and they mean this content."""
    entries = [entry for name in names if (entry := workshop.store.find(name.identity)) and entry.digest == name.content]
    return entries if len(entries) == len(names) else None


def _take(digest: str, reader: BundleReader, names: list[Name], workshop: Workshop) -> list[Entry] | HubError:
    """The error where this content is not right, and the rest of the bundle can be read all the same."""
    label = f"importing {names[0].own.get('name') or names[0].identity}"
    with workshop.store.staging(names[0].identity) as staging:
        with workshop.progress.task(label, reader.bundle.size_of(digest)) as advance:
            damaged = reader.extract(digest, staging, advance)
        if damaged:
            why = f"the SHA-256 of {', '.join(damaged)} differs"
            return CorruptArchive("a model of the bundle is damaged", where=reader.where, why=why, hint="have it sent again")
        try:
            check_model(staging)
            for name in names:
                read_manifest(staging, name.own)
            return workshop.store.add(staging, names, reader.bundle.hashes(digest))
        except (StoreFull, StoreUnwritable):
            raise
        except (ArchiveError, ModelError, StoreError) as error:
            return error
