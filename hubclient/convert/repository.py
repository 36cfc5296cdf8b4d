"""A Hugging Face repository becomes a native folder: a float32 safetensors file stays as it is, other weights are written anew, and the
graph beside them. An architecture that is none of ours is left to transformers: its folder has no graph."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hubclient.archive.elements import INTEGERS
from hubclient.checkpoint import MAIN_FILES, Checkpoint, based, current_names, main_file, open_checkpoint, shards
from hubclient.convert.facts import in_force
from hubclient.convert.job import Job
from hubclient.convert.repository_config import architecture_of, labels_of, read_config, write_settled
from hubclient.convert.repository_foreign import settle_foreign_tokenizer
from hubclient.convert.repository_tokenizer import Wanted, settle_tokenizer
from hubclient.convert.write import write_graph, write_manifest
from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models import FAMILIES
from hubclient.models.family import Family, head_of
from hubclient.models.tokenizer import SETTINGS_FILES
from hubclient.native import CONFIG, README, TOKENIZER, WEIGHTS, Facts, read_json
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
    labels = labels_of(read_json(folder / CONFIG), str(folder / CONFIG))
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
        config = read_config(folder / CONFIG)
        labels = labels_of(config, str(folder / CONFIG))
        family = FAMILIES.get(config["model_type"])
        weights = _convert(job, family, config, labels) if family else _leave_to_transformers(job, config, labels)
        return {WEIGHTS: weights.sha256}


def _convert(job: Job, family: Family, stated: Mapping[str, Any], labels: tuple[str, ...]) -> WeightsFile:
    folder, config = job.staging, {**family.defaults, **stated}
    check_sizes(config, family.sizes, str(folder / CONFIG))
    if not config.get("architectures"):
        config["architectures"] = [architecture_of(_names(folder), family, config, len(labels))]
    positions = family.positions(config)
    weights = _settle_weights(job, family.expected_shapes(config, len(labels)), family.base)
    facts = settle_tokenizer(folder, Wanted(config, labels, job.overlay, positions))
    write_graph(folder, family, config, weights)
    _write_settings(job, config, labels, positions, facts, weights)
    return weights


def _leave_to_transformers(job: Job, config: Mapping[str, Any], labels: tuple[str, ...]) -> WeightsFile:
    """transformers opens the folder, and never with code of the repository's own. Raises MissingExtra where it is not installed."""
    kind, stated = config["model_type"], config.get("max_position_embeddings")
    head_of(config)
    positions = stated if _is_size(stated) else None
    facts = settle_foreign_tokenizer(job.staging, kind, Wanted(config, labels, job.overlay, positions))
    weights = _settle_weights(job, None)
    note = f"hubclient builds no graph for the architecture '{kind}': transformers runs it"
    _write_settings(job, config, labels, positions, facts, weights, graph="none", graph_note=note)
    return weights


def _write_settings(
    job: Job,
    config: Mapping[str, Any],
    labels: tuple[str, ...],
    positions: int | None,
    facts: Facts,
    weights: WeightsFile,
    *,
    graph: str = "built",
    graph_note: str | None = None,
) -> None:
    forced = in_force(facts, job.overlay, positions)
    write_settled(job.staging / CONFIG, config, labels, forced.activation.value if head_of(config) == "sequence" else None)
    write_manifest(
        job,
        annotator=None,
        architecture=config["model_type"],
        labels=labels,
        labels_source=f"{CONFIG} id2label",
        positions=positions,
        facts=facts,
        tensors_digest=weights.digest,
        graph=graph,
        graph_note=graph_note,
    )


def _names(folder: Path) -> tuple[str, ...]:
    with open_checkpoint(folder) as checkpoint:
        return checkpoint.names


def _settle_weights(job: Job, wanted: Mapping[str, tuple[int, ...]] | None, base: str = "") -> WeightsFile:
    """One float32 safetensors file with the tensors that are wanted (None: all that there are)."""
    folder = job.staging
    with open_checkpoint(folder) as checkpoint:
        found = based(current_names(checkpoint.names), base)
        shapes = {name: checkpoint.shape(key) for name, key in found.items()} if wanted is None else wanted
        if wanted is not None:
            _check_tensors(checkpoint, found, wanted)
        if checkpoint.single_float32_safetensors and all(found[name] == name for name in shapes):
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
            raise _lacking(name, checkpoint.names)
        if (stored := checkpoint.shape(found[name])) != shape:
            raise InconsistentModel(f"the tensor '{name}' has the shape {stored}, and config.json demands {shape}")
        if (kind := checkpoint.dtype(found[name])) in INTEGERS:
            raise UnsupportedModel(f"the tensor '{name}' has whole numbers ({kind})", why="weights that are quantized cannot be read")


def _lacking(name: str, names: Sequence[str]) -> UnsupportedModel:
    prefix = next((other.removesuffix(name) for other in names if other.endswith(f".{name}")), None)
    if prefix and all(other.startswith(prefix) for other in names):
        return UnsupportedModel(
            f"the names of all weights begin with '{prefix}'",
            why="what was saved is not the model but what it was wrapped in, which transformers does not load either",
            hint="load the weights into the model itself with torch, and save that with save_pretrained",
        )
    return UnsupportedModel(f"the weights lack the tensor '{name}'", why=f"there are {len(names)} others, as '{min(names, default='')}'")


def check_sizes(config: Mapping[str, Any], sizes: Iterable[str], where: str) -> None:
    """Raises InconsistentModel for a setting that is no whole number above 0."""
    for name in sizes:
        if not _is_size(config.get(name)):
            raise InconsistentModel(f"{name} is {config.get(name)!r}, which cannot be", where=where)


def _is_size(value: object) -> bool:
    return type(value) is int and value > 0
