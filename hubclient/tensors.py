"""The weights file: safetensors, written tensor by tensor and never held whole.

Format: https://github.com/huggingface/safetensors#format: a little-endian u64 header size, a JSON header, the tensors' bytes.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from hubclient.archive.elements import MAX_RANK, WIDTHS
from hubclient.errors import CorruptArchive
from hubclient.models.builder import Slot

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

# Data starts at a multiple of this many bytes, so that a mapped tensor is aligned for any vector unit.
_ALIGNMENT = 64
_MAX_HEADER = 32 << 20  # a hundred thousand tensors take 15 MB
_MAX_NAME = 1000
_MAX_SIDE = 1 << 48
_METADATA = "__metadata__"


@dataclass(frozen=True)
class LazyTensor:
    """A float32 tensor that is made when it is written: its shape, and what makes the array."""

    shape: tuple[int, ...]
    load: Callable[[], np.ndarray]


@dataclass(frozen=True)
class Header:
    """layout: where each tensor lies. format: whose names and axes the tensors have ("pt", "tf", ...); None if the file says nothing of
    itself, and empty if it says something else."""

    layout: Mapping[str, Slot]
    format: str | None


@dataclass(frozen=True)
class WeightsFile:
    """layout: where each tensor lies. digest: SHA-256 over names, types, shapes and bytes, whatever the order in the file.
    sha256: of the whole file."""

    layout: Mapping[str, Slot]
    digest: str
    sha256: str


def write_weights(path: Path, tensors: Mapping[str, LazyTensor], advance: Callable[[int], None] = lambda count: None) -> WeightsFile:
    """Write float32 tensors in the order of their names; `advance` is told of bytes."""
    shapes = {name: tensors[name].shape for name in sorted(tensors)}
    header, layout = _header(shapes)
    whole = hashlib.sha256(header)
    hashes: dict[str, str] = {}
    with path.open("wb") as file:
        file.write(header)
        for name in layout:
            data = _bytes_of(name, tensors[name])
            file.write(data)
            whole.update(data)
            hashes[name] = hashlib.sha256(data).hexdigest()
            advance(len(data))
    return WeightsFile(layout, _digest(layout, hashes), whole.hexdigest())


def read_weights(path: Path) -> WeightsFile:
    """Read a safetensors file's layout, and hash what it holds."""
    whole = hashlib.sha256()
    hashes: dict[str, str] = {}
    layout = read_header(path).layout
    with path.open("rb") as file:
        start = min((slot.offset for slot in layout.values()), default=0)
        whole.update(file.read(start))
        for name, slot in sorted(layout.items(), key=lambda item: item[1].offset):
            one = hashlib.sha256()
            for chunk in _chunks(file, slot.length):
                whole.update(chunk)
                one.update(chunk)
            hashes[name] = one.hexdigest()
    return WeightsFile(layout, _digest(layout, hashes), whole.hexdigest())


def read_header(path: Path) -> Header:
    """What a safetensors file says of itself. Raises CorruptArchive when the header and the file do not fit."""
    with path.open("rb") as file:
        return header_in(file, path.stat().st_size, str(path))


def header_in(file: BinaryIO, file_size: int, label: str) -> Header:
    """The same of an open file, from which no more is read."""
    head = file.read(8)
    size = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
    if not 2 <= size <= _MAX_HEADER:
        raise CorruptArchive("not a safetensors file", where=f"{label}, byte 0", why=f"its header would have {size} bytes")
    text = file.read(size)
    try:
        return parse_header(text, 8 + size, file_size)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptArchive("a damaged safetensors file", where=label, why=str(error), hint="fetch it again") from error


def parse_header(text: bytes, data_start: int, file_size: int) -> Header:
    """Raises ValueError, KeyError, TypeError, AttributeError or RecursionError for a header that does not describe exactly
    the rest of the file."""
    entries = json.loads(text)
    metadata = entries.pop(_METADATA, None)
    stated = None if metadata is None else metadata.get("format", "")
    if not isinstance(stated, str | None):
        raise ValueError(f"its format is {stated!r}")
    layout = {name: _slot(name, entry, data_start) for name, entry in entries.items()}
    position = data_start
    for name, slot in sorted(layout.items(), key=lambda item: (item[1].offset, item[1].length)):
        if slot.offset != position:
            raise ValueError(f"tensor '{name}' starts at byte {slot.offset}, and {position} was expected")
        position += slot.length
    if position != file_size:
        raise ValueError(f"the tensors end at byte {position}, and the file has {file_size}")
    return Header(layout, stated)


def _slot(name: str, entry: Mapping[str, Any], data_start: int) -> Slot:
    if len(name.encode()) > _MAX_NAME:
        raise ValueError(f"a tensor has a name of {len(name)} characters")
    (begin, end), shape, dtype = entry["data_offsets"], tuple(entry["shape"]), entry["dtype"]
    if dtype not in WIDTHS:
        raise ValueError(f"tensor '{name}' is of the type {dtype!r}, which is not known")
    if type(begin) is not int or type(end) is not int or end - begin != _elements(shape) * WIDTHS[dtype]:
        raise ValueError(f"tensor '{name}' of type {dtype} and shape {shape} does not lie from {begin!r} to {end!r}")
    return Slot(dtype, shape, data_start + begin, end - begin)


def _header(shapes: Mapping[str, tuple[int, ...]]) -> tuple[bytes, dict[str, Slot]]:
    entries: dict[str, object] = {_METADATA: {"format": "pt"}}
    position = 0
    for name, shape in shapes.items():
        length = 4 * _elements(shape)
        entries[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [position, position + length]}
        position += length
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % _ALIGNMENT)
    return struct.pack("<Q", len(text)) + text, dict(parse_header(text, 8 + len(text), 8 + len(text) + position).layout)


def _bytes_of(name: str, tensor: LazyTensor) -> memoryview:
    import numpy as np

    array = np.asarray(tensor.load(), dtype="<f4", order="C")
    if array.shape != tensor.shape:
        raise CorruptArchive(f"tensor '{name}' has shape {array.shape}, and {tensor.shape} was announced")
    return array.reshape(-1).view(np.uint8).data


def _digest(layout: Mapping[str, Slot], hashes: Mapping[str, str]) -> str:
    total = hashlib.sha256()
    for name in sorted(layout):
        slot = layout[name]
        total.update(f"{name}\0{slot.dtype}\0{','.join(map(str, slot.shape))}\0{hashes[name]}\n".encode())
    return total.hexdigest()


def _elements(shape: tuple[int, ...]) -> int:
    if len(shape) > MAX_RANK or any(type(side) is not int or not 0 <= side <= _MAX_SIDE for side in shape):
        raise ValueError(f"{str(shape)[:80]} is not a shape")
    return prod(shape)


def _chunks(file: BinaryIO, length: int) -> Iterator[bytes]:
    left = length
    while left:
        chunk = file.read(min(left, 1 << 20))
        if not chunk:
            raise CorruptArchive("a safetensors file ends too early", why=f"{left} bytes of a tensor are missing")
        left -= len(chunk)
        yield chunk
