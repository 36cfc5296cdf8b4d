"""What is known of a model without fetching anything: its card, and once it is pulled what the model itself says."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from hubclient.cards import Card
from hubclient.convert.annotators import Task, find_annotator
from hubclient.disagreements import Disagreement, disagreements
from hubclient.errors import NotFound
from hubclient.hub import Hub
from hubclient.names import CardReference, Reference
from hubclient.native import CONFIG, MANIFEST, Manifest, read_json
from hubclient.plan import UseStored
from hubclient.repository_card import repository_card
from hubclient.stored import stored_entries
from hubclient.task import task_of
from hubclient.way import Target, manifest_in_force


@dataclass(frozen=True)
class Portrait:
    """`reference`: with the language, where it is a card's. `card`: whole, prose included, where there is one to read. `folder` and
    `manifest` (the facts in force) are None until the model is pulled."""

    reference: Reference
    target: Target
    card: Card | None = None
    folder: Path | None = None
    manifest: Manifest | None = None

    @property
    def task(self) -> Task | None:
        """None where nothing tells, or it is a task that hubclient has no model for."""
        if self.manifest and self.folder:
            return task_of(self.manifest, read_json(self.folder / CONFIG), None)
        annotator = find_annotator(self.card.annotator) if self.card and self.card.annotator else None
        return annotator.task if annotator else None

    @property
    def labels(self) -> tuple[str, ...]:
        """In class order once the model is pulled, else in the card's."""
        return self.manifest.labels if self.manifest else self.card.labels if self.card else ()

    @property
    def disagreements(self) -> list[Disagreement]:
        return disagreements(self.manifest, self.card) if self.manifest else []


def portrait(hub: Hub, ref: str, lang: str | None = None, *, version: str | None = None) -> Portrait:
    """Raises InvalidReference, ResolutionError, CardError, ModelError."""
    target = hub.find(ref, lang, version=version)
    reference = hub.parse(ref, lang, version)
    folder = _folder(hub, target, reference)
    manifest = manifest_in_force(folder, target.card, target.wanted.overlay) if folder else None
    card = target.card or (repository_card(folder, manifest) if folder and manifest else None)
    if isinstance(reference, CardReference) and card:
        reference = CardReference(card.model_name, card.model_language, reference.constraint)
    return Portrait(reference, target, card, folder, manifest)


def _folder(hub: Hub, target: Target, reference: Reference) -> Path | None:
    if isinstance(target.plan, UseStored):
        entry = hub.store.find(target.plan.identity)
        return entry.path if entry else None
    if isinstance(target.plan, Path):
        return target.plan if os.path.isfile(target.plan / MANIFEST) else _stored(hub, reference)
    return None


def _stored(hub: Hub, reference: Reference) -> Path | None:
    """Of an archive or a folder of the user's, what it was converted to."""
    try:
        return stored_entries(hub.store, reference, hub.known)[0].path
    except NotFound:
        return None
