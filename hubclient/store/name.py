"""What an identity means in the store: the small record that leads from it to a content, with what this name has of its own.

`names/<key>.json`: {"format": 1, "identity": …, "content": digest, "stored": when, "own": {…}, "archive": null or {"size", "sha256"}}.
The time of the file is when the name was last used. A record that is damaged, or was made to lead elsewhere, is none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hubclient.store.content import StoredFile, is_digest
from hubclient.store.digest import NAME_FIELDS

_FORMAT = 1
LARGEST = 1 << 20
_ORIGIN: Mapping[str, type] = {"url": str, "size": int, "sha256": str, "etag": str, "commit": str, "files": dict}


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Name:
    """`identity`: what was asked for. `content`: the digest. `own`: of the manifest's fields those that are the name's.
    `stored`: when the name was. `archive`: what was fetched, where that is kept."""

    identity: str
    content: str
    own: Mapping[str, Any] = field(default_factory=dict)
    stored: datetime = field(default_factory=_now, compare=False)
    archive: StoredFile | None = None

    def to_json(self) -> str:
        archive = vars(self.archive) if self.archive else None
        said = {"identity": self.identity, "content": self.content, "stored": self.stored.isoformat(timespec="seconds")}
        return json.dumps({"format": _FORMAT, **said, "own": dict(self.own), "archive": archive}, ensure_ascii=False, indent=1) + "\n"


def named_by(manifest: bytes | None, identity: str, content: str) -> Name:
    """The name of a content that has just been made, in the words of its manifest."""
    try:
        said = json.loads(manifest or b"{}")
        own = _checked({part: said[part] for part in NAME_FIELDS if part in said})
    except (ValueError, TypeError, AttributeError, RecursionError):
        own = {}
    return Name(identity, content, own)


def parse_name(text: bytes) -> Name:
    """Raises ValueError, KeyError, TypeError, AttributeError or RecursionError for what is no record."""
    said = json.loads(text)
    if said["format"] != _FORMAT or not is_digest(said["content"]) or not isinstance(said["identity"], str):
        raise ValueError("a record of another format")
    stored = datetime.fromisoformat(said["stored"])
    if stored.tzinfo is None:
        raise ValueError("a time without a zone")
    archive = StoredFile(int(said["archive"]["size"]), str(said["archive"]["sha256"])) if said["archive"] else None
    if archive and not is_digest(archive.sha256):
        raise ValueError("an archive without a digest")
    return Name(said["identity"], said["content"], _checked(said["own"]), stored, archive)


def _checked(own: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a manifest would say, and nothing else: what decides answers is not a name's."""
    origin = own.get("origin", {})
    texts = [own[part] for part in own if part != "origin"]
    known = own.keys() <= set(NAME_FIELDS) and origin.keys() <= _ORIGIN.keys()
    typed = all(isinstance(text, str | None) for text in texts) and all(
        isinstance(origin[part], (_ORIGIN[part], type(None))) for part in origin
    )
    files = origin.get("files") or {}
    named = all(isinstance(text, str) for pair in files.items() for text in pair) if typed else False
    if not (known and named and (not origin or isinstance(origin.get("url"), str))):
        raise ValueError("fields that are no name's")
    return own
