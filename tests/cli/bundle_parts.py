"""A bundle taken apart and put together again, as somebody with bad intentions would."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hubclient.bundles.form import FILE
from hubclient.bundles.tar import BLOCK, END, header, padding


@dataclass
class Part:
    """A member: its header as it stands there, and its bytes."""

    header: bytes
    data: bytes

    @property
    def name(self) -> str:
        return self.header[:100].rstrip(b"\0").decode()

    @property
    def folder(self) -> str:
        return self.header[345:500].rstrip(b"\0").decode()

    @classmethod
    def of(cls, folder: str, name: str, data: bytes) -> Part:
        return cls(header(folder, name, len(data)), data)


def taken_apart(bundle: bytes) -> list[Part]:
    parts, at = [], 0
    while bundle[at : at + BLOCK] != bytes(BLOCK):
        size = int(bundle[at + 124 : at + 135], 8)
        parts.append(Part(bundle[at : at + BLOCK], bundle[at + BLOCK : at + BLOCK + size]))
        at += BLOCK + size + len(padding(size))
    assert bundle[at:] == END
    return parts


def put_together(parts: list[Part]) -> bytes:
    return b"".join(part.header + part.data + padding(len(part.data)) for part in parts) + END


def with_manifest(bundle: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The same, where another manifest comes first."""
    parts = taken_apart(bundle)
    manifest = json.loads(parts[0].data)
    change(manifest)
    return put_together([Part.of("", FILE, json.dumps(manifest).encode()), *parts[1:]])


def with_file(bundle: bytes, name: str, data: bytes) -> bytes:
    """A file of the first content replaced, with all hashes right but the content's digest."""
    parts = taken_apart(bundle)
    manifest = json.loads(parts[0].data)
    digest = parts[1].folder.rpartition("/")[2]
    manifest["contents"][digest][name] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    files = {part.name: part.data for part in parts[1:] if part.folder.endswith(digest)} | {name: data}
    others = [part for part in parts[1:] if not part.folder.endswith(digest)]
    first = [Part.of(f"contents/{digest}", file, files[file]) for file in sorted(files)]
    return put_together([Part.of("", FILE, json.dumps(manifest).encode()), *first, *others])
