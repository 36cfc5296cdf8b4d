"""The values that stand in a TensorFlow graph itself: Const nodes, and shapes put together from them.

Source: tensorflow/core/framework/tensor.proto: a tensor's values are raw bytes, or a list; the last of a list is repeated until the shape
is full.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from hubclient.archive import dtypes
from hubclient.errors import CorruptArchive

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hubclient.archive.graph import Node
    from hubclient.archive.protobuf import TensorProto

_MAX_FILLED = 1 << 24
_MAX_RANK = 32
_FIELDS = {
    1: "float_val",
    2: "double_val",
    9: "int64_val",
    10: "bool_val",
    22: "uint32_val",
    23: "uint64_val",
}


def constant(node: Node) -> NDArray[np.generic]:
    """The value of a Const node, read-only; bfloat16 is widened to float32."""
    if node.op != "Const":
        raise CorruptArchive(f"graph node '{node.name}' is {node.op}, where a constant was expected")
    tensor = node.attribute("value").tensor
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if tensor.tensor_shape.unknown_rank or len(shape) > _MAX_RANK or min(shape, default=0) < 0:
        raise CorruptArchive(f"the constant '{node.name}' has an impossible shape {shape}")
    return _values(node.name, tensor, shape)


def scalar(node: Node) -> float | int | bool:
    """The value of a Const node with one element, in whatever shape."""
    value = constant(node)
    if value.size != 1:
        raise CorruptArchive(f"the constant '{node.name}' has {value.size} values, where one was expected")
    item: float | int | bool = value.reshape(()).item()
    return item


def vector(node: Node) -> tuple[int | None, ...] | None:
    """The integers of a shape, as a Reshape is given it: a Const, or a Pack of numbers, None for each that is only known when running.

    None if the node is neither.
    """
    if node.op == "Const":
        value = constant(node)
        return tuple(int(number) for number in value.reshape(-1).tolist()) if value.dtype.kind in "iu" else None
    if node.op == "Pack":
        return tuple(_integer(part) for part in node.inputs)
    return None


def _integer(node: Node) -> int | None:
    return int(scalar(node)) if node.op == "Const" else None


def _values(name: str, tensor: TensorProto, shape: tuple[int, ...]) -> NDArray[np.generic]:
    import numpy as np

    stored, count = dtypes.stored_type(tensor.dtype, f"the constant '{name}'"), prod(shape)
    try:
        given = _given(tensor, stored) if count else np.empty(0, stored)
        if given.size != count and (tensor.tensor_content or given.size > count):
            raise CorruptArchive(f"the constant '{name}' has {given.size} values, which do not make {shape}")
        if given.size == count:
            array = given.reshape(shape)
        elif given.size == 1:
            array = np.broadcast_to(given.reshape(()), shape)
        else:
            array = _filled(name, given, count).reshape(shape)
    except (ValueError, OverflowError) as error:
        raise CorruptArchive(f"the constant '{name}' cannot be read", why=str(error)) from error
    array.flags.writeable = False
    return array


def _given(tensor: TensorProto, stored: np.dtype[np.generic]) -> NDArray[np.generic]:
    """The values that the message lists; none listed means one zero."""
    import numpy as np

    if tensor.tensor_content:
        values = np.frombuffer(tensor.tensor_content, stored)
    elif tensor.dtype in (dtypes.HALF, dtypes.BFLOAT16):
        values = np.array(list(tensor.half_val) or [0], np.uint16).view(stored)
    else:
        values = np.array(list(getattr(tensor, _FIELDS.get(tensor.dtype, "int_val"))) or [0], stored)
    return dtypes.widened(values) if tensor.dtype == dtypes.BFLOAT16 else values


def _filled(name: str, given: NDArray[np.generic], count: int) -> NDArray[np.generic]:
    import numpy as np

    if count > _MAX_FILLED:
        raise CorruptArchive(f"the constant '{name}' would have {count:,} values, and lists {given.size}")
    return np.concatenate([given, np.broadcast_to(given[-1:], (count - given.size,))])
