"""A name of the store, and the whole content that it means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from hubclient.errors import StoreError
from hubclient.store.content import Content, StoredFile
from hubclient.store.digest import MANIFEST
from hubclient.store.layer import Layer
from hubclient.store.name import Name


@dataclass(frozen=True)
class Entry:
    """`layer`: the folder of the name; the content may lie in another one, which is shared. `used`: when it was last used."""

    name: Name
    content: Content
    layer: Layer
    used: datetime = field(compare=False)

    @property
    def identity(self) -> str:
        return self.name.identity

    @property
    def digest(self) -> str:
        return self.content.digest

    @property
    def path(self) -> Path:
        return self.content.path

    @property
    def files(self) -> Mapping[str, StoredFile]:
        return self.content.files

    @property
    def size(self) -> int:
        """Bytes of the content: names may share them."""
        return self.content.size

    @property
    def archive(self) -> Path | None:
        """What was fetched, where it was asked to be kept and is still there."""
        return self.layer.archive(self.name.archive) if self.name.archive else None

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """The folder's `manifest.json`, with what this name has of its own. Raises StoreError."""
        path = self.path / MANIFEST
        hint = "hub verify --repair fetches the model again"
        try:
            manifest = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise StoreError("the model's manifest cannot be read", where=str(path), why=str(error), hint=hint) from error
        if not isinstance(manifest, dict):
            raise StoreError("the model's manifest is not an object", where=str(path), hint=hint)
        return {**manifest, **self.name.own}
