"""Which entries of the store a reference means. The cards are not asked: what was pulled is found even when its card is gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubclient.errors import NotFound
from hubclient.names import AddressReference, CardReference, HubReference, PathReference, Reference, parse_version
from hubclient.sources import HubLocation, S3Location, WebLocation
from hubclient.store import Entry, Store


def stored_entries(store: Store, reference: Reference) -> list[Entry]:
    """At least one entry, newest library version first. Raises NotFound when nothing of that reference was pulled."""
    found = [entry for entry in store.entries() if _means(reference, entry)]
    if not found:
        raise NotFound(
            f"'{reference}' is not in the store", where=str(store.root), hint=f"hub pull {reference}, or hub ls for what is there"
        )
    return sorted(found, key=lambda entry: _version(entry.manifest), reverse=True)


def _means(reference: Reference, entry: Entry) -> bool:
    match reference:
        case CardReference():
            manifest = entry.manifest
            named: bool = manifest.get("name") == reference.name
            return (
                named
                and reference.language in (None, manifest.get("language"))
                and (reference.constraint is None or reference.constraint.admits(_version(manifest)))
            )
        case HubReference():
            return entry.identity == HubLocation(reference.repo, reference.revision).identity
        case AddressReference():
            parse = S3Location.parse if reference.url.startswith("s3://") else WebLocation
            return bool(entry.identity == parse(reference.url).identity)
        case PathReference():
            from pathlib import Path

            return bool(entry.manifest.get("origin", {}).get("url") == Path(reference.path).expanduser().absolute().as_uri())


def _version(manifest: Mapping[str, Any]) -> tuple[int, ...]:
    text = manifest.get("lib_version")
    return parse_version(text) if text else ()
