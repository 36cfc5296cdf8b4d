"""A Hugging Face repository becomes a native folder: its float32 safetensors file stays as it is, the graph is written beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hubclient.cards import Overlay
from hubclient.convert.facts import RepositoryClaims, in_force
from hubclient.convert.job import Job
from hubclient.convert.write import write_graph, write_manifest
from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models import FAMILIES, wordpiece
from hubclient.models.builder import Slot
from hubclient.models.family import Family
from hubclient.native import CONFIG, TOKENIZER, TOKENIZER_CONFIG, WEIGHTS, Facts, open_tokenizer, read_json, write_json
from hubclient.sources.disk import disk_errors
from hubclient.tensors import read_weights

_TOKENIZER_SWITCHES = ("do_lower_case", "strip_accents", "tokenize_chinese_chars", "keep_accents", "add_prefix_space")
_SMALL = (CONFIG, TOKENIZER, TOKENIZER_CONFIG, "special_tokens_map.json", "added_tokens.json")
_OTHER_WEIGHTS = ("model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "flax_model.msgpack")


def is_repository(path: Path) -> bool:
    return os.path.isfile(path / CONFIG) and not os.path.exists(path / "metadata")


def needed_files(names: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The small files and the weights files to fetch. Raises UnsupportedModel when the repository has no weights that can be read."""
    names = set(names)
    if CONFIG not in names:
        raise UnsupportedModel("the repository is not a transformers model", why=f"it has no {CONFIG}")
    if WEIGHTS not in names:
        others = [name for name in _OTHER_WEIGHTS if name in names]
        raise UnsupportedModel(
            f"the repository has no {WEIGHTS}",
            why=f"its weights are in {others[0]}, which is not supported yet" if others else "it has no weights",
        )
    return tuple(name for name in (*_SMALL, *sorted(_SLOW)) if name in names), (WEIGHTS,)


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

    Raises ModelError, ArchiveError, StoreError.
    """
    folder = job.staging
    with disk_errors(folder):
        config = read_json(folder / CONFIG)
        family = _family(config)
        config = {**family.defaults, **config}
        _check_settings(config, family.sizes, folder)
        labels = _labels(config, folder)
        weights = read_weights(folder / WEIGHTS)
        _check_tensors(weights.layout, family.expected_shapes(config, len(labels)))
        positions = family.positions(config)
        facts = _tokenizer(folder, family, config, labels, job.overlay)
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
        for name in _SLOW:
            (folder / name).unlink(missing_ok=True)
        return {WEIGHTS: weights.sha256}


def _family(config: Mapping[str, Any]) -> Family:
    kind = str(config.get("model_type"))
    if kind not in FAMILIES:
        raise UnsupportedModel(f"the architecture '{kind}' is not supported yet", hint=f"supported are {', '.join(sorted(FAMILIES))}")
    head_of(config)
    return FAMILIES[kind]


def _check_settings(config: Mapping[str, Any], sizes: Iterable[str], folder: Path) -> None:
    """What is reckoned with must be what it should be."""
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


def _check_tensors(layout: Mapping[str, Slot], wanted: Mapping[str, tuple[int, ...]]) -> None:
    for name, shape in wanted.items():
        slot = layout.get(name)
        if slot is None:
            raise UnsupportedModel(
                f"the weights lack the tensor '{name}'", why=f"there are {len(layout)} others, as '{min(layout, default='')}'"
            )
        if slot.shape != shape:
            raise InconsistentModel(f"the tensor '{name}' has the shape {slot.shape}, and config.json demands {shape}")
        if slot.dtype != "F32":
            raise UnsupportedModel(f"weights of type {slot.dtype} are not supported yet", why=f"the tensor '{name}' is of that type")


def _tokenizer(folder: Path, family: Family, config: Mapping[str, Any], labels: tuple[str, ...], overlay: Overlay) -> Facts:
    """Settle the facts, and write both tokenizer files so that they say the same; gives the origin's facts, without the overlay's."""
    settings, fast = _tokenizer_settings(folder), read_json(folder / TOKENIZER) if (folder / TOKENIZER).exists() else None
    kind, positions = KINDS[family.model_type], family.positions(config)
    parts = None if fast else _slow_parts(folder, kind, settings)
    stated = _stated_case(fast) if fast else kind.stated_case(settings)
    facts = RepositoryClaims(config, settings, lowercase=stated).decide(labels=len(labels), positions=positions)
    forced = in_force(facts, overlay, positions)
    if parts:
        kind.check(parts, config["vocab_size"])
        files = kind.build(parts, lowercase=forced.lowercase.value, max_length=forced.max_length.value)
        fast, settings = json.loads(files.tokenizer_json), {**settings, **files.config}
    elif fast:
        _set_case(fast, forced.lowercase.value)
    _check_ids(fast, config["vocab_size"], folder)
    case = {} if forced.lowercase.value is None else {"do_lower_case": forced.lowercase.value}
    write_json(folder / TOKENIZER, fast)
    open_tokenizer(folder)
    write_json(folder / TOKENIZER_CONFIG, {**settings, **case, "model_max_length": forced.max_length.value})
    return facts
