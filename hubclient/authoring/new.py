"""A new card, read off a model that was converted for it: so it was understood and proved before it is described."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubclient.acquire import Workshop
from hubclient.archive.location import open_archive
from hubclient.archive.sparknlp import read_archive
from hubclient.authoring.draft import Draft, card_text, overlay_text
from hubclient.authoring.file import write
from hubclient.cards import Card
from hubclient.cards.location import S3Location, parse_archive_name, parse_s3_uri
from hubclient.catalog.folder import CARD_ENDING, OVERLAY_ENDING
from hubclient.convert.annotators import ANNOTATORS, Task
from hubclient.errors import UnsupportedModel, UsageError
from hubclient.names import HubReference, PathReference, is_name, parse_reference
from hubclient.native import CONFIG, WEIGHTS, Manifest, NativeModel, read_json
from hubclient.repository_card import repository_card
from hubclient.task import task_of
from hubclient.way import obtain, target_at

# Of an origin that tells none: the last whose archives were tried here, for every architecture.
_LIB_VERSION, _SPARK_VERSION = "5.5.3", "3.4"
_UNKNOWN_LANGUAGE = "und"
_VERSION = re.compile(r"\d{1,9}(?:\.\d{1,9})+", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,}(?:-[A-Za-z]+)?", re.ASCII)
_DATA_SET = re.compile(r"[\w.-]+(?:/[\w.-]+)?", re.ASCII)
_SHAPE = {
    "layers": ("num_hidden_layers", "n_layers", "n_layer"),
    "hidden units": ("hidden_size", "dim", "d_model"),
    "pieces in its vocabulary": ("vocab_size",),
}


@dataclass(frozen=True)
class Said:
    """What the author says; None leaves it to the origin. `place`: the S3 folder where the archive is, or will be."""

    name: str
    language: str | None = None
    lib_version: str | None = None
    spark_version: str | None = None
    date: str | None = None
    title: str | None = None
    author: str | None = None
    place: str = ""


@dataclass(frozen=True)
class Origin:
    """What is known beside the model itself: an archive's file name and when it was made, a repository's card."""

    file: str = ""
    made: datetime.datetime | None = None
    spark_version: str | None = None
    repository: str | None = None
    card: Card | None = None


@dataclass(frozen=True)
class Written:
    card: Path
    overlay: Path | None


def draft_of_archive(workshop: Workshop, said: Said, path: Path) -> Draft:
    """Raises UsageError, ArchiveError, ModelError, StoreError."""
    _check(said)
    model = obtain(workshop, target_at(workshop, PathReference(str(path))))
    with open_archive(path) as members:
        metadata = read_archive(members).metadata
    made = datetime.datetime.fromtimestamp(metadata.timestamp / 1000, datetime.UTC)
    spark_version = ".".join(metadata.spark_version.split(".")[:2])
    return _draft(said, Origin(path.name, made, spark_version), model)


def draft_of_repository(workshop: Workshop, said: Said, repository: str) -> Draft:
    """Raises UsageError, SourceError, ModelError, StoreError."""
    _check(said)
    reference = parse_reference(f"hf:{repository}")
    assert isinstance(reference, HubReference)
    model = obtain(workshop, target_at(workshop, reference))
    card = repository_card(model.folder, model.manifest)
    return _draft(said, Origin(repository=reference.repo, card=card), model)


def write_card(draft: Draft, folder: Path, *, force: bool = False) -> Written:
    """Raises UsageError where there is such a file already, unless it is forced."""
    stem = f"{draft.name}_{draft.language}"
    card, overlay = folder / f"{stem}{CARD_ENDING}", folder / f"{stem}{OVERLAY_ENDING}"
    stated = overlay_text(draft)
    if stated:
        write(overlay, stated, replace=force)
    write(card, card_text(draft), replace=force)
    return Written(card, overlay if stated else None)


def _draft(said: Said, origin: Origin, model: NativeModel) -> Draft:
    manifest, config = model.manifest.in_force(), read_json(model.folder / CONFIG)
    task, card, made = task_of(manifest, config, None), origin.card, _made(origin)
    facts, labels = manifest.facts, manifest.zero_shot.candidate_labels if manifest.zero_shot else manifest.labels
    return Draft(
        place=_place(said, origin, made),
        task=task,
        annotator=manifest.annotator or _annotator(manifest.architecture, task),
        architecture=manifest.architecture,
        date=said.date or made.date().isoformat(),
        labels=labels,
        activation=facts.activation.value if task == "text-classification" else "softmax",
        max_length=facts.max_length.value,
        lowercase=facts.lowercase.value,
        size_mb=round(_size(manifest, model.folder) / 2**20, 1),
        shape=_shape(config),
        title=said.title,
        author=said.author,
        origin=origin.repository,
        license=_text(card, "license"),
        data=_data(card),
    )


def _size(manifest: Manifest, folder: Path) -> int:
    """Of the archive; of a repository, that of the weights."""
    return manifest.origin.size or (folder / WEIGHTS).stat().st_size


def _check(said: Said) -> None:
    if not is_name(said.name):
        raise UsageError(f"nobody could ask for a model by the name {said.name!r}", hint="take letters, digits, _ . and -")
    for version in (said.lib_version, said.spark_version):
        if version is not None and not _VERSION.fullmatch(version):
            raise UsageError(f"'{version}' is not a version", hint="write 5.5.3, or 3.4")
    if said.language is not None and not _LANGUAGE.fullmatch(said.language):
        raise UsageError(f"'{said.language}' is not the code of a language", hint="write en, or xx for several")
    if said.date is not None:
        try:
            datetime.date.fromisoformat(said.date)
        except ValueError as error:
            raise UsageError(f"'{said.date}' is not a date", hint="write 2022-09-06") from error


def _made(origin: Origin) -> datetime.datetime:
    """When the archive was made, or will have been."""
    known = parse_archive_name(origin.file).epoch_ms
    if known is not None:
        return datetime.datetime.fromtimestamp(known / 1000, datetime.UTC)
    return origin.made or datetime.datetime.now(datetime.UTC)


def _place(said: Said, origin: Origin, made: datetime.datetime) -> S3Location:
    """The archive's address: it keeps its name if that is the card's."""
    known = parse_archive_name(origin.file)
    language = said.language or known.lang or (origin.card.language if origin.card and origin.card.language != _UNKNOWN_LANGUAGE else None)
    if language is None:
        raise UsageError("nobody tells the model's language", hint="say --lang en, or --lang xx for several")
    lib_version = said.lib_version or known.lib_version or _LIB_VERSION
    spark_version = said.spark_version or known.spark_version or origin.spark_version or _SPARK_VERSION
    file = f"{said.name}_{language}_{lib_version}_{spark_version}_{int(made.timestamp() * 1000):013}.zip"
    return parse_s3_uri(f"{said.place.rstrip('/')}/{file}")


def _annotator(architecture: str, task: Task) -> str:
    """Spark NLP's class for such models; ELECTRA is opened as BERT."""
    family = "bert" if architecture == "electra" else architecture
    found = next((name for name, annotator in ANNOTATORS.items() if (annotator.model_type, annotator.task) == (family, task)), None)
    if found is None:
        raise UnsupportedModel(f"Spark NLP has no class for {architecture} and {task}")
    return found


def _shape(config: Mapping[str, Any]) -> dict[str, int]:
    found = {what: next((config[key] for key in keys if isinstance(config.get(key), int)), None) for what, keys in _SHAPE.items()}
    return {what: number for what, number in found.items() if number is not None}


def _text(card: Card | None, key: str) -> str | None:
    value = card.front_matter.get(key) if card else None
    return value if isinstance(value, str) else None


def _data(card: Card | None) -> tuple[str, ...]:
    """The data sets that a repository's card names."""
    names = card.references.split("\n") if card and card.references else []
    return tuple(f"https://huggingface.co/datasets/{name}" for name in names if _DATA_SET.fullmatch(name))
