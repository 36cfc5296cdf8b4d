"""A damaged model, made once more of what it was made of."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hubclient.acquire import Wanted, Workshop, acquire, acquire_file, acquire_kept, identity_of
from hubclient.cards import Overlay
from hubclient.errors import HubError, NotFound
from hubclient.names import AddressReference, CardReference, parse_constraint
from hubclient.native import MANIFEST, Identity, read_manifest
from hubclient.plan import Candidate, Fetch, plan_address
from hubclient.sources import HubLocation
from hubclient.store import Entry, Finding, Name

_OF_A_FILE = "sha256:"
_OF_A_REPOSITORY = "hf:"


def repair(workshop: Workshop, name: Name, findings: Sequence[Finding]) -> Entry:
    """Make it again of the archive that was kept, else fetch that: an archive of the same SHA-256, a repository at the same commit.

    `findings`: what `Store.verify` found. What is damaged stays until the new model is there. Raises SourceError, ModelError, StoreError.
    """
    damaged = {finding.file for finding in findings}
    workshop = replace(workshop, afresh=True, keep_archive=name.archive is not None)
    origin = name.own.get("origin", {})
    wanted = Wanted(_identity(name.own), _overlay(workshop, name, damaged), sha256=origin.get("sha256"))
    if (kept := workshop.store.archive_of(name)) and str(kept) not in damaged:
        return acquire_kept(kept, name, wanted, workshop)
    if name.identity.startswith(_OF_A_FILE):
        return acquire_file(_unchanged(origin.get("url", ""), name.identity), wanted, workshop)
    return acquire(_plan(workshop, name.identity, origin), wanted, workshop)


def _plan(workshop: Workshop, identity: str, origin: Mapping[str, Any]) -> Fetch:
    # That of an archive's card, asked in its place, is in the identity after the archive's.
    _, of_a_repository, repository = identity.rpartition(_OF_A_REPOSITORY)
    if of_a_repository:
        location = HubLocation(repository.partition("@")[0], origin.get("commit"))
        return Fetch((Candidate(location, identity),), "it is damaged")
    plan = plan_address(AddressReference(identity), lambda identity: None, mirrors=workshop.mirrors)
    assert isinstance(plan, Fetch)
    return plan


def _unchanged(url: str, identity: str) -> Path:
    from urllib.request import url2pathname

    path = Path(url2pathname(urlsplit(url).path))
    if not os.path.exists(path) or identity_of(path) != identity:
        hint = "remove the model, and open the file as it is now"
        raise NotFound("the file that the model was made of has changed, or is not there", where=str(path), hint=hint)
    return path


def _identity(own: Mapping[str, Any]) -> Identity:
    return Identity(own.get("name"), own.get("language"), own.get("lib_version"), own.get("spark_version"))


def _overlay(workshop: Workshop, name: Name, damaged: set[str]) -> Overlay:
    """The one that the model was stored with; where that is lost, the one of its card today."""
    if not damaged & {MANIFEST, "."}:
        return Overlay(**read_manifest(workshop.store.folder_of(name), name.own).overlay)
    own = name.own
    with suppress(HubError):
        version = parse_constraint(own["lib_version"]) if own.get("lib_version") else None
        found = workshop.catalog.resolve(CardReference(own.get("name") or "", own.get("language"), version), live=False)
        if found.card.s3_uri == name.identity:
            return found.overlay
    return Overlay()
