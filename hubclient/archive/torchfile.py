"""A file of `torch.save`, its tensors where they lie: both containers, without torch.

Strategy: since torch 1.6 the file is a zip of uncompressed members below one folder: `data.pkl`, a pickle that names storages, and each
storage as `data/<key>`; `byteorder` says how numbers lie. Before, it was a row of pickles: a magic number, the protocol's version, facts
about the system, the object, the keys of its storages; then, in the order of the keys, each storage: its number of elements (8 bytes) and
the elements, little-endian on every system. The pickle is small and read as data (`pickled`); tensors are views of the file's bytes.
Members' checksums are compared when their tensors are asked for; a writer that was told to work none out writes 0.

Source: torch/serialization.py (`_save`, `_load`, `_legacy_save`, `_legacy_load`), torch/csrc/serialization.cpp (`writeFileRaw`),
caffe2/serialize/inline_container.cc (records of the zip).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, BinaryIO

from hubclient.archive.elements import WIDTHS, TensorPlace
from hubclient.archive.inflate import crc32
from hubclient.archive.pickled import read_pickle
from hubclient.archive.torchobjects import NAMES, Storages, Tensor
from hubclient.archive.zipmembers import MAX_RATIO, Place, ZipMembers
from hubclient.errors import CorruptArchive, InconsistentModel, UnsafeArchive, UnsupportedModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MAX_PICKLE = 16 << 20
_FIRST_OF_LEGACY = 1 << 18
_SLACK = 64 << 20
_MAX_NAME = 1000
_ZIP_MAGIC = b"PK\x03\x04"
_PICKLE_MAGICS = (b"\x80", b"L")  # what tells the protocol, or, in protocol 1, a number
_HEAD = 512
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_VERSION = 1001
_TAR_MAGIC = slice(257, 262)
_COUNT = struct.Struct("<q")
# What training scripts call the weights among other things that they save.
_WRAPPERS = ("state_dict", "model_state_dict", "model", "module")


@dataclass(frozen=True)
class _Run:
    """Where a storage's bytes lie in the file; `crc` is None where there is no checksum."""

    start: int
    size: int
    crc: int | None = None


class TorchFile:
    """The tensors of a file. `data` is the whole file (a memory map, bytes); arrays are read-only views of it."""

    def __init__(self, data: memoryview, tensors: Mapping[str, Tensor], runs: Mapping[str, _Run], *, big_endian: bool, label: str) -> None:
        self.label = label
        self._data = data
        self._tensors = tensors
        self._unchecked = dict(runs)
        self.places = {name: _place(tensor, runs[tensor.storage.key].start, big_endian) for name, tensor in tensors.items()}

    def array(self, name: str) -> NDArray[np.generic]:
        """The tensor's numbers as they lie there (bfloat16 as its bits). Raises CorruptArchive where the checksum differs."""
        where = f"{self.label}, tensor '{name}'"
        run = self._unchecked.pop(self._tensors[name].storage.key, None)
        if run is not None:
            _check(self._data[run.start : run.start + run.size], run.crc, where)
        return self.places[name].view(self._data, where)


def read_torch_file(file: BinaryIO, data: memoryview, label: str) -> TorchFile:
    """`data` is what `file` holds; the file may be closed afterwards. `label` names it in errors.

    Raises UnsafeArchive for a pickle that names anything but tensors, CorruptArchive, UnsupportedModel, InconsistentModel.
    """
    head = bytes(data[:_HEAD])
    if head.startswith(_ZIP_MAGIC):
        return _read_zip(file, data, label)
    _check_is_legacy(head, label)
    return _read_legacy(data, label)


def names_in_torch_file(file: BinaryIO, label: str) -> tuple[str, ...]:
    """The names of the tensors alone: of a file that is read from afar no more than its pickles. Raises as `read_torch_file` does."""
    head = file.read(_HEAD)
    if head.startswith(_ZIP_MAGIC):
        return tuple(_state_in_zip(ZipMembers(file, label), file)[0])
    _check_is_legacy(head, label)
    size = _FIRST_OF_LEGACY
    while True:
        file.seek(0)
        start = file.read(size)
        try:
            return tuple(_state_in_legacy(start, label)[0])
        except CorruptArchive:
            # The pickles may go on.
            if len(start) < size or size >= _MAX_PICKLE:
                raise
            size *= 8


