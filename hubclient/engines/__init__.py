"""Token ids in, logits out: one interface, one file an engine."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Protocol, get_args

from hubclient.engines.device import Device, Place, parse_device
from hubclient.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

Precision = Literal["float32", "bfloat16", "int8"]


@dataclass(frozen=True)
class Kind:
    """Where an engine's class is, and what it computes in on each device."""

    module: str
    name: str
    precisions: Mapping[Place, tuple[Precision, ...]]

    def computes(self, precision: str, device: Device) -> bool:
        return precision in self.precisions.get(device.place, ())


# The first that computes in what is wanted is the default.
ENGINES: Mapping[str, Kind] = MappingProxyType(
    {
        "onnx": Kind("hubclient.engines.onnx", "OnnxEngine", {"cpu": ("float32", "int8"), "cuda": ("float32",)}),
        "openvino": Kind("hubclient.engines.openvino", "OpenvinoEngine", {"cpu": ("float32", "bfloat16")}),
        "torch": Kind("hubclient.engines.torch", "TorchEngine", {"cpu": ("float32",), "cuda": ("float32", "bfloat16")}),
    }
)
_PROCESSOR = Device()
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
    """`version`: its library's. `precision`: what it computes in. `device`: what on. `lanes`: by how many threads at once it is best asked;
    it may be asked by any number. `tokens`: how large batches are fastest."""

    name: str
    version: str
    precision: Precision
    device: Device
    lanes: int
    tokens: int

    def logits(self, batch: Batch, *, alone: bool = False) -> np.ndarray:
        """float32 of shape (texts, labels), or (texts, tokens, labels) of a model that answers for each token.

        `alone`: nothing else is asked meanwhile, so that every core is free for this batch. Raises ModelError.
        """
        ...


@dataclass(frozen=True)
class Wanted:
    """How a model is to be run."""

    engine: str
    precision: Precision = "float32"
    device: Device = _PROCESSOR


def choose_engine(name: str | None, precision: Precision | None = None, device: str | None = None) -> Wanted:
    """None leaves the choice open; float32 is what is computed in, by the processor, unless somebody asks otherwise. Raises UsageError."""
    wanted: Precision = precision or "float32"
    place = parse_device(device)
    if wanted not in get_args(Precision):
        raise UsageError(f"there is no precision '{wanted}'", hint=f"use one of {', '.join(get_args(Precision))}")
    if name is not None and name not in ENGINES:
        raise UsageError(f"there is no engine '{name}'", hint=f"use one of {', '.join(ENGINES)}")
    able = [engine for engine, kind in ENGINES.items() if kind.computes(wanted, place)]
    if not able:
        raise UsageError(f"no engine computes in {wanted} on {place}", hint="leave precision or device out")
    if name is not None and name not in able:
        what = f"the engine '{name}' does not compute in {wanted}" + ("" if place == _PROCESSOR else f" on {place}")
        raise UsageError(what, hint=f"use engine='{able[0]}', or leave engine out")
    return Wanted(name or next(engine for engine in able if _is_there(engine, place)), wanted, place)


def _is_there(engine: str, device: Device) -> bool:
    """ONNX Runtime has a build of its own for graphics cards; without it, PyTorch is left."""
    if (engine, device.place) != ("onnx", "cuda"):
        return True
    from hubclient.engines.onnx import runs_on_cards

    return runs_on_cards()


def open_engine(wanted: Wanted, folder: Path, threads: int | None = None) -> Engine:
    """Open the native folder's model; `threads`: so many cores are used; None: all that the process may use.

    Raises UsageError for what this machine does not have, MissingExtra for an engine that is not installed.
    """
    if threads is not None and (type(threads) is not int or threads < 1):
        raise UsageError(f"threads is {threads!r}, and must be a whole number of at least 1")
    kind = ENGINES[wanted.engine]
    engine: Engine = getattr(importlib.import_module(kind.module), kind.name)(folder, threads, wanted)
    return engine
