"""The weights of a Hugging Face repository, whatever files they lie in: safetensors or `torch.save`, one file or several.

Strategy: of several kinds, the one that transformers would take. Files are mapped into memory, their headers read at once, tensors only
when they are asked for. float16 and bfloat16 become float32, which is exact; what float32 does not hold exactly is refused.

Source: transformers 4.57.1, modeling_utils.py (`_get_resolved_checkpoint_files`, `load_state_dict`, `_fix_state_dict_key_on_load`).
"""

from __future__ import annotations

import mmap
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hubclient.archive.elements import INTEGERS, TensorPlace, as_float32, row_major
from hubclient.archive.shardindex import parse_index
from hubclient.archive.torchfile import read_torch_file
from hubclient.errors import CorruptArchive, InconsistentModel, UnsupportedModel
from hubclient.native import WEIGHTS
from hubclient.tensors import Header, read_header

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_INDEX = ".index.json"
_TORCH = "pytorch_model.bin"
# As transformers prefers them.
MAIN_FILES = (WEIGHTS, WEIGHTS + _INDEX, _TORCH, _TORCH + _INDEX)
_MAX_INDEX = 32 << 20
_LFS = b"version https://git-lfs"
# "mlx" has the names and axes of torch; None is a file that says nothing of itself.
_OPENED_BY_ALL = (None, "pt", "mlx")
# transformers 4 refuses a file that tells something of itself, and not its format.
_FORMATS = (*_OPENED_BY_ALL, "")
_OTHER_KINDS = {
    "adapter_model.safetensors": "an adapter for another model",
    "adapter_model.bin": "an adapter for another model",
    ".h5": "TensorFlow",
    ".ckpt.index": "TensorFlow 1",
    ".msgpack": "Flax",
    ".gguf": "GGUF",
    ".onnx": "ONNX",
    ".ot": "Rust",
    ".xml": "OpenVINO",
    ".tflite": "TensorFlow Lite",
    ".safetensors": "safetensors of another name",
    ".bin": "of another name",
    ".pt": "of another name",
    ".pth": "of another name",
}
_NOT_WEIGHTS = ("training_args.bin", "optimizer.pt", "optimizer.bin", "scheduler.pt", "scheduler.bin")
_OLD_NAMES = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}


class _File(Protocol):
    """A file of tensors. `array` gives the numbers as they lie there (bfloat16 as its bits)."""

    label: str
    places: dict[str, TensorPlace]

    def array(self, name: str) -> NDArray[np.generic]: ...


class _Safetensors:
    def __init__(self, data: memoryview, header: Header, label: str) -> None:
        self.label = label
        self.opened_by_all = header.format in _OPENED_BY_ALL
        self._data = data
        self.places = {name: row_major(slot.dtype, slot.shape, slot.offset) for name, slot in header.layout.items()}

    def array(self, name: str) -> NDArray[np.generic]:
        return self.places[name].view(self._data, f"{self.label}, tensor '{name}'")


class Checkpoint:
    """Tensors by the names that the files give them.

    `single_float32_safetensors` is the file to use as it is: the only one, safetensors, nothing in it but float32 under names of today
    (whole numbers may be there as well: the buffers of positions that older releases stored).
    """

    def __init__(self, files: Mapping[str, _File], single: Path | None = None) -> None:
        self._files = files
        self.names = tuple(sorted(files))
        linkable = all(self.dtype(name) == "F32" or self.dtype(name) in INTEGERS for name in self.names)
        self.single_float32_safetensors = single if linkable and not any(map(_is_old, self.names)) else None

    def shape(self, name: str) -> tuple[int, ...]:
        return self._file(name).places[name].shape

    def dtype(self, name: str) -> str:
        """As safetensors calls it: F32, BF16, I64, ..."""
        return self._file(name).places[name].dtype

    def array(self, name: str) -> NDArray[np.float32]:
        """A tensor as float32: a read-only view of the file where it is that already (perhaps not contiguous), else made anew.

        Raises UnsupportedModel when float32 does not hold its numbers, CorruptArchive when they are damaged.
        """
        file = self._file(name)
        return as_float32(file.array(name), file.places[name].dtype, name, file.label)

    def close(self) -> None:
        self._files = {}

    def _file(self, name: str) -> _File:
        if name not in self._files:
            first = self.names[0] if self.names else ""
            raise UnsupportedModel(f"the weights lack the tensor '{name}'", why=f"there are {len(self.names)} others, as '{first}'")
        return self._files[name]


@contextmanager
def open_checkpoint(folder: Path) -> Iterator[Checkpoint]:
    """The weights in a repository's folder. Arrays stay valid after the context, and keep the file mapped.

    Raises UnsupportedModel when there are none that can be read, InconsistentModel when files contradict each other, ArchiveError for files
    that are damaged or hostile.
    """
    main = main_file(_file_names(folder), str(folder))
    if main.endswith(_INDEX):
        checkpoint = Checkpoint(_sharded(folder, main))
    else:
        file = _opened(folder / main)
        single = folder / main if isinstance(file, _Safetensors) and file.opened_by_all else None
        checkpoint = Checkpoint(dict.fromkeys(file.places, file), single)
    try:
        yield checkpoint
    finally:
        checkpoint.close()