def _check_is_legacy(head: bytes, label: str) -> None:
    if head.startswith(_PICKLE_MAGICS):
        return
    if head[_TAR_MAGIC] == b"ustar":
        raise UnsupportedModel("the weights are in the tar container of torch before 0.2, which cannot be read", where=label)
    raise CorruptArchive("this is not a file of torch.save", where=label, why=f"it starts with {head[:16]!r}")


def _read_zip(file: BinaryIO, data: memoryview, label: str) -> TorchFile:
    members = ZipMembers(file, label)
    top = _top_folder(members)
    order = _member(members, file, f"{top}/byteorder", 10) if f"{top}/byteorder" in members.names() else b"little"
    if order not in (b"little", b"big"):
        raise CorruptArchive("the byte order is neither little nor big", where=label, why=f"it is {order!r}")
    tensors, storages = _state_in_zip(members, file)
    runs = {}
    for key, storage in storages.roots.items():
        place = _stored(members, f"{top}/data/{key}")
        # Elements of another type may have been saved in front: what is left over makes no whole element.
        if not 0 <= place.size - storage.size < WIDTHS[storage.dtype]:
            why = f"it has {place.size:,} bytes, and the pickle says {storage.size:,}"
            raise CorruptArchive("a storage has another size than it should", where=f"{label}, member '{top}/data/{key}'", why=why)
        runs[key] = _Run(place.start, place.size, place.crc or None)
    _check_total(tensors, len(data), label)
    return TorchFile(data, tensors, runs, big_endian=order == b"big", label=label)


def _state_in_zip(members: ZipMembers, file: BinaryIO) -> tuple[dict[str, Tensor], Storages]:
    top = _top_folder(members)
    if f"{top}/constants.pkl" in members.names():
        raise UnsupportedModel("this is a TorchScript program, not a file of weights", where=members.label)
    storages = Storages()
    where = f"{members.label}, member '{top}/data.pkl'"
    raw = _member(members, file, f"{top}/data.pkl", _MAX_PICKLE)
    value, end = read_pickle(raw, names=NAMES, persistent=storages, label=where)
    if end != len(raw):
        raise CorruptArchive("the pickle goes on behind its end", where=f"{where}, byte {end}")
    return _state_dict(value, members.label), storages


