"""What a lock allows: the model that is pinned, as it was, from wherever it can be had.

The bytes decide, not where they come from: what the store has of the same hash is used, whatever it was pulled as; mirrors and the source
are asked for bytes of that hash, and nothing else takes their place.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hubclient.acquire import Wanted, Workshop
from hubclient.cards import Card, Overlay
from hubclient.errors import CardError, HubError, NotLocked, ResolutionError
from hubclient.lockfile import Lock, Pin
from hubclient.names import CardReference, Reference, parse_constraint
from hubclient.native import Identity
from hubclient.plan import Candidate, Fetch, Plan, SourceChoice, UseStored
from hubclient.sources import HubLocation, S3Location
from hubclient.sources.local import in_mirror
from hubclient.store import Entry, Name

_MD5 = re.compile(r'"?([0-9a-f]{32})"?')
_CHUNK = 1 << 20


@dataclass(frozen=True)
class PinnedModel:
    """`card`: the one of the very archive, where there is one."""

    pin: Pin
    card: Card | None
    wanted: Wanted
    plan: Plan


def pinned_model(workshop: Workshop, reference: Reference, source: SourceChoice | None = None, revision: str | None = None) -> PinnedModel:
    """Raises NotLocked for what the lock does not have, or has from elsewhere, AmbiguousModel."""
    assert workshop.lock is not None
    pin = pin_of(workshop.lock, reference, workshop)
    if (source == "hf") is not isinstance(pin.location, HubLocation) and (source or revision):
        raise _elsewhere(pin, f"from {'Hugging Face' if source == 'hf' or revision else 'S3'}", workshop.lock)
    if revision not in (None, pin.commit):
        raise _elsewhere(pin, f"at the revision '{revision}'", workshop.lock)
    card, overlay = card_of(pin, workshop)
    identity = Identity(pin.name, pin.language, pin.version, card.spark_version if card else None)
    wanted = Wanted(identity, overlay, sha256=pin.sha256, files=dict(pin.files), size=pin.size, etag=pin.etag)
    return PinnedModel(pin, card, wanted, plan_pin(pin, workshop))


def pin_of(lock: Lock, reference: Reference, workshop: Workshop) -> Pin:
    """By its own name, else by the card that the name stands for, as an NLU reference does."""
    try:
        return lock.find(reference)
    except NotLocked as refused:
        if not isinstance(reference, CardReference):
            raise
        try:
            card = workshop.catalog.resolve(reference, live=False).card
        except (ResolutionError, CardError):
            raise refused from None
        called = CardReference(card.model_name, card.model_language, reference.constraint)
        if called.name == reference.name:
            raise
        return lock.find(called)


def plan_pin(pin: Pin, workshop: Workshop) -> Plan:
    """The store, whatever it has it as; then the mirrors that have a file as long, and the source. Nobody is asked."""
    location = pin.location
    if (entry := _stored(pin, workshop)) is not None:
        return UseStored(entry, f"{entry.identity} is in the store, and is what the lock pins")
    # Other bytes that were pulled by that address stay where they are.
    taken = workshop.find(location.identity) is not None
    identity = _by_content(pin) if taken and (pin.sha256 or pin.files) else location.identity
    if taken and identity == location.identity:
        hint = f"hub rm {pin.source}, and try again; or pin what you have: hub lock --update {pin.name}"
        raise NotLocked(f"the store has other bytes of '{pin}' than the lock pins", where=pin.source, hint=hint)
    source = Candidate(location, identity)
    if not isinstance(location, S3Location):
        return Fetch((source,), "not in the store")
    mirrors = (Candidate(location, identity, mirror) for mirror in workshop.mirrors if _fits(pin, in_mirror(mirror, location).path))
    return Fetch((*mirrors, source), "not in the store")


def is_pinned(name: Name, pin: Pin) -> bool:
    """Whether what the store has by a name is what the pin means: by its hash, by its commit, else by address, length and ETag."""
    origin = name.own.get("origin", {})
    if pin.sha256 is not None:
        return pin.sha256 == origin.get("sha256") or name.identity == _by_content(pin)
    if pin.commit is not None:
        at = origin.get("commit") == pin.commit and str(origin.get("url")).endswith("/" + pin.source.removeprefix("hf:"))
        return name.identity == _by_content(pin) or (at and _files(name, pin) in (None, dict(pin.files)))
    told = [(pin.size, origin.get("size")), (pin.etag, origin.get("etag"))]
    return name.identity == pin.location.identity and all(one == other for one, other in told if None not in (one, other))


def _stored(pin: Pin, workshop: Workshop) -> Entry | None:
    for identity in (pin.location.identity, _by_content(pin), *_others(pin, workshop)):
        entry = workshop.find(identity)
        if entry and is_pinned(entry.name, pin) and _same_bytes(entry, pin):
            return entry
    return None


def _by_content(pin: Pin) -> str:
    """What the store calls a file of the user's with these bytes, or a folder with these files."""
    if pin.sha256 or not pin.files:
        return f"sha256:{pin.sha256}"
    listed = "".join(f"{name}\0{sha256}\n" for name, sha256 in pin.files)
    return f"sha256:{hashlib.sha256(listed.encode()).hexdigest()}"


def _others(pin: Pin, workshop: Workshop) -> Iterable[str]:
    """What was pulled by other names, and has the hash or the commit."""
    if pin.sha256 is None and pin.commit is None:
        return ()
    return (name.identity for name in workshop.store.names() if is_pinned(name, pin))


def _same_bytes(entry: Entry, pin: Pin) -> bool:
    """A commit is only what a server says of its bytes: where the files were not written down, the tensors tell."""
    if pin.commit is None or _files(entry.name, pin) is not None:
        return True
    return pin.tensors == entry.manifest.get("tensors_digest") if pin.tensors or pin.files else True


def _files(name: Name, pin: Pin) -> Mapping[str, str] | None:
    """Of what the model was made, where both tell it."""
    files: Mapping[str, str] | None = name.own.get("origin", {}).get("files")
    return files if pin.files else None


def _fits(pin: Pin, path: Path) -> bool:
    """Whether a mirror's file may be it; what has a hash is hashed when it is read."""
    try:
        if pin.size not in (None, os.stat(path).st_size):
            return False
        md5 = _MD5.fullmatch(pin.etag or "")
        return bool(pin.sha256) or md5 is None or _digest(path) == md5[1]
    except OSError:
        return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def card_of(pin: Pin, workshop: Workshop) -> tuple[Card | None, Overlay]:
    """The card of the very archive, where there is one; nobody is asked."""
    try:
        constraint = parse_constraint(pin.version) if pin.version else None
        found = workshop.catalog.resolve(CardReference(pin.name, pin.language, constraint), live=False)
    except HubError:
        return None, Overlay()
    if pin.source not in (found.card.s3_uri, found.card.download_url, f"hf:{found.card.hf_origin}"):
        return None, Overlay()
    return workshop.catalog.whole(found.card), found.overlay


def _elsewhere(pin: Pin, how: str, lock: Lock) -> NotLocked:
    return NotLocked(f"'{pin}' was asked for {how}, and is pinned to {pin.source}", where=lock.path, hint="leave out source and revision")
