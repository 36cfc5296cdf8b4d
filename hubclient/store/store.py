"""The cache: whole model folders, named by what they hold, and names that lead to them. `hubclient.store.layer` shows the layout.

Reading needs no permission to write. Contents are plain files: no links to follow, nothing outside. A content is committed with one rename
and a name with another, after it: a process that ends between the two leaves a content without a name, which is cleaned up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from hubclient.errors import StoreError, StoreUnwritable
from hubclient.locks import wait_lock
from hubclient.sources.disk import disk_errors
from hubclient.store.content import MARKER, Content, Sealed, StoredFile, read_content, seal
from hubclient.store.digest import sync
from hubclient.store.entry import Entry
from hubclient.store.gate import gate
from hubclient.store.layer import Layer, as_time
from hubclient.store.leases import Leases
from hubclient.store.leftovers import Leftover, clean, find_leftovers
from hubclient.store.name import Name, named_by
from hubclient.store.naming import key_of
from hubclient.store.removal import Holding, freed_by, holdings, remove
from hubclient.store.staging import delete, staging_folder, taken_out
from hubclient.store.verify import Advance, Finding, examine, problem_of


class Store:
    """`root` is the folder that is written to; `shared` ones are looked in after it, and only read."""

    def __init__(self, root: Path, shared: Iterable[Path] = ()) -> None:
        self.root = root
        self._own = Layer(root)
        self._layers = (self._own, *(Layer(folder) for folder in shared if folder != root))
        self._leases = Leases(self._own.leases)
        self._cleaned = False

    def find(self, identity: str) -> Entry | None:
        """What this name means: its record is whole, and so is the content's marker, and every file has its size."""
        for layer in self._layers:
            if (found := layer.name(identity)) and (entry := self._entry(layer, *found)):
                return entry
        return None

    def entries(self) -> list[Entry]:
        """Every name that `find` finds. Raises StoreError."""
        return [entry for name in self.names() if (entry := self.find(name.identity))]

    def names(self) -> list[Name]:
        """Every name, those of damaged contents too. Raises StoreError."""
        return list({name.identity: name for layer in reversed(self._layers) for name, _ in layer.all_names()}.values())

    def use(self, entry: Entry) -> bool:
        """Remember that the model is used now, and have other processes leave it alone until this one ends.

        False if it is not there any more. That the cache cannot be written is no failure.
        """
        with suppress(OSError):
            os.utime(self._own.record(entry.identity))
        self._leases.take(entry.digest)
        return os.path.isfile(entry.path / MARKER)

    def staging(self, identity: str) -> AbstractContextManager[Path]:
        """A new empty folder to build a content in; removed on exit unless committed. Raises StoreUnwritable, StoreFull."""
        if not self._cleaned:
            self._cleaned = True
            self.clean()
        return staging_folder(self._own.staging, key_of(identity))

    @contextmanager
    def lock(self, identity: str, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """One process (and thread) at a time for this name; `waiting` is told when another one has it.

        Look with `find` again once inside. Where the file system has no locks, nobody waits. Raises StoreUnwritable.
        """
        with disk_errors(self._own.locks):
            self._own.locks.mkdir(parents=True, exist_ok=True)
            hold = wait_lock(self._own.locks / f"{key_of(identity)}.lock", waiting)
        try:
            yield
        finally:
            hold.release()

    def commit(self, staging: Path, identity: str, known: Mapping[str, str] | None = None, *, afresh: bool = False) -> Entry:
        """Make a staged folder this name's content. If its content is there already, that stays; `afresh`: it is damaged, and replaced.

        `known`: SHA-256 (hexadecimal) of files that were hashed as they were written, by name with slashes.
        Raises StoreError for anything but plain files, StoreUnwritable, StoreFull.
        """
        with disk_errors(staging):
            sealed = seal(staging, known or {})
        name = named_by(sealed.manifest, identity, sealed.digest)
        before = self._own.name(identity)
        if before and before[0].content == sealed.digest:
            name = replace(name, archive=before[0].archive)
        return self._place(sealed, [name], afresh)[0]

    def add(self, staging: Path, names: Sequence[Name], known: Mapping[str, str] | None = None) -> list[Entry]:
        """Make a staged folder, which is another store's content, the content of all these names.

        Raises StoreError when it is not the content that the names say, and as `commit` does.
        """
        with disk_errors(staging):
            sealed = seal(staging, known or {})
        if other := next((name for name in names if name.content != sealed.digest), None):
            why = f"{other.content} was announced, and it is {sealed.digest}"
            raise StoreError("the content is not what its name says", where=other.identity, why=why, hint="have it sent again")
        return self._place(sealed, [replace(name, archive=None) for name in names])

    def keep_archive(self, entry: Entry, path: Path, sha256: str) -> Entry:
        """Keep the file that the entry was made from; it lies in a staging folder, and leaves it. Raises StoreUnwritable, StoreFull."""
        with disk_errors(self._own.archives), gate(self._own):
            file = StoredFile(path.stat().st_size, sha256)
            self._own.archives.mkdir(parents=True, exist_ok=True)
            sync(path)
            os.replace(path, self._own.place_of(file))
            self._write(replace(entry.name, archive=file))
        return self._found(entry.identity)

    def remove(self, names: Sequence[Name], *, force: bool = False) -> int:
        """Take names out, and what no other name means: their contents and archives. All or none; gives how many bytes that freed.

        Raises StoreInUse when a content would go that another process uses (unless `force`), StoreUnwritable.
        """
        for name in names:
            if self._own.name(name.identity) is None and self.find(name.identity):
                shared = ", ".join(str(layer.root) for layer in self._layers[1:])
                raise StoreUnwritable(f"'{name.identity}' lies in a shared cache, which is only read", where=shared)
        return remove(self._own, self._leases, names, force=force)

    def freed_by(self, names: Sequence[Name]) -> int:
        """How many bytes their removal would free."""
        return freed_by(self._own, names)

    def holdings(self) -> list[Holding]:
        """What the user's own folder holds, content by content, least recently used first. Raises StoreError."""
        return holdings(self._own, self._leases)

    def leftovers(self) -> list[Leftover]:
        """What `clean` would remove. Raises StoreError."""
        if not os.path.isdir(self.root):
            return []
        try:
            with gate(self._own) as certain:
                return list(find_leftovers(self._layers, certain=certain))
        except StoreUnwritable:
            return list(find_leftovers(self._layers, certain=False))

    def clean(self) -> list[Leftover]:
        """Remove what ended processes left; gives what that was. Raises StoreError."""
        with gate(self._own) as certain:
            found = list(find_leftovers(self._layers, certain=certain))
            clean(self._own, found)
        self._leases.sweep()
        return found

    def folder_of(self, name: Name) -> Path:
        """Where its content is, whole or not, or would be."""
        there = (layer.contents / name.content for layer in self._layers if os.path.isdir(layer.contents / name.content))
        return next(there, self._own.contents / name.content)

    def archive_of(self, name: Name) -> Path | None:
        """What was fetched, where it was asked to be kept and is there."""
        return self._own.archive(name.archive) if name.archive else None

    def verify(self, name: Name, advance: Advance = lambda count: None) -> list[Finding]:
        """Hash every file again, and say what differs from what was committed; `advance` is told of bytes."""
        findings = list(examine(self.folder_of(name), advance))
        if name.archive and (problem := problem_of(place := self._own.place_of(name.archive), name.archive, advance)):
            findings.append(Finding(str(place), problem))
        return findings

    def _entry(self, layer: Layer, name: Name, used: float) -> Entry | None:
        content = self._content(name.content)
        return Entry(name, content, layer, as_time(used)) if content else None

    def _content(self, digest: str) -> Content | None:
        return next((content for layer in self._layers if (content := layer.content(digest))), None)

    def _found(self, identity: str) -> Entry:
        entry = self.find(identity)
        if entry is None:
            raise StoreError("the model was removed while it was stored", where=str(self.root), hint="try again")
        return entry

    def _place(self, sealed: Sealed, names: Sequence[Name], afresh: bool = False) -> list[Entry]:
        target = self._own.contents / sealed.digest
        with disk_errors(target), gate(self._own):
            if moved := afresh or self._content(sealed.digest) is None:
                self._move(sealed.folder, target)
            try:
                for name in names:
                    self._write(name)
            except OSError:
                # The disk is full, perhaps: then least of all should a content stay that no name leads to.
                if moved and not any(name.content == sealed.digest for name, _ in self._own.all_names()):
                    self._take_out(target)
                raise
        return [self._found(name.identity) for name in names]

    def _move(self, staging: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        while True:
            self._take_out(target)
            try:
                staging.rename(target)
            except OSError:
                # Where there are no locks, another process may have been faster; what it made is as good as ours.
                if read_content(target):
                    return
                if not target.exists():
                    raise
            else:
                sync(target.parent)
                return

    def _take_out(self, content: Path) -> None:
        if away := taken_out(content, self._own.staging):
            delete(away)

    def _write(self, name: Name) -> None:
        record = self._own.record(name.identity)
        record.parent.mkdir(parents=True, exist_ok=True)
        part = record.with_name(f"{record.name}.{os.urandom(4).hex()}.part")
        try:
            part.write_text(name.to_json(), encoding="utf-8")
            sync(part)
            os.replace(part, record)
            sync(record.parent)
        finally:
            part.unlink(missing_ok=True)
