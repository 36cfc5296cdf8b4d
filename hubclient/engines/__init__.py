"""Token ids in, logits out: one interface, one file an engine."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
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
# What a model may take; each is a field of Batch.
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


@dataclass(frozen=True)
class Batch:
    """int64 arrays of shape (texts, tokens), padded to the longest text; the mask is 1 where a token is."""

    input_ids: np.ndarray
    attention_mask: np.ndarray
    token_type_ids: np.ndarray

    def alone(self) -> Iterator[Batch]:
        """Each text by itself, without padding."""
        for ids, mask, types in zip(self.input_ids, self.attention_mask, self.token_type_ids, strict=True):
            here = mask != 0
            yield Batch(ids[None, here], mask[None, here], types[None, here])


class Engine(Protocol):
    name: str

    def logits(self, batch: Batch) -> np.ndarray:
        """float32 of shape (texts, labels), or (texts, tokens, labels) of a model that answers for each token."""
        ...


def open_engine(name: str | None, folder: Path) -> Engine:
    """Open the native folder's model. Raises UsageError for an engine that does not exist, MissingExtra for one that is not installed."""
    chosen = DEFAULT if name is None else name
    if chosen not in ENGINES:
        raise UsageError(f"there is no engine '{chosen}'", hint=f"use one of {', '.join(ENGINES)}")
    module, kind = ENGINES[chosen]
    engine: Engine = getattr(importlib.import_module(module), kind)(folder)
    return engine