def _top_folder(members: ZipMembers) -> str:
    found = [name.removesuffix("/data.pkl") for name in members.names() if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(found) != 1:
        raise CorruptArchive(
            "this zip is not a file of torch.save", where=members.label, why="it has no folder with a data.pkl, or several"
        )
    return found[0]


def _member(members: ZipMembers, file: BinaryIO, name: str, limit: int) -> bytes:
    place = _stored(members, name)
    where = f"{members.label}, member '{name}'"
    if place.size > limit:
        raise UnsafeArchive(f"a member has {place.size:,} bytes, and {limit:,} are allowed", where=where)
    file.seek(place.start)
    raw = file.read(place.size)
    _check(memoryview(raw), place.crc or None, where)
    return raw


def _stored(members: ZipMembers, name: str) -> Place:
    place = members.place(name)
    if place is None:
        raise UnsupportedModel("a member is compressed, which torch never does", where=f"{members.label}, member '{name}'")
    return place


def _check(raw: memoryview, crc: int | None, where: str) -> None:
    if crc is not None and crc32(raw) != crc:
        raise CorruptArchive("the weights are damaged", where=where, why="the CRC-32 differs")


def _read_legacy(data: memoryview, label: str) -> TorchFile:
    tensors, storages, keys, position = _state_in_legacy(bytes(data[:_MAX_PICKLE]), label)
    runs = {}
    for key in keys:
        runs[key] = _legacy_run(data, position, storages.roots[key].size, WIDTHS[storages.roots[key].dtype], label)
        position = runs[key].start + runs[key].size
    if position != len(data):
        raise CorruptArchive("the file goes on behind its last storage", where=f"{label}, byte {position}")
    _check_total(tensors, len(data), label)
    return TorchFile(data, tensors, runs, big_endian=False, label=label)


def _state_in_legacy(head: bytes, label: str) -> tuple[dict[str, Tensor], Storages, list[str], int]:
    """The tensors, their storages, the keys of these in the order in which they lie, and where the first lies."""
    storages = Storages()
    position = 0
    values = []
    for _ in range(5):
        value, position = read_pickle(head, names=NAMES, persistent=storages, label=label, start=position)
        values.append(value)
        if len(values) == 1 and value != _LEGACY_MAGIC:
            raise CorruptArchive("this is not a file of torch.save", where=label, why="it is another pickle")
    _, version, _, state, keys = values
    if version != _LEGACY_VERSION:
        raise UnsupportedModel("the weights are in a container of torch that is not known", where=label)
    tensors = _state_dict(state, label)
    if not isinstance(keys, list) or set(map(_text, keys)) != storages.roots.keys() or len(keys) != len(storages.roots):
        raise CorruptArchive("the storages that are there are not those that tensors lie in", where=label)
    return tensors, storages, keys, position


def _legacy_run(data: memoryview, position: int, size: int, width: int, label: str) -> _Run:
    where = f"{label}, byte {position}"
    start = position + _COUNT.size
    if start + size > len(data):
        raise CorruptArchive("the file ends within a storage", where=where, why=f"{start + size - len(data):,} bytes are missing")
    (count,) = _COUNT.unpack(data[position:start])
    if count * width != size:
        raise CorruptArchive("a storage has another size than it should", where=where, why=f"{count:,} elements, and not {size // width:,}")
    return _Run(start, size)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _state_dict(value: object, label: str) -> dict[str, Tensor]:
    """The tensors by name: those of the dictionary itself, or of the one in it that holds the weights."""
    own = _tensors(value, label)
    parts = {id(part): (key, part) for key, part in value.items()} if isinstance(value, dict) else {}  # one may be there many times
    inner = {key: tensors for key, part in parts.values() if (tensors := _tensors(part, label))}
    if own and not inner:
        return own
    if not own and len(inner) == 1 and next(iter(inner)) in _WRAPPERS:
        return next(iter(inner.values()))
    if not own and not inner:
        raise UnsupportedModel("the file holds no tensors by name", where=label, why=f"its value is of type {type(value).__name__}")
    places = ", ".join([*(["the file itself"] if own else []), *(f"'{str(key)[:40]}'" for key in list(inner)[:5])])
    raise InconsistentModel("which tensors of the file are the weights is not certain", where=label, why=f"there are some in {places}")


def _tensors(value: object, label: str) -> dict[str, Tensor]:
    if not isinstance(value, dict):
        return {}
    found = {key: item for key, item in value.items() if isinstance(item, Tensor)}
    for key in found:
        if not isinstance(key, str) or len(key) > _MAX_NAME:
            raise InconsistentModel("a tensor is named by a number, or has a name of absurd length", where=label, why=str(key)[:40])
    return found


def _place(tensor: Tensor, start: int, big_endian: bool) -> TensorPlace:
    width = WIDTHS[tensor.dtype]
    offset = start + tensor.storage.begin + tensor.offset * width
    return TensorPlace(tensor.dtype, tensor.shape, offset, tuple(step * width for step in tensor.strides), big_endian)


def _check_total(tensors: Mapping[str, Tensor], size: int, label: str) -> None:
    """Strides of 0 make any number of elements out of one."""
    total = sum(prod(tensor.shape) * WIDTHS[tensor.dtype] for tensor in tensors.values())
    if total > MAX_RATIO * size + _SLACK:
        raise UnsafeArchive(f"a file of {size:,} bytes would become tensors of {total:,}", where=label)
