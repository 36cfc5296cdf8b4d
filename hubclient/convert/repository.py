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

_VOCABULARY = "vocab.txt"
_SIZES = (
    "hidden_size",
    "intermediate_size",
    "num_attention_heads",
    "num_hidden_layers",
    "vocab_size",
    "max_position_embeddings",
    "type_vocab_size",
)
_TOKENIZER_SWITCHES = ("do_lower_case", "strip_accents", "tokenize_chinese_chars")
_SETTINGS = (CONFIG, TOKENIZER, TOKENIZER_CONFIG, "special_tokens_map.json", "added_tokens.json", _VOCABULARY)
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
    return tuple(name for name in _SETTINGS if name in names), (WEIGHTS,)


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
        _check_settings(config, folder)
        labels = _labels(config, folder)
        weights = read_weights(folder / WEIGHTS)
        _check_tensors(weights.layout, family.expected_shapes(config, len(labels)))
        facts = _tokenizer(folder, config, labels, job.overlay)
        write_graph(folder, family, config, weights)
        write_manifest(
            job,
            annotator=None,
            architecture=family.model_type,
            labels=labels,
            labels_source=f"{CONFIG} id2label",
            positions=config["max_position_embeddings"],
            facts=facts,
            tensors_digest=weights.digest,
        )
        (folder / _VOCABULARY).unlink(missing_ok=True)
        return {WEIGHTS: weights.sha256}


def _family(config: Mapping[str, Any]) -> Family:
    kind, architectures = str(config.get("model_type")), config.get("architectures") or []
    if kind not in FAMILIES:
        raise UnsupportedModel(f"the architecture '{kind}' is not supported yet", hint=f"supported are {', '.join(sorted(FAMILIES))}")
    if not any(str(name).endswith("ForSequenceClassification") for name in architectures):
        raise UnsupportedModel(
            "the repository is not a text classifier", why=f"its architecture is {', '.join(map(str, architectures)) or 'not said'}"
        )
    return FAMILIES[kind]


def _check_settings(config: Mapping[str, Any], folder: Path) -> None:
    """What is reckoned with must be what it should be: sizes, a small number, a name."""
    sound = {name: _is_size(config.get(name)) for name in _SIZES}
    sound["layer_norm_eps"] = isinstance(config.get("layer_norm_eps"), int | float) and config["layer_norm_eps"] > 0
    sound["hidden_act"] = isinstance(config.get("hidden_act"), str)
    for name in (name for name in sound if not sound[name]):
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


def _tokenizer(folder: Path, config: Mapping[str, Any], labels: tuple[str, ...], overlay: Overlay) -> Facts:
    """Settle the facts, and write both tokenizer files so that they say the same; gives the origin's facts, without the overlay's."""
    settings = read_json(folder / TOKENIZER_CONFIG) if (folder / TOKENIZER_CONFIG).exists() else {}
    fast = read_json(folder / TOKENIZER) if (folder / TOKENIZER).exists() else None
    for name in _TOKENIZER_SWITCHES:
        if not isinstance(settings.get(name), bool | None):
            raise InconsistentModel(f"{name} is {settings[name]!r}, and must be true or false", where=str(folder / TOKENIZER_CONFIG))
    stated = settings.get("do_lower_case")
    normalizer = _bert_normalizer(fast)
    if stated is None and normalizer is not None:
        stated = normalizer.get("lowercase")
    if stated is None and fast is None:
        stated = True  # BertTokenizer's own default, in force where a repository says nothing
    facts = RepositoryClaims(config, settings, lowercase=stated).decide(labels=len(labels), positions=config["max_position_embeddings"])
    forced = in_force(facts, overlay, config["max_position_embeddings"])
    if fast is None:
        files = wordpiece.build(
            _read_vocabulary(folder),
            lowercase=bool(forced.lowercase.value),
            max_length=forced.max_length.value,
            strip_accents=settings.get("strip_accents"),
            chinese_characters=settings.get("tokenize_chinese_chars", True),
        )
        fast, settings = json.loads(files.tokenizer_json), {**settings, **files.config}
    elif normalizer is not None:
        normalizer["lowercase"] = forced.lowercase.value
    wordpiece.check_vocabulary(_ids(fast, folder), config["vocab_size"])
    case = {} if forced.lowercase.value is None else {"do_lower_case": forced.lowercase.value}
    write_json(folder / TOKENIZER, fast)
    open_tokenizer(folder)
    write_json(folder / TOKENIZER_CONFIG, {**settings, **case, "model_max_length": forced.max_length.value})
    return facts


def _bert_normalizer(fast: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The part of a tokenizer that has a case setting, if it has one."""
    part = fast.get("normalizer") if fast else None
    return part if isinstance(part, dict) and part.get("type") == "BertNormalizer" else None


def _ids(tokenizer: Mapping[str, Any], folder: Path) -> dict[str, int]:
    try:
        return {**tokenizer["model"]["vocab"], **{token["content"]: token["id"] for token in tokenizer.get("added_tokens") or ()}}
    except (KeyError, TypeError, AttributeError) as error:
        raise UnsupportedModel(
            "the tokenizer has no vocabulary that can be read", where=str(folder / TOKENIZER), why=repr(error)
        ) from error


def _read_vocabulary(folder: Path) -> dict[str, int]:
    """One piece a line, the line's number is its id (transformers' load_vocab)."""
    path = folder / _VOCABULARY
    if not path.exists():
        raise UnsupportedModel("the repository has no tokenizer that can be read", why=f"it has neither {TOKENIZER} nor {_VOCABULARY}")
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise InconsistentModel("the vocabulary is not UTF-8", where=str(path), why=str(error)) from error
    return {piece.rstrip("\r"): index for index, piece in enumerate(lines[:-1] if lines[-1] == "" else lines)}
