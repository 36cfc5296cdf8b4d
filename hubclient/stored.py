"""Which names of the store a reference means.

What was pulled is found even when its card is gone: the cards are asked only for names that the store does not have, as NLU references are.
"""

from __future__ import annotations

from collections.abc import Callable

from hubclient.catalog import Resolution
from hubclient.errors import AmbiguousModel, CardError, NotFound, ResolutionError
from hubclient.names import AddressReference, CardReference, HubReference, PathReference, Reference, parse_version
from hubclient.sources.location import HubLocation, location_at
from hubclient.store import Entry, Name, Store

Resolve = Callable[[CardReference], Resolution]
"""Finds the card of a name."""


def stored_entries(store: Store, reference: Reference, resolve: Resolve) -> list[Entry]:
    """At least one entry, newest library version first; all are of one language, chosen as among cards.

    Raises NotFound when nothing of that reference was pulled, AmbiguousModel.
    """
    entries = {entry.identity: entry for entry in store.entries()}
    names = _chosen([entry.name for entry in entries.values()], store, reference, resolve)
    return [entries[name.identity] for name in names]


def stored_names(store: Store, reference: Reference, resolve: Resolve) -> list[Name]:
    """The same, names of damaged contents too."""
    return _chosen(store.names(), store, reference, resolve)


def _chosen(names: list[Name], store: Store, reference: Reference, resolve: Resolve) -> list[Name]:
    found = [name for name in names if _means(reference, name)]
    if not found and isinstance(reference, CardReference):
        called = _as_stored(reference, resolve)
        found = [name for name in names if _means(called, name)]
    if not found:
        raise NotFound(
            f"'{reference}' is not in the store", where=str(store.root), hint=f"hub pull {reference}, or hub ls for what is there"
        )
    if isinstance(reference, CardReference):
        found = _of_one_language(found, reference.name)
    return sorted(found, key=_version, reverse=True)


def _as_stored(reference: CardReference, resolve: Resolve) -> CardReference:
    """The same with the name that the archive has, which it is stored by."""
    try:
        card = resolve(reference).card
    except (ResolutionError, CardError):
        return reference
    return CardReference(card.model_name, card.model_language, reference.constraint)


def _of_one_language(names: list[Name], called: str) -> list[Name]:
    languages = {name.own.get("language") for name in names}
    if len(languages) > 1 and "en" not in languages:
        written = sorted(f"{language}/{called}" for language in languages if language)
        raise AmbiguousModel(f"'{called}' is stored in {len(languages)} languages", hint=f"write one of: {', '.join(written)}")
    return [name for name in names if len(languages) == 1 or name.own.get("language") == "en"]


def _means(reference: Reference, name: Name) -> bool:
    match reference:
        case CardReference():
            named: bool = name.own.get("name") == reference.name
            return (
                named
                and reference.language in (None, name.own.get("language"))
                and (reference.constraint is None or reference.constraint.admits(_version(name)))
            )
        case HubReference():
            return name.identity == HubLocation(reference.repo, reference.revision).identity
        case AddressReference():
            return name.identity == location_at(reference.url).identity
        case PathReference():
            import os
            from pathlib import Path

            return bool(name.own.get("origin", {}).get("url") == Path(os.path.expanduser(reference.path)).absolute().as_uri())


def _version(name: Name) -> tuple[int, ...]:
    text = name.own.get("lib_version")
    return parse_version(text) if text else ()
