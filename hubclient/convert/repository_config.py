"""The config.json of a Hugging Face repository, read as transformers reads it, and written so that each of its versions takes it alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hubclient.checkpoint import based, current_names
from hubclient.convert.write import problem_type
from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models import FAMILIES
from hubclient.models.family import HEADS, Family
from hubclient.native import read_json, write_json

# How the weights were stored, how many classes there are besides their names, and how a model is to give its answers.
_LEFT_OUT = frozenset(
    {
        "attn_implementation",
        "_attn_implementation",
        "num_labels",
        "output_attentions",
        "output_hidden_states",
        "return_dict",
        "torch_dtype",
        "torchscript",
    }
)
_MOST_LABELS = 1 << 20


def read_config(path: Path) -> dict[str, Any]:
    """With a model type in any case. Raises InconsistentModel, UnsupportedModel."""
    return checked_config(read_json(path), str(path))


def checked_config(config: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The same of one that was read elsewhere."""
    if config.get("transformers_weights") is not None:
        why = f"it is {config['transformers_weights']!r}"
        raise UnsupportedModel("config.json names a file of weights (transformers_weights), which is not supported", where=where, why=why)
    if config.get("quantization_config") is not None:
        raise UnsupportedModel(
            "the weights are quantized",
            where=where,
            why="config.json has a quantization_config",
            hint="use the model that it was made from",
        )
    return {**config, "model_type": _model_type(config, where)}


def labels_of(config: Mapping[str, Any], where: str) -> tuple[str, ...]:
    """Labels in class order; transformers' own default is two unnamed ones."""
    listed = config.get("id2label") or {str(index): f"LABEL_{index}" for index in range(_count(config, where))}
    try:
        by_index = {int(index): str(label) for index, label in listed.items()}
    except (ValueError, AttributeError) as error:
        raise InconsistentModel("id2label is not a map from class numbers to labels", where=where, why=str(error)) from error
    if sorted(by_index) != list(range(len(by_index))):
        raise InconsistentModel("the labels are not numbered from 0 without gaps", where=where, why=f"numbers: {sorted(by_index)}")
    return tuple(by_index[index] for index in range(len(by_index)))


def architecture_of(tensors: Iterable[str], family: Family, config: Mapping[str, Any], labels: int) -> str:
    """That of a config.json that names none: the one whose tensors are all there. A classifier of texts comes first.

    Raises UnsupportedModel.
    """
    found = based(current_names(tensors), family.base)
    for ending in HEADS.values():
        name = f"{family.title}{ending}"
        if family.expected_shapes({**config, "architectures": [name]}, labels).keys() <= found.keys():
            return name
    raise UnsupportedModel("the model is not a text classifier", why="config.json names no architecture, and the weights have no such head")


def write_settled(path: Path, config: Mapping[str, Any], labels: tuple[str, ...], activation: str | None) -> None:
    """`activation`: what is in force, None where the model answers for tokens."""
    problem = {} if activation is None else {"problem_type": problem_type(activation, len(labels))}
    # Without names, transformers numbers the classes anew.
    numbers = config.get("label2id") if config.get("id2label") else None
    write_json(
        path,
        {
            **{key: value for key, value in config.items() if key not in _LEFT_OUT},
            **problem,
            "dtype": "float32",
            "id2label": {str(index): label for index, label in enumerate(labels)},
            "label2id": numbers or {label: index for index, label in enumerate(labels)},
        },
    )


def _model_type(config: Mapping[str, Any], where: str) -> str:
    """Releases before 2.4 did not write it: the class that they wrote has it in its name."""
    stated = config.get("model_type")
    if isinstance(stated, str):
        return stated
    named = config.get("architectures")
    for family in FAMILIES.values():
        if isinstance(named, list) and any(f"{family.title}{ending}" in named for ending in HEADS.values()):
            return family.model_type
    raise UnsupportedModel("config.json does not say of what architecture the model is", where=where, hint="add its model_type")


def _count(config: Mapping[str, Any], where: str) -> int:
    count = config.get("num_labels", 2)
    if type(count) is not int or not 0 < count <= _MOST_LABELS:
        raise InconsistentModel(f"num_labels is {count!r}, which cannot be", where=where)
    return count
