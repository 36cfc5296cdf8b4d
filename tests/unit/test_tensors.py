"""The weights file: written lazily, read by everybody, and never believed when it lies."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from hubclient.errors import CorruptArchive
from hubclient.tensors import LazyTensor, read_layout, read_weights, write_weights

ARRAYS = {
    "b.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "a.bias": np.array([1.5], dtype=np.float32),
    "c": np.zeros((0, 4), dtype=np.float32),
    "é": np.array(7, dtype=np.float32),
}


def lazy(arrays: dict[str, np.ndarray]) -> dict[str, LazyTensor]:
    return {name: LazyTensor(array.shape, lambda array=array: array) for name, array in arrays.items()}  # type: ignore[misc]


def test_the_library_reads_what_we_write(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    transposed = {"t": LazyTensor((3, 2), lambda: ARRAYS["b.weight"].T)}
    written = write_weights(path, {**lazy(ARRAYS), **transposed})
    loaded = load_file(path)
    assert {name: array.tolist() for name, array in loaded.items()} == {
        **{name: array.tolist() for name, array in ARRAYS.items()},
        "t": ARRAYS["b.weight"].T.tolist(),
    }
    assert written == read_weights(path)
    assert min(slot.offset for slot in written.layout.values()) % 64 == 0


def test_we_read_what_the_library_writes(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file(ARRAYS, path)
    weights = read_weights(path)
    data = path.read_bytes()
    for name, array in ARRAYS.items():
        slot = weights.layout[name]
        assert slot.shape == array.shape
        assert np.frombuffer(data[slot.offset : slot.offset + slot.length], np.float32).tolist() == array.ravel().tolist()


def test_the_digest_is_of_the_tensors_not_of_the_file(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    written = write_weights(ours, lazy(ARRAYS))
    save_file(ARRAYS, theirs, metadata={"made": "elsewhere"})
    assert read_weights(theirs).digest == written.digest
    assert read_weights(theirs).sha256 != written.sha256
    assert write_weights(ours, lazy({**ARRAYS, "a.bias": np.array([1.25], dtype=np.float32)})).digest != written.digest
    assert write_weights(ours, lazy({**ARRAYS, "b.weight": ARRAYS["b.weight"].reshape(3, 2)})).digest != written.digest


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_weights(path, lazy(ARRAYS))
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(CorruptArchive):
            read_layout(path)


@pytest.mark.parametrize(
    "header",
    [
        {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}},
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}},
        {"a": 3},
        [],
    ],
)
def test_a_lying_header_is_refused(header: object, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(4))
    with pytest.raises(CorruptArchive) as caught:
        read_weights(path)
    assert str(path) in str(caught.value)
