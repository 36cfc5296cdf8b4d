"""One complete model folder of the store, and the marker that says so.

`complete.json`, written last, lists every other file: {"format": 1, "identity": …, "files": {name: {"size": …, "sha256": …}}}.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from hubclient.errors import StoreError

MARKER = "complete.json"
_FORMAT = 1


@dataclass(frozen=True)
class StoredFile:
    size: int
    sha256: str


@dataclass(frozen=True)
class Entry:
    """`identity`: what the content is. `files`: name relative to `path`, with slashes -> facts; the marker is not among them."""

    identity: str
    path: Path
    files: Mapping[str, StoredFile]

    @property
    def size(self) -> int:
        """Bytes, the marker's not counted."""
        return sum(file.size for file in self.files.values())

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """The folder's `manifest.json`. Raises StoreError."""
        path = self.path / "manifest.json"
        try:
            manifest = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise StoreError(
                "the model's manifest cannot be read", where=str(path), why=str(error), hint="remove the model and pull it again"
            ) from error
        if not isinstance(manifest, dict):
            raise StoreError("the model's manifest is not an object", where=str(path), hint="remove the model and pull it again")
        return manifest


def marker_text(identity: str, files: Mapping[str, StoredFile]) -> str:
    listed = {name: {"size": file.size, "sha256": file.sha256} for name, file in sorted(files.items())}
    return json.dumps({"format": _FORMAT, "identity": identity, "files": listed}, indent=1) + "\n"


def read_entry(folder: Path) -> Entry | None:
    """The entry in a folder, if its marker is whole and every listed file has its size."""
    try:
        entry = _parse_marker((folder / MARKER).read_bytes(), folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return entry if all(size_of(folder / name) == file.size for name, file in entry.files.items()) else None


def files_in(folder: Path) -> Iterator[str]:
    """Names of the regular files below, with slashes; other things, links among them, are refused."""
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            yield path.relative_to(folder).as_posix()
        elif not stat.S_ISDIR(mode):
            raise StoreError("only plain files can be stored", where=str(path), hint="copy the file there instead of linking to it")


def size_of(path: Path) -> int | None:
    """Bytes of a regular file; None for what is missing or something else, a link among it."""
    try:
        facts = path.lstat()
    except OSError:
        return None
    return facts.st_size if stat.S_ISREG(facts.st_mode) else None


def _parse_marker(text: bytes, folder: Path) -> Entry:
    marker = json.loads(text)
    if marker["format"] != _FORMAT:
        raise ValueError(f"format {marker['format']}")
    files = {_inside(name): StoredFile(int(facts["size"]), str(facts["sha256"])) for name, facts in marker["files"].items()}
    return Entry(str(marker["identity"]), folder, files)


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
        raise ValueError(f"'{name}' is outside of the folder")
    return name
