"""One content: a model folder named by what it holds, and the marker that says it is whole.

`complete.json`, written last, lists every other file: {"format": 2, "digest": …, "files": {name: {"size": …, "sha256": …}}}.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from hubclient.errors import StoreError
from hubclient.store.digest import MANIFEST, digest_of, sha256_of, sync

MARKER = "complete.json"
_FORMAT = 2
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class StoredFile:
    size: int
    sha256: str


@dataclass(frozen=True)
class Content:
    """`files`: name relative to `path`, with slashes -> facts; the marker is not among them."""

    digest: str
    path: Path
    files: Mapping[str, StoredFile]

    @property
    def size(self) -> int:
        """Bytes, the marker's not counted."""
        return sum(file.size for file in self.files.values())


def is_digest(text: object) -> bool:
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def read_content(folder: Path) -> Content | None:
    """The content in a folder of its name, if the marker is whole and every listed file has its size."""
    content = read_marker(folder)
    if content is None:
        return None
    root = str(folder)
    return content if all(size_of(os.path.join(root, name)) == file.size for name, file in content.files.items()) else None


def read_marker(folder: Path) -> Content | None:
    """What ought to be in a folder of a content's name."""
    try:
        return _parse_marker((folder / MARKER).read_bytes(), folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


@dataclass(frozen=True)
class Sealed:
    """A folder that is a whole content, but for its place. `manifest`: its `manifest.json`, if it has one."""

    folder: Path
    digest: str
    manifest: bytes | None


def seal(folder: Path, known: Mapping[str, str]) -> Sealed:
    """Hash what a folder holds, write its marker, flush all of it to the disk.

    `known`: SHA-256 of files that were hashed as they were written. Raises StoreError for anything but plain files.
    """
    (folder / MARKER).unlink(missing_ok=True)
    files = {}
    for name in files_in(folder):
        path = folder / name
        files[name] = StoredFile(path.stat().st_size, known.get(name) or sha256_of(path))
        sync(path)
    manifest = (folder / MANIFEST).read_bytes() if MANIFEST in files else None
    digest = digest_of({name: file.sha256 for name, file in files.items()}, manifest)
    (folder / MARKER).write_text(_marker_text(digest, files), encoding="utf-8")
    sync(folder / MARKER)
    sync(folder)
    return Sealed(folder, digest, manifest)


def files_in(folder: Path) -> Iterator[str]:
    """Names of the regular files below, with slashes; other things, links among them, are refused."""
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            yield path.relative_to(folder).as_posix()
        elif not stat.S_ISDIR(mode):
            raise StoreError("only plain files can be stored", where=str(path), hint="copy the file there instead of linking to it")


def size_of(path: str | Path) -> int | None:
    """Bytes of a regular file; None for what is missing or something else, a link among it."""
    try:
        facts = os.lstat(path)
    except (OSError, ValueError):
        return None
    return facts.st_size if stat.S_ISREG(facts.st_mode) else None


def tree_size(path: Path) -> int:
    """Bytes of the regular files below a folder, or of the one file. What vanishes meanwhile is not counted."""
    files = path.rglob("*") if path.is_dir() and not path.is_symlink() else (path,)
    return sum(size_of(file) or 0 for file in files)


def _marker_text(digest: str, files: Mapping[str, StoredFile]) -> str:
    listed = {name: {"size": file.size, "sha256": file.sha256} for name, file in sorted(files.items())}
    return json.dumps({"format": _FORMAT, "digest": digest, "files": listed}, indent=1) + "\n"


def _parse_marker(text: bytes, folder: Path) -> Content:
    marker = json.loads(text)
    if marker["format"] != _FORMAT or marker["digest"] != folder.name:
        raise ValueError("a marker of another format, or of another content")
    files = {_inside(name): StoredFile(int(facts["size"]), str(facts["sha256"])) for name, facts in marker["files"].items()}
    return Content(folder.name, folder, files)


def _inside(name: str) -> str:
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    if posix.is_absolute() or windows.anchor or ".." in windows.parts or not posix.parts or "\0" in name:
        raise ValueError(f"'{name}' is outside of the folder")
    return name
