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
from hubclient.native import CONFIG, MANIFEST, Manifest, NativeModel, read_json, read_manifest
from hubclient.plan import UseStored
from hubclient.stored import stored_entries
from hubclient.task import task_of
from hubclient.way import Choice, Target, manifest_in_force, model_of, target_of_card, whole_card


@dataclass(frozen=True)
class Portrait:
    """`reference`: with the language, where it is a card's. `target`: None of a card that is only to be shown. `card`: whole, prose too,
    where there is one to read. `model` and `manifest` (the facts in force) are None until the model is pulled."""

    reference: Reference
    target: Target | None
    card: Card | None = None
    model: NativeModel | None = None
    manifest: Manifest | None = None

    @property
    def folder(self) -> Path | None:
        return self.model.folder if self.model else None

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


def portrait(hub: Hub, ref: str, lang: str | None = None, *, version: str | None = None, chosen: Card | None = None) -> Portrait:
    """`chosen`: the card that the reference means, where that was found out before.

    Raises InvalidReference, ResolutionError, CardError, ModelError.
    """
    reference = hub.parse(ref, lang, version)
    told = target_of_card(hub.workshop, chosen, hub.catalog.overlay(chosen), Choice()) if chosen else None
    target = told or hub.find(ref, lang, version=version)
    model = _model(hub, target, reference)
    manifest = manifest_in_force(model, target.card, target.wanted.overlay) if model else None
    card = whole_card(target.card, model)
    if isinstance(reference, CardReference) and card:
        reference = CardReference(card.model_name, card.model_language, reference.constraint)
    return Portrait(reference, target, card, model, manifest)


def _model(hub: Hub, target: Target, reference: Reference) -> NativeModel | None:
    if isinstance(target.plan, UseStored):
        return model_of(target.plan.entry)
    if isinstance(target.plan, Path) and os.path.isfile(target.plan / MANIFEST):
        return NativeModel(target.plan, read_manifest(target.plan))
    return _stored(hub, reference) if isinstance(target.plan, Path) else None


def _stored(hub: Hub, reference: Reference) -> NativeModel | None:
    """Of an archive or a folder of the user's, what it was converted to."""
    try:
        return model_of(stored_entries(hub.store, reference, hub.known)[0])
    except NotFound:
        return None
