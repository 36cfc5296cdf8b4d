"""The cache: complete model folders, each committed with one rename.

    models/<key>/      an entry, or (without a whole marker) nothing
    staging/<key>.*/   entries in the making, and removed ones on their way out
    locks/<key>.lock   one process at a time makes an entry

Reading needs no permission to write. Entries hold plain files: no links to follow, nothing outside.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hubclient.errors import StoreError
from hubclient.locks import wait_lock
from hubclient.sources.disk import disk_errors
from hubclient.store.digest import sha256_of, sync
from hubclient.store.entry import MARKER, Entry, StoredFile, files_in, marker_text, read_entry, size_of
from hubclient.store.naming import key_of
from hubclient.store.staging import staging_folder, unused


@dataclass(frozen=True)
class Finding:
    """What `verify` found wrong with one file."""

    file: str
    problem: str


class Store:
    def __init__(self, root: Path) -> None:
        self.root = root
        self._models = root / "models"
        self._staging = root / "staging"

    def find(self, identity: str) -> Entry | None:
        """The complete entry for this content: its marker is whole and every file has its size."""
        entry = read_entry(self._models / key_of(identity))
        return entry if entry is not None and entry.identity == identity else None

    def entries(self) -> list[Entry]:
        """All complete entries, by folder name."""
        try:
            folders = sorted(self._models.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise StoreError(
                "the cache cannot be read",
                where=str(self._models),
                why=error.strerror,
                hint="check its permissions, or set HUBCLIENT_CACHE",
            ) from error
        return [entry for entry in map(read_entry, folders) if entry is not None]

    def staging(self, identity: str) -> AbstractContextManager[Path]:
        """A new empty folder to build an entry in; removed on exit unless committed. Raises StoreUnwritable, StoreFull."""
        return staging_folder(self._staging, key_of(identity))

    @contextmanager
    def lock(self, identity: str, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """One process (and thread) at a time for this content; `waiting` is told when another one has it.

        Look with `find` again once inside. Where the file system has no locks, nobody waits.
        """
        locks = self.root / "locks"
        with disk_errors(locks):
            locks.mkdir(parents=True, exist_ok=True)
            hold = wait_lock(locks / f"{key_of(identity)}.lock", waiting)
        try:
            yield
        finally:
            hold.release()

    def commit(self, staging: Path, identity: str, known: Mapping[str, str] | None = None) -> Entry:
        """Make a staged folder the entry for this content, with one rename; if there is a complete one already, that one stays.

        `known`: SHA-256 (hexadecimal) of files that were hashed as they were written, by name with slashes.
        Raises StoreError for anything but plain files, StoreUnwritable, StoreFull.
        """
        with disk_errors(staging):
            _seal(staging, identity, known or {})
        target = self._models / key_of(identity)
        with disk_errors(target):
            self._models.mkdir(parents=True, exist_ok=True)
            while (there := self.find(identity)) is None:
                self._discard(target)
                try:
                    staging.rename(target)
                except OSError:
                    # Another process was faster, and its entry must be looked at first.
                    if not target.exists():
                        raise
                else:
                    sync(self._models)
        return there

    def remove(self, entry: Entry) -> int:
        """Take an entry out, and return how many bytes it held (0 when it was gone already). Raises StoreUnwritable."""
        with disk_errors(entry.path):
            removed = self._discard(entry.path)
        return entry.size if removed else 0

    def verify(self, entry: Entry) -> list[Finding]:
        """Hash every file again, and say what differs from what was committed."""
        findings = [_examine(entry, name, file) for name, file in entry.files.items()]
        with disk_errors(entry.path):
            unlisted = set(files_in(entry.path)) - {MARKER, *entry.files}
        return [finding for finding in findings if finding] + [
            Finding(name, "was not there when the model was stored") for name in sorted(unlisted)
        ]

    def _discard(self, folder: Path) -> bool:
        """Rename away, so that nobody meets half an entry, then delete. False if there is nothing."""
        self._staging.mkdir(parents=True, exist_ok=True)
        away = unused(self._staging, folder.name)
        try:
            folder.rename(away)
        except FileNotFoundError:
            return False
        if away.is_dir():
            import shutil

            shutil.rmtree(away, ignore_errors=True)
        else:
            away.unlink()
        return True


def _seal(staging: Path, identity: str, known: Mapping[str, str]) -> None:
    files = {}
    for name in files_in(staging):
        path = staging / name
        files[name] = StoredFile(path.stat().st_size, known.get(name) or sha256_of(path))
        sync(path)
    files.pop(MARKER, None)
    marker = staging / MARKER
    marker.write_text(marker_text(identity, files), encoding="utf-8")
    sync(marker)
    sync(staging)


def _examine(entry: Entry, name: str, file: StoredFile) -> Finding | None:
    path = entry.path / name
    size = size_of(path)
    if size is None:
        return Finding(name, "is missing" if not os.path.lexists(path) else "is not a plain file")
    if size != file.size:
        return Finding(name, f"has {size:,} bytes, {file.size:,} were stored")
    try:
        sha256 = sha256_of(path)
    except OSError as error:
        return Finding(name, f"cannot be read: {error.strerror}")
    return None if sha256 == file.sha256 else Finding(name, f"has SHA-256 {sha256}, {file.sha256} was stored")
