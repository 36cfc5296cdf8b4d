"""How a model comes from the driver to the executors: by name and digest, never its bytes.

An executor takes the folder where the driver has it, as on one machine or a disk that all share; else what its own store has of the same
content; else it gets the model itself, under a lock by its hash. Whichever it is, all of it is hashed, and another content is refused.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from hubclient.classifier import Classifier
from hubclient.errors import InconsistentModel
from hubclient.hub import Hub
from hubclient.lockfile import Lock, Pin
from hubclient.names import PathReference
from hubclient.pinned import pin_of
from hubclient.sources.disk import disk_errors
from hubclient.store import content_digest
from hubclient.text_model import Setup
from hubclient.way import Choice, find, obtain

_OPEN = 4


@dataclass(frozen=True)
class Shipment:
    """`key`: all that decides the answers. `folder`: where the driver has the model. `pin`: what its lock says. `threads`: None for as many
    as the task may use."""

    key: str
    digest: str = field(compare=False)
    folder: str = field(compare=False)
    reference: str = field(compare=False)
    setup: Setup = field(compare=False)
    threads: int | None = None
    pin: Pin | None = field(default=None, compare=False)
    cache_dir: str | None = field(default=None, compare=False)
    offline: bool | None = field(default=None, compare=False)


def ship(classifier: Classifier, reference: str, hub: Hub) -> Shipment:
    """The model that the driver opened."""
    folder = classifier.path
    digest = folder.name if hub.store.folder_holding(folder.name) == folder else _digest_of(folder)
    setup = _setup(classifier)
    pin = pin_of(hub.lock, hub.parse(reference), hub.workshop) if hub.lock else None
    return Shipment(f"{digest} {setup!r}", digest, str(folder), _everywhere(reference, hub), setup, pin=pin)


@lru_cache(maxsize=_OPEN)
def open_shipment(shipment: Shipment) -> Classifier:
    """One for all tasks of a process. Raises HubError."""
    if shipment.threads:
        # Each task's process would have the tokenizer use every core.
        os.environ.setdefault("RAYON_NUM_THREADS", str(shipment.threads))
    return Classifier(checked_folder(shipment), **(shipment.setup | Setup(threads=shipment.threads)))


def checked_folder(shipment: Shipment) -> Path:
    """Where this machine has the model. Raises InconsistentModel when it is another one, and what getting it raises."""
    hub = Hub(cache_dir=shipment.cache_dir, offline=shipment.offline, progress=False)
    folder = Path(shipment.folder)
    if not os.path.isdir(folder):
        folder = hub.store.folder_holding(shipment.digest) or _obtained(shipment, hub)
    found = _digest_of(folder)
    if found != shipment.digest:
        raise InconsistentModel(
            "the model of this executor is not the driver's",
            where=str(folder),
            why=f"it holds {found}, and the driver's holds {shipment.digest}",
            hint="use one hubclient everywhere, and pin the model: hub lock",
        )
    return folder


def _obtained(shipment: Shipment, hub: Hub) -> Path:
    reference, workshop = shipment.reference, hub.workshop
    if shipment.pin:
        reference, workshop = shipment.pin.exact, replace(workshop, lock=Lock.of([shipment.pin]))
    return obtain(workshop, find(workshop, hub.parse(reference), Choice())).folder


def _digest_of(folder: Path) -> str:
    with disk_errors(folder):
        return content_digest(folder)


def _setup(classifier: Classifier) -> Setup:
    """How to open the same; the card decides nothing any more."""
    setup = Setup(
        engine=classifier.engine,
        precision=classifier.precision,
        device=classifier.device,
        cost=classifier.cost,
        manifest=classifier.manifest,
    )
    if classifier.windows:
        setup |= Setup(long_texts="window", stride=classifier.windows.stride, pooling=classifier.windows.pooling)
    return setup


def _everywhere(reference: str, hub: Hub) -> str:
    """A path means the same in whatever folder an executor works."""
    parsed = hub.parse(reference)
    return os.path.abspath(os.path.expanduser(parsed.path)) if isinstance(parsed, PathReference) else reference
