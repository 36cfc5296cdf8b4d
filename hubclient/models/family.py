"""What every architecture family offers, and what reading a model of one gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from hubclient.models.builder import Slot


@dataclass(frozen=True)
class TensorSource:
    """Where a tensor of the native form comes from: the origin's name for it, and whether it lies transposed there."""

    key: str
    transposed: bool = False


@dataclass(frozen=True)
class Recipe:
    """How an origin becomes a native model: Hugging Face tensor name -> source, and the architecture's part of config.json."""

    tensors: Mapping[str, TensorSource]
    config: Mapping[str, Any]


class Family(Protocol):
    """One architecture family. `model_type` and config keys are transformers' own."""

    @property
    def model_type(self) -> str: ...

    def build_graph(self, config: Mapping[str, Any], layout: Mapping[str, Slot], weights_file: str) -> bytes:
        """The ONNX graph over the weights. Raises UnsupportedModel for settings that it cannot honour."""
        ...
