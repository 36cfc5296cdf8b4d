"""What is made of a model for one machine, and can be made again: beside the store's models, not among their hashed files.

derived/<digest>/  of the model with that digest in the store, which it goes with
derived/<key>/     of a folder of the user's: the key tells the model's tensors, and what its graph was built by
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hubclient.native import GRAPH, Manifest, read_manifest
from hubclient.store.content import is_digest


def derived(folder: Path, name: str, make: Callable[[], bytes]) -> bytes:
    """The content of the file of that name, made of a native folder's model, and kept where that is possible."""
    path = derived_folder(folder) / name
    try:
        return path.read_bytes()
    except OSError:
        content = make()
    keep(path, content)
    return content


def keep(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: where nothing can be written, it is made again the next time."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, staged = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            os.replace(staged, path)
        except OSError:
            with suppress(OSError):
                os.unlink(staged)
            raise


def derived_folder(folder: Path) -> Path:
    root = folder.parent.parent
    if folder.parent.name == "contents" and is_digest(folder.name):
        # A shared cache is not written to.
        return (root if os.access(root, os.W_OK) else _cache_dir()) / "derived" / folder.name
    return _cache_dir() / "derived" / _key(folder, read_manifest(folder))


def _cache_dir() -> Path:
    from hubclient.settings import Settings

    return Settings.from_environment().cache_dir


def _key(folder: Path, manifest: Manifest) -> str:
    """A graph that was built is small, and depends on settings too; of one that was kept, the digest of the tensors is its own."""
    graph = (folder / GRAPH).read_bytes() if manifest.graph == "built" else b""
    return hashlib.sha256(f"{manifest.tensors_digest}\0{manifest.graph}\0".encode() + graph).hexdigest()[:32]
