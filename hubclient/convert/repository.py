"""A Hugging Face repository becomes a native folder: a float32 safetensors file stays as it is, other weights are written anew, and the
graph beside them. An architecture that is none of ours is left to transformers: its folder has no graph."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hubclient.checkpoint import MAIN_FILES, Checkpoint, current_names, main_file, open_checkpoint, shards
from hubclient.convert.job import Job
from hubclient.convert.repository_tokenizer import SLOW_FILES, settle_foreign_tokenizer, settle_tokenizer
from hubclient.convert.write import write_graph, write_manifest
from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models import FAMILIES
from hubclient.models.family import Family, head_of
from hubclient.models.tokenizer import SETTINGS_FILES
from hubclient.native import CONFIG, README, TOKENIZER, WEIGHTS, read_json
from hubclient.sources.disk import disk_errors
from hubclient.tensors import LazyTensor, WeightsFile, read_weights, write_weights

_SMALL = (CONFIG, README, TOKENIZER, *SETTINGS_FILES)
# What transformers' tokenizers of any architecture are read from.
_FOREIGN = re.compile(r"[^/]*(?:vocab|merges|token|spiece|spm|sentencepiece|bpe)[^/]*\.(?:json|txt|model|vocab)|[^/]+\.(?:spm|bpe)")
_MAX_INDEX = 32 << 20


def is_repository(path: Path) -> bool:
    return os.path.isfile(path / CONFIG) and not os.path.exists(path / "metadata")


def small_files(names: Iterable[str]) -> tuple[str, ...]:
    """What to fetch first. Raises UnsupportedModel when the repository has no model, or no weights that can be read."""
    names = set(names)
    if CONFIG not in names:
        raise UnsupportedModel("the repository is not a transformers model", why=f"it has no {CONFIG}")
    main = main_file(names, "the repository")
    index = [main] if main.endswith(".json") else []
    return tuple(sorted({*index, *(name for name in names if name in _SMALL or _FOREIGN.fullmatch(name))}))


def weight_files(folder: Path, names: Iterable[str]) -> tuple[str, ...]:
    """What else to fetch, once the small files are in the folder. Raises UnsupportedModel, ArchiveError."""
    names = set(names)
    main = main_file(names, "the repository")
    if not main.endswith(".json"):
        return (main,)
    index = folder / main
    if index.stat().st_size > _MAX_INDEX:
        raise UnsupportedModel("the index of the weights is larger than any that is needed", where=main)
    listed = shards(index.read_bytes(), main)
    if missing := sorted(set(listed) - names):
        raise InconsistentModel("the repository lacks files of its weights", why=", ".join(missing[:5]))
    return listed


def likely_files(names: Iterable[str]) -> tuple[str, ...]:
    """What `small_files` and `weight_files` are going to be, before an index was read. Raises UnsupportedModel."""
    names = set(names)
    main = main_file(names, "the repository")
    kind = main.removesuffix(".index.json").rpartition(".")[2]
    weights = [name for name in names if re.fullmatch(rf"[^/]+-of-\d+\.{kind}", name)] if main.endswith(".json") else [main]
    return tuple(sorted({*small_files(names), *weights}))


def check_labels(folder: Path, card_labels: tuple[str, ...], where: str) -> None:
    """Refuse a repository that answers something else than the card says: other labels, or another number of `LABEL_n`."""
    labels = _labels(read_json(folder / CONFIG), folder)
    unnamed = labels == tuple(f"LABEL_{index}" for index in range(len(labels)))
    if not (set(labels) == set(card_labels) or (unnamed and len(labels) == len(card_labels))):
        raise InconsistentModel(
            "the repository's labels are not the card's",
            where=where,
            why=f"the repository has {', '.join(labels)}; the card {', '.join(card_labels) or 'lists none'}",
            hint="use source='hf' to take the repository all the same",
        )


def convert_repository(job: Job) -> dict[str, str]:
    """Complete a staging folder that holds a repository's files; gives the SHA-256 of the weights file, by name.

    Raises ModelError, ArchiveError, StoreError, MissingExtra.
    """
    folder = job.staging
    with disk_errors(folder):
        config = read_json(folder / CONFIG)
        head_of(config)
        labels = _labels(config, folder)
        family = FAMILIES.get(str(config.get("model_type")))
        weights = _convert(job, family, config, labels) if family else _leave_to_transformers(job, config, labels)
        return {WEIGHTS: weights.sha256}


def _convert(job: Job, family: Family, stated: Mapping[str, Any], labels: tuple[str, ...]) -> WeightsFile:
    folder, config = job.staging, {**family.defaults, **stated}
    _check_sizes(config, family.sizes, folder)
    positions = family.positions(config)
    weights = _settle_weights(job, family.expected_shapes(config, len(labels)))
    facts = settle_tokenizer(folder, config, labels, job.overlay, positions)
    write_graph(folder, family, config, weights)
    write_manifest(
        job,
        annotator=None,
        architecture=family.model_type,
        labels=labels,
        labels_source=f"{CONFIG} id2label",
        positions=positions,
        facts=facts,
        tensors_digest=weights.digest,
    )
    for name in SLOW_FILES:
        (folder / name).unlink(missing_ok=True)
    return weights


def _leave_to_transformers(job: Job, config: Mapping[str, Any], labels: tuple[str, ...]) -> WeightsFile:
    """transformers opens the folder, and never with code of the repository's own. Raises MissingExtra where it is not installed."""
    kind = str(config.get("model_type"))
    positions = config.get("max_position_embeddings")
    facts = settle_foreign_tokenizer(job.staging, kind, config, labels, job.overlay, positions if _is_size(positions) else None)
    weights = _settle_weights(job, None)
    write_manifest(
        job,
        annotator=None,
        architecture=kind,
        labels=labels,
        labels_source=f"{CONFIG} id2label",
        positions=positions if _is_size(positions) else None,
        facts=facts,
        tensors_digest=weights.digest,
        graph="none",
        graph_note=f"hubclient builds no graph for the architecture '{kind}': transformers runs it",
    )
    return weights


