"""The way of a name: reference, card, plan, bytes, model folder, classifier."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from hubclient.acquire import Wanted, Workshop, acquire, acquire_file
from hubclient.cards import Card, Overlay
from hubclient.cards.location import parse_archive_name
from hubclient.catalog import CardKey
from hubclient.convert.annotators import Task, can_open, unsupported, what_else
from hubclient.errors import AmbiguousModel, NotFound, Offline, ResolutionError, UnsupportedModel
from hubclient.names import AddressReference, CardReference, HubReference, PathReference, Reference
from hubclient.native import CONFIG, MANIFEST, Identity, Manifest, NativeModel, read_json, read_manifest
from hubclient.plan import Fetch, Plan, SourceChoice, UseStored, plan_address, plan_card, plan_repository
from hubclient.store import Entry
from hubclient.stored import stored_entries
from hubclient.task import CLASSES, check_card, check_options, task_of
from hubclient.windows import LongTexts, Pooling

if TYPE_CHECKING:
    from hubclient.classifier import Classifier
    from hubclient.tagger import TokenClassifier
    from hubclient.zero_shot import ZeroShotClassifier

    Opened = Classifier | ZeroShotClassifier | TokenClassifier

_log = logging.getLogger("hubclient")


class Opening(TypedDict, total=False):
    """How a model is opened; None leaves a fact to the model's own sources.

    engine: "onnx" (the default) or "torch". max_length: tokens a text, special ones counted. lowercase: whether texts are lower-cased.
    activation: "softmax", "sigmoid" or "none". threshold: above it, a label of a multi-label model is selected.
    long_texts: "truncate" (the default), or "window": a text longer than max_length is read in windows that overlap by `stride` tokens
    (a quarter of a window unless given), and its logits are the `pooling`, "mean" (the default) or "max", of theirs.
    """

    engine: str | None
    max_length: int | None
    lowercase: bool | None
    activation: str | None
    threshold: float | None
    long_texts: LongTexts | None
    stride: int | None
    pooling: Pooling | None


@dataclass(frozen=True)
class Choice:
    """Where to get a model from: one origin alone ("s3", "hf"), a revision of the card's Hugging Face repository."""

    source: SourceChoice | None = None
    revision: str | None = None


@dataclass(frozen=True)
class Target:
    """What a reference stands for: the card where there is one, and what would be done to have the model (a path: read it)."""

    card: Card | None
    wanted: Wanted
    plan: Plan | Path


def open_reference(workshop: Workshop, reference: Reference, choice: Choice, task: Task | None, **opening: Unpack[Opening]) -> Opened:
    target = find(workshop, reference, choice, task)
    model = obtain(workshop, target)
    return open_model(model, task, target.card, target.wanted.overlay, **opening)


def find(workshop: Workshop, reference: Reference, choice: Choice, task: Task | None = None) -> Target:
    """Resolve and plan: nothing is fetched. Raises ResolutionError, CardError, and UsageError for a card of another task."""
    if workshop.lock is not None:
        from hubclient.pinned import pinned_model

        pinned = pinned_model(workshop, reference, choice.source, choice.revision)
        if pinned.card:
            check_card(pinned.card, task)
        return Target(pinned.card, pinned.wanted, pinned.plan)
    if not isinstance(reference, CardReference):
        return target_at(workshop, reference)
    try:
        # What an exact version means cannot change: nobody is asked who would be asked for others.
        resolution = workshop.catalog.resolve(reference, can_open=can_open, live=not _is_pinned(reference))
    except AmbiguousModel:
        raise
    except ResolutionError:
        if stored := stored_target(workshop, reference, choice):
            return stored
        if not _is_pinned(reference):
            raise
        resolution = workshop.catalog.resolve(reference, can_open=can_open)
    for notice in resolution.notices:
        _log.warning("%s", notice)
    check_card(resolution.card, task)
    return target_of_card(workshop, workshop.catalog.whole(resolution.card), resolution.overlay, choice)


def _is_pinned(reference: CardReference) -> bool:
    return reference.constraint is not None and reference.constraint.operator == "=="


def stored_target(workshop: Workshop, reference: CardReference, choice: Choice) -> Target | None:
    """What was pulled by a name that no card has now: from the live index, by a card since removed, or on another machine."""
    if choice != Choice():
        return None
    try:
        entry = stored_entries(workshop.store, reference, lambda name: workshop.catalog.resolve(name, live=False))[0]
    except NotFound:
        return None
    return Target(None, Wanted(Identity(name=reference.name)), UseStored(entry, f"{entry.identity} is in the store"))


def target_of_card(workshop: Workshop, card: Card, overlay: Overlay, choice: Choice) -> Target:
    """Raises UnknownModel when the card names no place that holds the model."""
    plan = plan_card(card, workshop.find, mirrors=workshop.mirrors, source=choice.source, revision=choice.revision)
    return Target(card, Wanted(identity_of_card(card), overlay, card.labels), plan)


