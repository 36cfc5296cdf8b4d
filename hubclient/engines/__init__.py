"""Token ids in, logits out: one interface, one file an engine."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, get_args

from hubclient.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

Precision = Literal["float32", "bfloat16", "int8"]


@dataclass(frozen=True)
class Kind:
    """Where an engine's class is, and what it computes in."""

    module: str
    name: str
    precisions: tuple[Precision, ...] = ("float32",)


# The first that computes in what is wanted is the default.
ENGINES: Mapping[str, Kind] = MappingProxyType(
    {
        "onnx": Kind("hubclient.engines.onnx", "OnnxEngine", ("float32", "int8")),
        "openvino": Kind("hubclient.engines.openvino", "OpenvinoEngine", ("float32", "bfloat16")),
        "torch": Kind("hubclient.engines.torch", "TorchEngine"),
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
    """`version`: its library's. `precision`: what it computes in. `lanes`: by how many threads at once it is best asked; it may be asked by
    any number. `tokens`: how large batches are fastest."""

    name: str
    version: str
    precision: Precision
    lanes: int
    tokens: ClassVar[int]

    def logits(self, batch: Batch, *, alone: bool = False) -> np.ndarray:
        """float32 of shape (texts, labels), or (texts, tokens, labels) of a model that answers for each token.

        `alone`: nothing else is asked meanwhile, so that every core is free for this batch. Raises ModelError.
        """
        ...


def choose_engine(name: str | None, precision: Precision | None = None) -> tuple[str, Precision]:
    """None leaves the choice open; float32 is what is computed in unless somebody asks otherwise. Raises UsageError."""
    wanted: Precision = precision or "float32"
    able = [engine for engine, kind in ENGINES.items() if wanted in kind.precisions]
    if not able:
        raise UsageError(f"there is no precision '{wanted}'", hint=f"use one of {', '.join(get_args(Precision))}")
    if name is not None and name not in ENGINES:
        raise UsageError(f"there is no engine '{name}'", hint=f"use one of {', '.join(ENGINES)}")
    if name is not None and name not in able:
        raise UsageError(f"the engine '{name}' does not compute in {wanted}", hint=f"use engine='{able[0]}', or leave engine out")
    return name or able[0], wanted


def open_engine(name: str | None, folder: Path, threads: int | None = None, precision: Precision | None = None) -> Engine:
    """Open the native folder's model; `threads`: so many cores are used; None: all that the process may use.

    Raises UsageError for what does not exist or this machine does not have, MissingExtra for an engine that is not installed.
    """
    chosen, wanted = choose_engine(name, precision)
    if threads is not None and (type(threads) is not int or threads < 1):
        raise UsageError(f"threads is {threads!r}, and must be a whole number of at least 1")
    kind = ENGINES[chosen]
    engine: Engine = getattr(importlib.import_module(kind.module), kind.name)(folder, threads, wanted)
    return engine
