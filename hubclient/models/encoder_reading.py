"""What reading a graph of BERT or its like gives, whichever format it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hubclient.models.family import TensorSource


@dataclass(frozen=True)
class Reading:
    """Where each tensor is, by Hugging Face's name, and what the layers and the norms say; they should all say the same.

    `head_function` is the activation in the head on the first token, None where the head has none; `pad` is the id that positions are
    counted without, None where all tokens are counted.
    """

    tensors: Mapping[str, TensorSource]
    layers: int
    heads: list[int]
    functions: list[str]
    epsilons: list[float]
    head_function: str | None
    pad: int | None
