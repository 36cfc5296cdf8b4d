"""model.onnx with its weights: inside, or in one file beside it where they are too much for one message.

Strategy: a protobuf message is its fields one after the other, in any order. So the graph's fields are written first, and then tensor by
tensor, whose bytes are copied from where they lie: no more than a piece of one is in memory.

Source: https://protobuf.dev/programming-guides/encoding, and the numbers of the fields in onnx/onnx.proto.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from hubclient.archive.onnxmodel import OnnxModel
from hubclient.native import GRAPH, WEIGHTS

if TYPE_CHECKING:
    import onnx

DATA = f"{GRAPH}.data"
LIMIT = (1 << 31) - 1  # bytes of a message
_ALIGNMENT = 4096
_PIECE = 1 << 20
# Tags of fields that have a length: the number, and wire type 2.
_GRAPH_TAG, _INITIALIZER_TAG, _RAW_DATA_TAG = (bytes([number << 3 | 2]) for number in (7, 5, 9))


@dataclass(frozen=True)
class _Tensor:
    """A tensor without its values, which lie in the weights file."""

    proto: onnx.TensorProto
    offset: int
    length: int


def write_whole(folder: Path, target: Path, limit: int = LIMIT) -> None:
    """Write the built graph of a native folder with its weights into the folder `target`, as one file if that is no longer than `limit`."""
    import onnx

    model = onnx.load(folder / GRAPH, load_external_data=False)
    tensors = _taken_out(model)
    with (folder / WEIGHTS).open("rb") as weights:
        message = _Message(model, tensors)
        if message.size <= limit:
            with (target / GRAPH).open("wb") as out:
                message.write(weights, out)
            return
        with (target / DATA).open("wb") as out:
            model.graph.initializer.extend(_moved(tensor, weights, out) for tensor in tensors)
        (target / GRAPH).write_bytes(model.SerializeToString())


def copy_kept(folder: Path, target: Path) -> None:
    """A graph that is kept as its origin had it is whole already, with the files that it names."""
    for name in (GRAPH, *OnnxModel((folder / GRAPH).read_bytes(), label=str(folder / GRAPH)).externals):
        shutil.copyfile(folder / name, target / name)


class _Message:
    """A model as one message, tensors included."""

    def __init__(self, model: onnx.ModelProto, tensors: Sequence[_Tensor]) -> None:
        import onnx

        shell = onnx.ModelProto()
        shell.CopyFrom(model)
        shell.ClearField("graph")
        self._shell, self._graph = shell.SerializeToString(), model.graph.SerializeToString()
        self._tensors = [(_head(tensor), tensor) for tensor in tensors]
        self._graph_size = len(self._graph) + sum(len(head) + tensor.length for head, tensor in self._tensors)
        self.size = len(self._shell) + 1 + len(_varint(self._graph_size)) + self._graph_size

    def write(self, weights: BinaryIO, out: BinaryIO) -> None:
        out.write(self._shell + _GRAPH_TAG + _varint(self._graph_size) + self._graph)
        for head, tensor in self._tensors:
            out.write(head)
            _copy(weights, out, tensor)


def _head(tensor: _Tensor) -> bytes:
    """All of a tensor's field of the graph that stands before its values."""
    proto: bytes = tensor.proto.SerializeToString() + _RAW_DATA_TAG + _varint(tensor.length)
    return _INITIALIZER_TAG + _varint(len(proto) + tensor.length) + proto


def _taken_out(model: onnx.ModelProto) -> list[_Tensor]:
    """The tensors whose values lie in the weights file; the model keeps the others."""
    import onnx

    tensors, kept = [], []
    for proto in model.graph.initializer:
        if proto.data_location != onnx.TensorProto.EXTERNAL:
            kept.append(proto)
            continue
        place = {entry.key: entry.value for entry in proto.external_data}
        bare = onnx.TensorProto(name=proto.name, data_type=proto.data_type, dims=proto.dims)
        tensors.append(_Tensor(bare, int(place["offset"]), int(place["length"])))
    kept = [onnx.TensorProto.FromString(proto.SerializeToString()) for proto in kept]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    return tensors


def _moved(tensor: _Tensor, weights: BinaryIO, out: BinaryIO) -> onnx.TensorProto:
    """The tensor, once its values are in the file beside the model."""
    import onnx

    out.write(bytes(-out.tell() % _ALIGNMENT))
    proto = onnx.TensorProto(name=tensor.proto.name, data_type=tensor.proto.data_type, dims=tensor.proto.dims)
    proto.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", DATA), ("offset", str(out.tell())), ("length", str(tensor.length))):
        proto.external_data.add(key=key, value=value)
    _copy(weights, out, tensor)
    return proto


def _copy(weights: BinaryIO, out: BinaryIO, tensor: _Tensor) -> None:
    weights.seek(tensor.offset)
    for start in range(0, tensor.length, _PIECE):
        out.write(weights.read(min(_PIECE, tensor.length - start)))


def _varint(number: int) -> bytes:
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])
