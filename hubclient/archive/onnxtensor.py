"""One tensor of an ONNX model: that its bytes are as many as its shape demands, and where they lie.

Source: onnx/onnx.proto (`TensorProto`: `raw_data`, the typed lists, `external_data`), docs/ExternalData.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from hubclient.archive.safenames import check_names
from hubclient.errors import CorruptArchive, UnsafeArchive, UnsupportedModel

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray
    from typing_extensions import Buffer

# TensorProto.DataType
FLOAT = 1
INTEGERS = frozenset({2, 3, 4, 5, 6, 7, 12, 13})
_MAX_RANK = 32
# TensorProto.DataType -> bits an element, as they lie in `raw_data`; complex numbers and strings have no place in a model of text.
_BITS = {
    **dict.fromkeys((2, 3, 9, 17, 18, 19, 20, 24), 8),
    **dict.fromkeys((4, 5, 10, 16), 16),
    **dict.fromkeys((1, 6, 12), 32),
    **dict.fromkeys((7, 11, 13), 64),
    **dict.fromkeys((21, 22, 23), 4),
}
_LISTS = ("float_data", "int32_data", "int64_data", "double_data", "uint64_data")


@dataclass(frozen=True)
class External:
    """A tensor's bytes in a file beside the model."""

    file: str
    offset: int
    length: int


def check_tensor(tensor: onnx.TensorProto, where: str) -> External | None:
    """Where the bytes lie, if not in the tensor itself.

    Raises CorruptArchive when they do not make the shape, UnsafeArchive for a place outside the model's folder.
    """
    where = f"{where}, tensor '{tensor.name}'"
    shape = tuple(tensor.dims)
    if len(shape) > _MAX_RANK or min(shape, default=0) < 0:
        raise CorruptArchive(f"a tensor has the impossible shape {shape[:_MAX_RANK]}", where=where)
    if tensor.data_type not in _BITS or tensor.HasField("segment"):
        raise UnsupportedModel(f"a tensor is of ONNX type {tensor.data_type}, which cannot be read", where=where)
    size = (prod(shape) * _BITS[tensor.data_type] + 7) // 8
    if tensor.data_location == tensor.EXTERNAL:
        return _external(tensor, size, where)
    lists = [name for name in _LISTS if len(getattr(tensor, name))]
    if tensor.HasField("raw_data") and not lists:
        found, wanted = len(tensor.raw_data), size
    else:
        found, wanted = sum(len(getattr(tensor, name)) for name in lists), prod(shape)
    if found != wanted or len(lists) > 1 or (lists and tensor.HasField("raw_data")):
        raise CorruptArchive(f"a tensor of shape {shape} does not have the data that it needs", where=where)
    return None


def array(tensor: onnx.TensorProto, files: Mapping[str, Buffer]) -> NDArray[np.generic]:
    """The values; those of an external tensor are a read-only view of its file."""
    import numpy as np
    import onnx.helper
    import onnx.numpy_helper

    if tensor.data_location != tensor.EXTERNAL:
        values: NDArray[np.generic] = onnx.numpy_helper.to_array(tensor)
        return values
    place = check_tensor(tensor, place_of(tensor))
    if place is None or place.file not in files:
        raise CorruptArchive(f"the data of tensor '{tensor.name}' are not there")
    kind = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type))
    if kind.itemsize * 8 != _BITS[tensor.data_type]:
        raise UnsupportedModel(f"the tensor '{tensor.name}' is of ONNX type {tensor.data_type}, which cannot be read from a file")
    view = memoryview(files[place.file]).cast("B").toreadonly()[place.offset : place.offset + place.length]
    return np.frombuffer(view, dtype=kind.newbyteorder("<")).reshape(tuple(tensor.dims))


def place_of(tensor: onnx.TensorProto) -> str:
    return next((entry.value for entry in tensor.external_data if entry.key == "location"), "the model")


def _external(tensor: onnx.TensorProto, size: int, where: str) -> External:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    file = entries.get("location", "")
    check_names([file], where)
    if "/" in file:
        raise UnsafeArchive("a tensor's data lie in another folder than the model", where=where, why=f"location {file!r}")
    offset, length = (_number(entries.get(key, default), where) for key, default in (("offset", "0"), ("length", str(size))))
    if length != size:
        raise CorruptArchive(f"a tensor of {size} bytes is said to have {length}", where=where)
    return External(file, offset, length)


def _number(text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 19:
        raise CorruptArchive(f"a tensor's place in its file is {text[:30]!r}", where=where)
    return int(text)