def _settle_weights(job: Job, wanted: Mapping[str, tuple[int, ...]] | None) -> WeightsFile:
    """One float32 safetensors file with the tensors that are wanted (None: all that there are)."""
    folder = job.staging
    with open_checkpoint(folder) as checkpoint:
        found = current_names(checkpoint.names)
        shapes = {name: checkpoint.shape(key) for name, key in found.items()} if wanted is None else wanted
        _check_tensors(checkpoint, found, shapes)
        if checkpoint.single_float32_safetensors:
            return read_weights(folder / WEIGHTS)
        tensors = {name: LazyTensor(shape, _loader(checkpoint, found[name])) for name, shape in shapes.items()}
        fresh = folder / f"{WEIGHTS}.new"
        weights = write_weights(fresh, tensors, job.advance)
        for name in weight_files(folder, os.listdir(folder)):
            (folder / name).unlink()
        for name in MAIN_FILES:
            (folder / name).unlink(missing_ok=True)
        os.replace(fresh, folder / WEIGHTS)
        return weights


def _loader(checkpoint: Checkpoint, key: str) -> Any:
    return lambda: checkpoint.array(key)


def _check_tensors(checkpoint: Checkpoint, found: Mapping[str, str], wanted: Mapping[str, tuple[int, ...]]) -> None:
    for name, shape in wanted.items():
        if name not in found:
            raise UnsupportedModel(
                f"the weights lack the tensor '{name}'", why=f"there are {len(found)} others, as '{min(found, default='')}'"
            )
        if (stored := checkpoint.shape(found[name])) != shape:
            raise InconsistentModel(f"the tensor '{name}' has the shape {stored}, and config.json demands {shape}")


def _check_sizes(config: Mapping[str, Any], sizes: Iterable[str], folder: Path) -> None:
    for name in sizes:
        if not _is_size(config.get(name)):
            raise InconsistentModel(f"{name} is {config.get(name)!r}, which cannot be", where=str(folder / CONFIG))


def _is_size(value: object) -> bool:
    return type(value) is int and value > 0


def _labels(config: Mapping[str, Any], folder: Path) -> tuple[str, ...]:
    """Labels in class order; transformers' own default is two unnamed ones."""
    listed = config.get("id2label") or {str(index): f"LABEL_{index}" for index in range(config.get("num_labels", 2))}
    try:
        by_index = {int(index): str(label) for index, label in listed.items()}
    except (ValueError, AttributeError) as error:
        raise InconsistentModel("id2label is not a map from class numbers to labels", where=str(folder / CONFIG), why=str(error)) from error
    if sorted(by_index) != list(range(len(by_index))):
        raise InconsistentModel(
            "the labels are not numbered from 0 without gaps", where=str(folder / CONFIG), why=f"numbers: {sorted(by_index)}"
        )
    return tuple(by_index[index] for index in range(len(by_index)))
