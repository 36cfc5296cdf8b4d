"""The elements of a checkpoint's tensors: types under safetensors' names, where tensors lie, and how they become float32.

float16 and bfloat16 widen to float32 exactly, whole numbers and float64 as long as no value changes: what would change is refused.

Source: https://github.com/huggingface/safetensors#format (the names), torch/storage.py (the types).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from hubclient.archive.dtypes import widened
from hubclient.errors import CorruptArchive, UnsupportedModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WIDTHS = {
    "F64": 8,
    "F32": 4,
    "F16": 2,
    "BF16": 2,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "I64": 8,
    "I32": 4,
    "I16": 2,
    "I8": 1,
    "U64": 8,
    "U32": 4,
    "U16": 2,
    "U8": 1,
    "BOOL": 1,
    "C64": 8,
    "C128": 16,
}
INTEGERS = frozenset(("I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL"))
MAX_RANK = 32  # numpy's own bound before version 2
# As numpy has them; of those that it lacks, the bits.
_CODES = {"F64": "f8", "F32": "f4", "F16": "f2", "BF16": "u2", "F8_E4M3": "u1", "F8_E5M2": "u1", "BOOL": "?", "C64": "c8", "C128": "c16"}
_EXACT = 1 << 24  # float32 holds every whole number up to here


@dataclass(frozen=True)
class TensorPlace:
    """A tensor's place in a file. `offset` and `strides` are in bytes."""

    dtype: str
    shape: tuple[int, ...]
    offset: int
    strides: tuple[int, ...]
    big_endian: bool = False

    def view(self, data: memoryview, where: str) -> NDArray[np.generic]:
        """The tensor, as a view of the file's bytes. Raises CorruptArchive."""
        import numpy as np

        try:
            stored = np.dtype((">" if self.big_endian else "<") + _CODES.get(self.dtype, self.dtype[0].lower() + str(WIDTHS[self.dtype])))
            if prod(self.shape) == 0:
                return np.zeros(self.shape, stored)
            return np.ndarray(self.shape, stored, data, self.offset, self.strides)
        except (ValueError, OverflowError, MemoryError) as error:
            raise CorruptArchive("a tensor cannot be where it is said to be", where=where, why=str(error)) from error


def row_major(dtype: str, shape: tuple[int, ...], offset: int) -> TensorPlace:
    """The place of a tensor without gaps, its last axis the innermost."""
    width = WIDTHS[dtype]
    return TensorPlace(dtype, shape, offset, tuple(width * prod(shape[axis + 1 :]) for axis in range(len(shape))))


def as_float32(values: NDArray[np.generic], dtype: str, name: str, where: str) -> NDArray[np.float32]:
    """The same numbers as float32, copied only if they are of another type. Raises UnsupportedModel if a number would change."""
    import numpy as np

    with np.errstate(all="ignore"):  # what overflows is compared, and not-a-number stays so
        if dtype == "BF16":
            return np.asarray(widened(values), np.float32)
        if dtype in ("F32", "F16"):
            return np.asarray(values, np.float32)
        if dtype == "F64":
            floats = values.astype(np.float32)
            exact = bool(np.all((floats == values) | np.isnan(floats) & np.isnan(values.astype(np.float64))))
        elif dtype in INTEGERS:
            floats = values.astype(np.float32)
            exact = bool(values.size == 0 or (int(values.min()) >= -_EXACT and int(values.max()) <= _EXACT))
        else:
            raise UnsupportedModel(f"tensor '{name}' is of type {dtype}, which cannot be read as float32", where=where)
    if not exact:
        raise UnsupportedModel(f"tensor '{name}' is of type {dtype} and has numbers that float32 does not hold exactly", where=where)
    return np.asarray(floats)