def main_file(names: Iterable[str], where: str) -> str:
    """Which of a repository's files the weights are read from; the one that ends with `.index.json` names further ones.

    Raises UnsupportedModel, which says what else is there.
    """
    names = tuple(names)
    for name in MAIN_FILES:
        if name in names:
            return name
    others = [f"{name} ({kind})" for name in sorted(names) if (kind := _other_kind(name))]
    raise UnsupportedModel(
        "the repository has no weights that can be read",
        where=where,
        why=f"it has neither {WEIGHTS} nor {_TORCH}; " + (f"there are {', '.join(others[:8])}" if others else "there are no others"),
        hint="load it with transformers or what made it, and save it with save_pretrained: that writes model.safetensors",
    )


def shards(index: bytes, label: str) -> tuple[str, ...]:
    """The files that an index names. Raises ArchiveError."""
    return tuple(sorted(set(parse_index(index, label).values())))


def current_names(names: Iterable[str]) -> dict[str, str]:
    """The name of today -> the name in the file, for all of them: very old checkpoints call a LayerNorm's weight gamma, and its bias beta.

    Raises InconsistentModel when a tensor is there under both.
    """
    renamed: dict[str, str] = {}
    for name in names:
        today = name
        for old in filter(name.endswith, _OLD_NAMES):
            today = name.removesuffix(old) + _OLD_NAMES[old]
        if today in renamed:
            raise InconsistentModel(f"the tensor '{today}' is there twice", why=f"it is also called '{min(name, renamed[today])}'")
        renamed[today] = name
    return renamed


def based(names: Mapping[str, str], base: str) -> dict[str, str]:
    """The same, where no name begins with that of the base model: it may stand before each, as transformers 5 takes them."""
    if not base or any(name.startswith(f"{base}.") for name in names):
        return dict(names)
    return {**{f"{base}.{name}": key for name, key in names.items()}, **names}


def _is_old(name: str) -> bool:
    return name.endswith(tuple(_OLD_NAMES))


def _other_kind(name: str) -> str | None:
    base = name.rpartition("/")[2]
    if base in _NOT_WEIGHTS:
        return None
    return next((kind for ending, kind in _OTHER_KINDS.items() if base.endswith(ending)), None)


def _sharded(folder: Path, main: str) -> dict[str, _File]:
    """The file of each tensor that an index names."""
    where = str(folder / main)
    index = parse_index(_read_index(folder / main), where)
    with _reading(folder):
        missing = sorted({file for file in index.values() if not (folder / file).is_file()})
    if missing:
        raise InconsistentModel("files of the weights are missing", where=where, why=f"it names {', '.join(missing[:5])}")
    files = {file: _opened(folder / file) for file in sorted(set(index.values()))}
    _check_shards(index, files, where)
    return {name: files[file] for name, file in index.items()}


def _opened(path: Path) -> _File:
    with _reading(path), path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        # Arrays may still point into the map later; it is closed with the last of them.
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b"")
        if bytes(data[: len(_LFS)]) == _LFS:
            raise CorruptArchive(
                "this is a pointer of Git LFS, not the weights", where=str(path), hint="run git lfs pull in the repository"
            )
        return _safetensors(path, data) if path.name.endswith(".safetensors") else read_torch_file(file, data, str(path))


def _safetensors(path: Path, data: memoryview) -> _Safetensors:
    header = read_header(path)
    if header.format not in _FORMATS:
        why = "their names and axes are not those of torch"
        raise UnsupportedModel(f"the tensors are in the format '{header.format[:20]}'", where=str(path), why=why)
    return _Safetensors(data, header, str(path))


def _read_index(path: Path) -> bytes:
    with _reading(path), path.open("rb") as file:
        text = file.read(_MAX_INDEX + 1)
    if len(text) > _MAX_INDEX:
        raise CorruptArchive(f"the index of the weights has more than {_MAX_INDEX:,} bytes", where=str(path))
    return text


def _file_names(folder: Path) -> list[str]:
    with _reading(folder):
        return [path.name for path in folder.iterdir() if path.is_file()]


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InconsistentModel(f"{path.name} cannot be read", where=str(path), why=error.strerror or str(error)) from error


def _check_shards(index: Mapping[str, str], files: Mapping[str, _File], where: str) -> None:
    missing = [name for name, file in index.items() if name not in files[file].places]
    if missing:
        why = f"{index[missing[0]]} lacks {', '.join(missing[:5])}"
        raise InconsistentModel("tensors are not in the files that the index names for them", where=where, why=why)
    counts = Counter(name for file in files.values() for name in file.places)
    twice = [name for name in index if counts[name] > 1]
    if twice:
        raise InconsistentModel("tensors are in several files", where=where, why=", ".join(twice[:5]))
