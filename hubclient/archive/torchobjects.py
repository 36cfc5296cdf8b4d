"""What stands in the pickles that torch writes: storages by persistent id, and tensors that are windows on them.

Strategy: `NAMES` is all that such a pickle may name. Nothing of torch is imported; a rebuild function becomes a `Tensor` that says where
its elements lie, and that was checked against its storage.

Source: torch/_utils.py (`_rebuild_*`), torch/_tensor.py (`_rebuild_from_type_v2`), torch/storage.py (types and their names),
torch/serialization.py (`persistent_id` in `_save` and `_legacy_save`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from hubclient.archive.elements import MAX_RANK, WIDTHS
from hubclient.archive.pickled import Maker, ordered_dict
from hubclient.errors import UnsupportedModel

_MAX_ELEMENTS = 1 << 48


@dataclass(frozen=True)
class StorageType:
    dtype: str


@dataclass(frozen=True)
class ElementType:
    dtype: str


@dataclass(frozen=True)
class TensorType:
    """`torch.Tensor` or `torch.nn.Parameter`, where a tensor is said to be of that type."""


@dataclass(frozen=True)
class Storage:
    """A run of elements. `size` in bytes; `begin`: where it starts in the storage of that key, of which it may be a part."""

    key: str
    dtype: str
    size: int
    begin: int = 0


@dataclass(frozen=True)
class Tensor:
    """A window on a storage: `offset` and `strides` count elements."""

    storage: Storage
    dtype: str
    shape: tuple[int, ...]
    offset: int
    strides: tuple[int, ...]


class Storages:
    """The storages that a pickle refers to, by key. Called with a persistent id, it gives the storage. Raises ValueError."""

    def __init__(self) -> None:
        self.roots: dict[str, Storage] = {}

    def __call__(self, reference: object) -> Storage:
        if not (isinstance(reference, tuple) and len(reference) in (5, 6) and reference[0] == "storage"):
            raise ValueError("a persistent id is not that of a storage")
        _, kind, key, _, count, view = (*reference, None)[:6]
        if not (isinstance(kind, StorageType) and isinstance(key, str)):
            raise ValueError("a storage has no type or no key")
        root = Storage(key, kind.dtype, _count(count) * WIDTHS[kind.dtype])
        known = self.roots.setdefault(key, root)
        if known != root and known.size + root.size:
            raise ValueError(f"storage '{key[:40]}' has two sizes or two types")
        return root if view is None else _part(root, view)


def _part(root: Storage, view: object) -> Storage:
    """A view of a storage, as torch wrote them before version 0.4: (key, first element, number of elements)."""
    if not (isinstance(view, tuple) and len(view) == 3):
        raise ValueError("a view of a storage is not made of three parts")
    begin, size = (_count(number) * WIDTHS[root.dtype] for number in view[1:])
    if begin + size > root.size:
        raise ValueError(f"a view of storage '{root.key[:40]}' is larger than it")
    return Storage(root.key, root.dtype, size, begin)


def _tensor(storage: object, offset: object, shape: object, strides: object, dtype: str | None = None) -> Tensor:
    if not isinstance(storage, Storage):
        raise ValueError("a tensor has no storage")
    sides, steps = _counts(shape), _counts(strides)
    if len(sides) != len(steps) or prod(max(side, 1) for side in sides) > _MAX_ELEMENTS:
        raise ValueError(f"a tensor cannot have {len(sides)} sides and {len(steps)} strides, or is too large")
    tensor = Tensor(storage, dtype or storage.dtype, sides, _count(offset), steps)
    end = tensor.offset + 1 + sum((side - 1) * step for side, step in zip(sides, steps, strict=True))
    if prod(sides) and end * WIDTHS[tensor.dtype] > storage.size:
        raise ValueError(f"a tensor of shape {sides} reaches beyond its storage '{storage.key[:40]}' of {storage.size} bytes")
    return tensor


def _rebuild_tensor(arguments: tuple[object, ...]) -> Tensor:
    storage, offset, shape, strides = _taken(arguments, 4, 4)
    return _tensor(storage, offset, shape, strides)


def _rebuild_tensor_v2(arguments: tuple[object, ...]) -> Tensor:
    storage, offset, shape, strides, _, _, *metadata = _taken(arguments, 6, 7)
    _check_metadata(metadata)
    return _tensor(storage, offset, shape, strides)


def _rebuild_tensor_v3(arguments: tuple[object, ...]) -> Tensor:
    storage, offset, shape, strides, _, _, kind, *metadata = _taken(arguments, 7, 8)
    if not isinstance(kind, ElementType):
        raise ValueError("a tensor has no element type")
    _check_metadata(metadata)
    return _tensor(storage, offset, shape, strides, kind.dtype)


def _rebuild_parameter(arguments: tuple[object, ...]) -> Tensor:
    """A parameter is its tensor; whether it is trained, its hooks and its attributes say nothing of its values."""
    data, *_ = _taken(arguments, 3, 4)
    if not isinstance(data, Tensor):
        raise ValueError("a parameter has no tensor")
    return data


def _rebuild_from_type(arguments: tuple[object, ...]) -> Tensor:
    """A tensor that has attributes: another function makes it."""
    function, kind, made_of, _ = _taken(arguments, 4, 4)
    if not (isinstance(function, Maker) and function in _REBUILDERS and isinstance(kind, TensorType) and isinstance(made_of, tuple)):
        raise ValueError("a tensor with attributes is made of something else than a plain one")
    tensor = function.make(made_of)
    assert isinstance(tensor, Tensor)
    return tensor


def _size(arguments: tuple[object, ...]) -> tuple[int, ...]:
    return _counts(*_taken(arguments, 1, 1))


def _check_metadata(metadata: list[object]) -> None:
    """Set where the numbers that lie there are still to be conjugated or negated."""
    if any(metadata):
        raise UnsupportedModel("a tensor of the checkpoint is a lazy view of other numbers, and those cannot be worked out")


def _taken(arguments: tuple[object, ...], least: int, most: int) -> tuple[object, ...]:
    if not least <= len(arguments) <= most:
        raise ValueError(f"a function of torch is given {len(arguments)} arguments")
    return arguments


def _counts(values: object) -> tuple[int, ...]:
    if not isinstance(values, tuple) or len(values) > MAX_RANK:
        raise ValueError("a shape is not a tuple of a few numbers")
    return tuple(_count(value) for value in values)


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _MAX_ELEMENTS:
        raise ValueError("a size, an offset or a stride is not a whole number, negative or absurdly large")
    return value


_REBUILDERS = (
    Maker("torch._utils._rebuild_tensor", _rebuild_tensor),
    Maker("torch._utils._rebuild_tensor_v2", _rebuild_tensor_v2),
    Maker("torch._utils._rebuild_tensor_v3", _rebuild_tensor_v3),
    Maker("torch._utils._rebuild_parameter", _rebuild_parameter),
    Maker("torch._utils._rebuild_parameter_with_state", _rebuild_parameter),
)
_STORAGES = {
    "DoubleStorage": "F64",
    "FloatStorage": "F32",
    "HalfStorage": "F16",
    "BFloat16Storage": "BF16",
    "LongStorage": "I64",
    "IntStorage": "I32",
    "ShortStorage": "I16",
    "CharStorage": "I8",
    "ByteStorage": "U8",
    "BoolStorage": "BOOL",
    "ComplexFloatStorage": "C64",
    "ComplexDoubleStorage": "C128",
    "UntypedStorage": "U8",
    "storage.UntypedStorage": "U8",
}
_TYPES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint64": "U64",
    "uint32": "U32",
    "uint16": "U16",
    "uint8": "U8",
    "bool": "BOOL",
    "complex64": "C64",
    "complex128": "C128",
}
NAMES: Mapping[str, object] = {
    "collections.OrderedDict": Maker("collections.OrderedDict", ordered_dict),
    "torch.Size": Maker("torch.Size", _size),
    "torch._tensor._rebuild_from_type_v2": Maker("torch._tensor._rebuild_from_type_v2", _rebuild_from_type),
    **{maker.name: maker for maker in _REBUILDERS},
    **{f"torch.{name}": StorageType(dtype) for name, dtype in _STORAGES.items()},
    **{f"torch.{name}": ElementType(dtype) for name, dtype in _TYPES.items()},
    **{name: TensorType() for name in ("torch.Tensor", "torch.nn.parameter.Parameter")},
}
