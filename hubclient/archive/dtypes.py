"""TensorFlow's element types, as numpy knows them.

Source: tensorflow/core/framework/types.proto (enum DataType).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubclient.errors import UnsupportedModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STRING = 7
BFLOAT16 = 14
HALF = 19

_NUMPY = {
    1: "<f4",
    2: "<f8",
    3: "<i4",
    4: "|u1",
    5: "<i2",
    6: "|i1",
    9: "<i8",
    10: "|b1",
    BFLOAT16: "<u2",
    17: "<u2",
    HALF: "<f2",
    22: "<u4",
    23: "<u8",
}


def stored_type(code: int, where: str) -> np.dtype[np.generic]:
    """How one element lies in memory; bfloat16, which numpy lacks, as its 16 bits (uint16, see `widened`)."""
    import numpy as np

    if code not in _NUMPY:
        raise UnsupportedModel(f"a tensor of TensorFlow type {code} cannot be read", where=where, hint="only plain numbers are supported")
    return np.dtype(_NUMPY[code])


def widened(bits: NDArray[np.generic]) -> NDArray[np.generic]:
    """bfloat16 bits (uint16) -> float32, exactly: bfloat16 is the upper half of a float32."""
    import numpy as np

    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)
