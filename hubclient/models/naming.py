"""transformers' names of one tensor: as a TensorFlow variable, and in a PyTorch checkpoint.

Source: transformers/modeling_tf_pytorch_utils.py, convert_tf_weight_name_to_pt_weight_name: layers of a list are `layer_._3` and `layer.3`;
kernels are (in, out) in TensorFlow and (out, in) in PyTorch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models.family import TensorSource

_NUMBERED = re.compile(r"_\._(\d+)")
_LEAVES = {"kernel": "weight", "gamma": "weight", "beta": "bias", "embeddings": "weight"}


def root_of(variables: Iterable[str], base: str) -> str:
    """What stands before the base model's name in every variable: `tf_bert_for_sequence_classification/` before `bert`."""
    variables = list(variables)
    roots = {name[: f"/{name}".index(f"/{base}/")] for name in variables if f"/{base}/" in f"/{name}"}
    if len(roots) != 1:
        raise UnsupportedModel(f"the variables are not those of one model named '{base}'", why=f"found under: {sorted(roots) or 'nothing'}")
    (root,) = roots
    if foreign := [name for name in variables if not name.startswith(root)]:
        raise UnsupportedModel("the variables are those of more than one model", why=f"'{foreign[0]}' is not below '{root}'")
    return root


def hugging_face_tensors(shapes: Mapping[str, tuple[int, ...]], root: str) -> dict[str, TensorSource]:
    """PyTorch's name of each variable, and where it is."""
    found: dict[str, TensorSource] = {}
    for variable, shape in shapes.items():
        path, _, leaf = variable.removeprefix(root).rpartition("/")
        name = _NUMBERED.sub(r".\1", path).replace("/", ".")
        key = f"{name}.{_LEAVES.get(leaf, leaf)}".removeprefix(".")
        if key in found:
            raise InconsistentModel(f"two variables are the tensor '{key}'", why=f"'{found[key].key}' and '{variable}'")
        found[key] = TensorSource(variable, transposed=leaf == "kernel" and len(shape) == 2)
    return found


def count_layers(names: Iterable[str], prefix: str) -> int:
    """How many layers there are under `prefix`, as in `bert.encoder.layer`. Raises InconsistentModel unless they are 0, 1, 2 …"""
    pattern = re.compile(re.escape(prefix) + r"\.(\d+)\.")
    numbers = {int(match[1]) for name in names if (match := pattern.match(name))}
    if not numbers or numbers != set(range(len(numbers))):
        raise InconsistentModel(f"the layers under '{prefix}' are not numbered from 0 without a gap", why=f"found: {sorted(numbers)}")
    return len(numbers)


def check_tensors(
    tensors: Mapping[str, TensorSource], shapes: Mapping[str, tuple[int, ...]], wanted: Mapping[str, tuple[int, ...]]
) -> None:
    """Every tensor that is wanted must be there with its shape, and no other. `shapes` are the origin's, by its own names."""
    missing, surplus = sorted(wanted.keys() - tensors.keys()), sorted(tensors.keys() - wanted.keys())
    if missing or surplus:
        raise UnsupportedModel("the weights are not those of the architecture", why=f"missing: {_few(missing)}; not known: {_few(surplus)}")
    for name, source in tensors.items():
        shape = shapes[source.key][::-1] if source.transposed else shapes[source.key]
        if shape != wanted[name]:
            raise InconsistentModel(f"'{source.key}' has the shape {shapes[source.key]}, which does not fit {name} {wanted[name]}")


def the_one(values: list[object], what: str) -> object:
    """What all layers agree on. Raises UnsupportedModel."""
    if len(set(values)) != 1:
        raise UnsupportedModel(f"the layers differ in their {what}", why=f"found: {sorted(set(map(str, values)))}")
    return values[0]


def _few(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "") if names else "none"
