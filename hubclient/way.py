"""The way of a name: reference, card, plan, bytes, model folder, classifier."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from hubclient.acquire import Wanted, Workshop, acquire, acquire_file
from hubclient.cards import Card, Overlay
from hubclient.cards.location import parse_archive_name
from hubclient.convert.annotators import can_open
from hubclient.errors import UsageError
from hubclient.names import AddressReference, CardReference, HubReference, PathReference, Reference
from hubclient.native import MANIFEST, Identity, read_manifest
from hubclient.plan import Plan, SourceChoice, plan_address, plan_card, plan_repository

if TYPE_CHECKING:
    from hubclient.classifier import Classifier

_log = logging.getLogger("hubclient")
_TASKS = ("text-classification",)


class Opening(TypedDict, total=False):
    """How a model is opened; None leaves a fact to the model's own sources.

    engine: "onnx" (the default) or "torch". max_length: tokens a text, special ones counted. lowercase: whether texts are lower-cased.
    activation: "softmax", "sigmoid" or "none". threshold: above it, a label of a multi-label model is selected.
    """

    engine: str | None
    max_length: int | None
    lowercase: bool | None
    activation: str | None
    threshold: float | None


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


def open_reference(workshop: Workshop, reference: Reference, choice: Choice, **opening: Unpack[Opening]) -> Classifier:
    target = find(workshop, reference, choice)
    folder = obtain(workshop, target)
    return open_folder(folder, target.card, target.wanted.overlay, **opening)


def find(workshop: Workshop, reference: Reference, choice: Choice) -> Target:
    """Resolve and plan: nothing is fetched. Raises ResolutionError, CardError."""
    if not isinstance(reference, CardReference):
        return target_at(workshop, reference)
    resolution = workshop.catalog.resolve(reference, can_open=can_open)
    for notice in resolution.notices:
        _log.warning("%s", notice)
    return target_of_card(workshop, workshop.catalog.whole(resolution.card), resolution.overlay, choice)


def target_of_card(workshop: Workshop, card: Card, overlay: Overlay, choice: Choice) -> Target:
    """Raises UnknownModel when the card names no place that holds the model."""
    plan = plan_card(card, workshop.has, mirrors=workshop.mirrors, source=choice.source, revision=choice.revision)
    return Target(card, Wanted(_identity(card), overlay, card.labels), plan)


def target_at(workshop: Workshop, reference: HubReference | AddressReference | PathReference) -> Target:
    match reference:
        case HubReference():
            return Target(None, Wanted(Identity(name=str(reference))), plan_repository(reference, workshop.has))
        case AddressReference():
            wanted = Wanted(_named_as(reference.url.rpartition("/")[2]))
            return Target(None, wanted, plan_address(reference, workshop.has, mirrors=workshop.mirrors))
        case PathReference():
            path = Path(os.path.expanduser(reference.path))
            return Target(None, Wanted(_named_as(path.name)), path)


def obtain(workshop: Workshop, target: Target) -> Path:
    """The model's native folder, fetched and converted if need be. Raises SourceError, ArchiveError, ModelError, StoreError."""
    if not isinstance(target.plan, Path):
        return acquire(target.plan, target.wanted, workshop)
    return target.plan if os.path.isfile(target.plan / MANIFEST) else acquire_file(target.plan, target.wanted, workshop)


def open_folder(
    folder: Path,
    card: Card | None = None,
    overlay: Overlay | None = None,
    *,
    engine: str | None = None,
    max_length: int | None = None,
    lowercase: bool | None = None,
    activation: str | None = None,
    threshold: float | None = None,
) -> Classifier:
    """Open a native folder. The overlay of a card outranks the manifest (without a card: the overlay that it was stored with), and what
    the caller says outranks both. Raises ModelError, UsageError."""
    from hubclient.classifier import Classifier

    manifest = read_manifest(folder).in_force(overlay.to_dict() if card and overlay else None)
    facts = manifest.facts.overruled("caller", activation=activation, threshold=threshold, max_length=max_length, lowercase=lowercase)
    return Classifier(folder, engine=engine, manifest=replace(manifest, facts=facts), card=card)


def check_task(task: str) -> None:
    if task not in _TASKS:
        raise UsageError(f"the task '{task}' is not supported", hint=f"supported: {', '.join(_TASKS)}")


def _identity(card: Card) -> Identity:
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
