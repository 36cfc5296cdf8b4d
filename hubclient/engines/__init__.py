"""Token ids in, logits out: one interface, one file an engine."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from hubclient.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

DEFAULT = "onnx"
ENGINES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "onnx": ("hubclient.engines.onnx", "OnnxEngine"),
        "torch": ("hubclient.engines.torch", "TorchEngine"),
    }
)


@dataclass(frozen=True)
class Batch:
    """int64 arrays of shape (texts, tokens), padded to the longest text; the mask is 1 where a token is."""

    input_ids: np.ndarray
    attention_mask: np.ndarray
    token_type_ids: np.ndarray


class Engine(Protocol):
    name: str

    def logits(self, batch: Batch) -> np.ndarray:
        """float32 of shape (texts, labels)."""
        ...


def open_engine(name: str | None, folder: Path) -> Engine:
    """Open the native folder's model. Raises UsageError for an engine that does not exist, MissingExtra for one that is not installed."""
    chosen = DEFAULT if name is None else name
    if chosen not in ENGINES:
        raise UsageError(f"there is no engine '{chosen}'", hint=f"use one of {', '.join(ENGINES)}")
    module, kind = ENGINES[chosen]
    engine: Engine = getattr(importlib.import_module(module), kind)(folder)
    return engine
