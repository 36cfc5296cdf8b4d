"""How fast this machine multiplies matrices of float32: the fastest of numpy's and PyTorch's own way, in multiplications and additions a
second, on all cores that the process may use."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from importlib.util import find_spec
from statistics import median

_SIZE = 2048
_SECONDS = 1.0


def numpy_product() -> Callable[[], object]:
    import numpy as np

    left, right = (np.random.default_rng(seed).standard_normal((_SIZE, _SIZE), dtype=np.float32) for seed in (1, 2))
    return lambda: left @ right


def torch_product() -> Callable[[], object]:
    import torch

    left, right = torch.rand(_SIZE, _SIZE), torch.rand(_SIZE, _SIZE)
    return lambda: left @ right


def rate(multiply: Callable[[], object]) -> float:
    """The median of a second's: who else uses the machine slows this down as it does the engines."""
    multiply()
    took, until = [], time.perf_counter() + _SECONDS
    while (start := time.perf_counter()) < until:
        multiply()
        took.append(time.perf_counter() - start)
    return 2 * _SIZE**3 / median(took)


def main() -> None:
    rates = [rate(numpy_product())]
    if find_spec("torch"):
        rates.append(rate(torch_product()))
    print(json.dumps({"rate": max(rates)}))


if __name__ == "__main__":
    main()
