"""Whatever a path is, imported: a bundle, an archive, a model's folder, or a folder of many."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from hubclient.acquire import Workshop
from hubclient.errors import HubError, NotAnArchive, UnsupportedModel
from hubclient.imports.archive import LiveFacts, import_archive
from hubclient.imports.bundle import import_bundle
from hubclient.imports.native import import_native
from hubclient.imports.result import Imported
from hubclient.native import CONFIG, MANIFEST
from hubclient.sources.local import LocalFile

_ZIP, _TAR, _TAR_AT = b"PK", b"ustar\0", 257
_METADATA = "metadata"

Way = Callable[[], Imported]


def import_path(path: Path, workshop: Workshop, live: LiveFacts) -> Iterator[Imported]:
    """A failure does not stop the others. Raises HubError where nothing at all can be imported."""
    if way := _way_of(path, workshop, live):
        yield way()
    elif path.is_dir():
        yield from _import_children(path, workshop, live)
    else:
        with path.open("rb") as file:
            yield from import_bundle(file, str(path), workshop)


def _way_of(path: Path, workshop: Workshop, live: LiveFacts) -> Way | None:
    """How one model is imported; None for a bundle, and for a folder that is no model itself. Raises SourceError, NotAnArchive."""
    if path.is_dir():
        if os.path.isfile(path / MANIFEST):
            return partial(import_native, path, workshop)
        is_model = os.path.exists(path / _METADATA) or os.path.isfile(path / CONFIG)
        return partial(import_archive, path, workshop, live) if is_model else None
    start = _start(path)
    if start.startswith(_ZIP):
        return partial(import_archive, path, workshop, live)
    if start[_TAR_AT:] == _TAR:
        return None
    raise NotAnArchive("this is neither a bundle nor an archive", where=str(path), why=f"it starts with {start[:8]!r}")


def _start(path: Path) -> bytes:
    LocalFile(path).stat()
    body = LocalFile(path).read()
    start = b""
    for chunk in body.chunks:
        start += chunk
        if len(start) >= _TAR_AT + len(_TAR):
            break
    body.close()
    return start[: _TAR_AT + len(_TAR)]


def _import_children(path: Path, workshop: Workshop, live: LiveFacts) -> Iterator[Imported]:
    """Spark NLP's cache, or another folder of models. What is no model at all is passed over."""
    found = 0
    for child in sorted(path.iterdir()):
        if child.name.startswith(".") or not (child.is_dir() or child.suffix == ".zip"):
            continue
        try:
            way = _way_of(child, workshop, live)
            if way is not None:
                found += 1
                yield way()
        except UnsupportedModel as error:
            yield Imported(str(child), "skipped", error=error)
        except HubError as error:
            yield Imported(str(child), "failed", error=error)
    if not found:
        why = f"neither it nor a folder in it has {MANIFEST}, {_METADATA} or {CONFIG}"
        raise NotAnArchive("the folder holds no model", where=str(path), why=why)