def target_at(workshop: Workshop, reference: HubReference | AddressReference | PathReference) -> Target:
    match reference:
        case HubReference():
            return Target(None, Wanted(Identity(name=str(reference))), plan_repository(reference, workshop.find))
        case AddressReference():
            wanted = Wanted(_named_as(reference.url.rpartition("/")[2]))
            return Target(None, wanted, plan_address(reference, workshop.find, mirrors=workshop.mirrors))
        case PathReference():
            path = Path(os.path.expanduser(reference.path))
            return Target(None, Wanted(_named_as(path.name)), path)


def refusal(target: Target) -> UnsupportedModel | None:
    """Why a model need not be fetched: its card's annotator is known to be none that can be opened."""
    if isinstance(target.plan, Fetch) and target.card and target.card.annotator and what_else(target.card.annotator):
        return unsupported(target.card.annotator, target.card.path or target.card.s3_uri)
    return None


def obtain(workshop: Workshop, target: Target) -> NativeModel:
    """The model's native folder, fetched and converted if need be. Raises SourceError, ArchiveError, ModelError, StoreError."""
    if isinstance(target.plan, Path) and is_native(target):
        return NativeModel(target.plan, read_manifest(target.plan))
    return model_of(obtain_entry(workshop, target))


def is_native(target: Target) -> bool:
    """Whether it is a native folder of the user's, which is opened in place."""
    return isinstance(target.plan, Path) and os.path.isfile(target.plan / MANIFEST)


def obtain_entry(workshop: Workshop, target: Target) -> Entry:
    """The same in the store; a native folder of the user's is not."""
    if error := refusal(target):
        raise error
    if isinstance(target.plan, Path):
        return acquire_file(target.plan, target.wanted, workshop)
    try:
        return acquire(target.plan, target.wanted, workshop)
    except Offline as error:
        raise offline_refusal(target, workshop) from error


def model_of(entry: Entry) -> NativeModel:
    """Raises InconsistentModel."""
    return NativeModel(entry.path, read_manifest(entry.path, entry.name.own))


def offline_refusal(target: Target, workshop: Workshop) -> Offline:
    """What is missing, where it would come from, and what else there is of that name."""
    assert isinstance(target.plan, Fetch)
    missing = str(CardKey.of(target.card)) if target.card else target.wanted.identity.name or target.plan.identity
    return Offline(
        f"{missing} is not in the cache, and offline was asked for",
        where=str(target.plan.candidates[-1].location),
        why=_other_versions(target.card, workshop) if target.card else None,
        hint="unset HUBCLIENT_OFFLINE and HF_HUB_OFFLINE (or leave offline out), or bring it: docs/offline.md",
    )


def _other_versions(card: Card, workshop: Workshop) -> str | None:
    try:
        entries = stored_entries(workshop.store, CardReference(card.model_name, card.model_language), workshop.catalog.resolve)
    except NotFound:
        return None
    versions = dict.fromkeys(version for entry in entries if (version := entry.name.own.get("lib_version")))
    return "the cache has " + ", ".join(f"{card.model_language}/{card.model_name}@{version}" for version in versions) if versions else None


def open_model(
    model: NativeModel, task: Task | None = None, card: Card | None = None, overlay: Overlay | None = None, **opening: Unpack[Opening]
) -> Opened:
    """Open a native folder, for what the model does unless a task is given.

    What the caller says outranks the facts in force. Raises ModelError, UsageError.
    """
    folder, manifest = model.folder, manifest_in_force(model, card, overlay)
    chosen = task_of(manifest, read_json(folder / CONFIG), task)
    check_options(chosen, opening)
    facts = manifest.facts.overruled(
        "caller",
        activation=opening.get("activation"),
        threshold=opening.get("threshold"),
        max_length=opening.get("max_length"),
        lowercase=opening.get("lowercase"),
    )
    module, name = CLASSES[chosen]
    opened: Opened = getattr(import_module(module), name)(
        folder,
        engine=opening.get("engine"),
        manifest=replace(manifest, facts=facts),
        card=card or _repository_card(folder, manifest),
        long_texts=opening.get("long_texts"),
        stride=opening.get("stride"),
        pooling=opening.get("pooling"),
    )
    return opened


def _repository_card(folder: Path, manifest: Manifest) -> Card | None:
    from hubclient.repository_card import repository_card

    return repository_card(folder, manifest)


def manifest_in_force(model: NativeModel, card: Card | None, overlay: Overlay | None) -> Manifest:
    """The overlay of a card outranks the manifest; without a card, the overlay that it was stored with."""
    return model.manifest.in_force(overlay.to_dict() if card and overlay else None)


def identity_of_card(card: Card) -> Identity:
    """How the hub calls a card's model."""
    parsed = card.s3_parsed
    return Identity(
        card.model_name,
        card.model_language,
        (parsed.lib_version if parsed else None) or card.lib_version,
        (parsed.spark_version if parsed else None) or card.spark_version,
    )


def _named_as(file: str) -> Identity:
    said = parse_archive_name(file)
    return Identity(said.name or file.removesuffix(".zip"), said.lang, said.lib_version, said.spark_version)
