"""Which entries of the store a reference means.

What was pulled is found even when its card is gone: the cards are asked only for names that no entry has, as NLU references are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hubclient.catalog import Resolution
from hubclient.errors import AmbiguousModel, CardError, NotFound, ResolutionError
from hubclient.names import AddressReference, CardReference, HubReference, PathReference, Reference, parse_version
from hubclient.sources.location import HubLocation, location_at
from hubclient.store import Entry, Store


def stored_entries(store: Store, reference: Reference, resolve: Callable[[CardReference], Resolution]) -> list[Entry]:
    """At least one entry, newest library version first; all are of one language, chosen as among cards.

    `resolve` finds the card of a name. Raises NotFound when nothing of that reference was pulled, AmbiguousModel.
    """
    found = _meant(store, reference)
    if not found and isinstance(reference, CardReference):
        found = _meant(store, _as_stored(reference, resolve))
    if not found:
        raise NotFound(
            f"'{reference}' is not in the store", where=str(store.root), hint=f"hub pull {reference}, or hub ls for what is there"
        )
    if isinstance(reference, CardReference):
        found = _of_one_language(found, reference.name)
    return sorted(found, key=lambda entry: _version(entry.manifest), reverse=True)


def _meant(store: Store, reference: Reference) -> list[Entry]:
    return [entry for entry in store.entries() if _means(reference, entry)]


def _as_stored(reference: CardReference, resolve: Callable[[CardReference], Resolution]) -> CardReference:
    """The same with the name that the archive has, which an entry is called by."""
    try:
        card = resolve(reference).card
    except (ResolutionError, CardError):
        return reference
    return CardReference(card.model_name, card.model_language, reference.constraint)


def _of_one_language(entries: list[Entry], name: str) -> list[Entry]:
    languages = {entry.manifest.get("language") for entry in entries}
    if len(languages) > 1 and "en" not in languages:
        written = sorted(f"{language}/{name}" for language in languages if language)
        raise AmbiguousModel(f"'{name}' is stored in {len(languages)} languages", hint=f"write one of: {', '.join(written)}")
    return [entry for entry in entries if len(languages) == 1 or entry.manifest.get("language") == "en"]


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
            return entry.identity == location_at(reference.url).identity
        case PathReference():
            import os
            from pathlib import Path

            return bool(entry.manifest.get("origin", {}).get("url") == Path(os.path.expanduser(reference.path)).absolute().as_uri())


def _version(manifest: Mapping[str, Any]) -> tuple[int, ...]:
    text = manifest.get("lib_version")
    return parse_version(text) if text else ()
