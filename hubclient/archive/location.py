"""Opens an archive where it lies: a zip file, or an unpacked folder. The one module here that touches a file system."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hubclient.archive.members import read_all
from hubclient.archive.safenames import check_names
from hubclient.archive.zipmembers import MAX_MEMBERS, ZipMembers
from hubclient.errors import CorruptArchive, NotAnArchive, UnsafeArchive

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

    from hubclient.archive.members import Members


class FolderMembers:
    """The files below a folder. A link that leads out of it is refused; one inside is followed as a file, never as a folder."""

    def __init__(self, folder: Path, label: str) -> None:
        self.label = label
        self._root = folder.resolve()
        self._paths = {path.relative_to(self._root).as_posix(): path for path in _files(self._root, label)}
        check_names(self._paths, label)

    def names(self) -> tuple[str, ...]:
        return tuple(self._paths)

    def size(self, name: str) -> int:
        return self._path(name).stat().st_size

    def read(self, name: str, limit: int) -> bytes:
        return read_all(self, name, limit)

    def open(self, name: str) -> io.RawIOBase:
        try:
            return cast("io.RawIOBase", self._path(name).open("rb", buffering=0))
        except OSError as error:
            raise _unreadable(error, f"{self.label}, file '{name}'") from error

    def _path(self, name: str) -> Path:
        path = self._paths.get(name)
        if path is None or not path.is_file():
            raise CorruptArchive(f"the archive has no file '{name}'", where=self.label)
        return path


@contextmanager
def open_archive(path: Path) -> Iterator[Members]:
    """The members of the zip file or folder at `path`, as long as the context lasts."""
    if path.is_dir():
        yield FolderMembers(path, str(path))
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise _unreadable(error, str(path)) from error
    with file:
        yield ZipMembers(file, str(path))


def _files(root: Path, label: str) -> Iterator[Path]:
    count = 0

    def refuse(error: OSError) -> None:
        raise _unreadable(error, label) from error

    for folder, _, names in os.walk(root, onerror=refuse):
        for name in sorted(names):
            path = Path(folder, name)
            count += 1
            if count > MAX_MEMBERS:
                raise UnsafeArchive(f"the folder has more than {MAX_MEMBERS:,} files", where=label)
            if not Path(os.path.realpath(path)).is_relative_to(root):
                raise UnsafeArchive(f"file '{name}' is a link out of the folder", where=label)
            yield path


def _unreadable(error: OSError, where: str) -> NotAnArchive:
    return NotAnArchive("the archive cannot be opened", where=where, why=error.strerror or str(error))
