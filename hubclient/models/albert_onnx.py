"""ALBERT in an ONNX dataflow: layers are read one after the other, and those that have the same weights are one.

Exporters may keep a tensor of its own for each time that a layer is applied: tensors are held against each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hubclient.models import encoder_onnx
from hubclient.models.albert_sharing import AlbertAnatomy, sharing_of
from hubclient.models.encoder_anatomy import Anatomy
from hubclient.models.encoder_reading import Reading
from hubclient.models.family import Head, TensorSource

if TYPE_CHECKING:
    from hubclient.archive.onnxmodel import Dataflow


def read(anatomy: AlbertAnatomy, flow: Dataflow, head: Head) -> Reading:
    """The reading's layers are those that are applied."""
    plain = Anatomy(anatomy.base, anatomy.head, layer=anatomy.layer)
    reading = encoder_onnx.read(plain, flow, head)
    layers = [_below(reading.tensors, plain.part(number, "")) for number in range(reading.layers)]
    shared = replace(anatomy, order=sharing_of(_numbered(flow, layers)).order)
    places = [(plain.part(number, ""), shared.part(number, "")) for number in range(reading.layers)]
    places.append((f"{plain.projection}.", f"{anatomy.projection}."))
    return replace(reading, tensors={_renamed(name, places): source for name, source in reading.tensors.items()})


def _below(tensors: Mapping[str, TensorSource], start: str) -> dict[str, TensorSource]:
    return {name.removeprefix(start): source for name, source in tensors.items() if name.startswith(start)}


def _renamed(name: str, places: Sequence[tuple[str, str]]) -> str:
    return next((new + name.removeprefix(old) for old, new in places if name.startswith(old)), name)


def _numbered(flow: Dataflow, layers: Sequence[Mapping[str, TensorSource]]) -> list[int]:
    """A number for each layer, the same for those of the same weights."""
    by_name = _numbers([tuple(layer.values()) for layer in layers])
    if len(set(by_name)) == 1:
        return by_name
    digests = {source: _digest(flow, source) for layer in layers for source in layer.values()}
    return _numbers([tuple(digests[source] for source in layer.values()) for layer in layers])


def _numbers(layers: Sequence[Hashable]) -> list[int]:
    known: dict[Hashable, int] = {}
    return [known.setdefault(layer, len(known)) for layer in layers]


def _digest(flow: Dataflow, source: TensorSource) -> tuple[bool, tuple[int, ...], bytes]:
    import numpy as np

    array = np.ascontiguousarray(flow.array(flow.tensors[source.key]))
    return source.transposed, array.shape, hashlib.sha256(array.data).digest()
