"""The weights file: written lazily, read by everybody, and never believed when it lies."""

from __future__ import annotations

import json
import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from hubclient.errors import CorruptArchive
from hubclient.tensors import LazyTensor, parse_header, read_header, read_weights, write_weights
from tests.archive.damage import patient

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
            read_header(path)


@pytest.mark.parametrize(
    "header",
    [
        {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}},
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}},
        {"a": 3},
        {"a": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0.0, 4.0]}},
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [False, 4]}},
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 2, 4]}},
        {"a": {"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": "1", "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [1]}},
        {"a": {"dtype": "F32", "shape": [1] * 33, "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [int("9" * 4000)] * 2000, "data_offsets": [0, 4]}},
        {"\ud800": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}},
        {"a" * 2000: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}},
        {"__metadata__": {"format": 3}, "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}},
        {"__metadata__": 3, "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}},
        [],
        None,
    ],
)
def test_a_lying_header_is_refused(header: object, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(4))
    with pytest.raises(CorruptArchive) as caught:
        read_weights(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "text", [b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xff", b"9" * 10_000, b'{"\\ud800": 1}'], ids=lambda text: str(text[:5])
)
def test_a_header_that_is_no_json_to_speak_of_is_refused(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text)
    with pytest.raises(CorruptArchive):
        read_header(path)


def test_a_header_of_any_size_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    for size in (0, 1, 1 << 26, 1 << 63, (1 << 64) - 1):
        path.write_bytes(struct.pack("<Q", size) + b"{}")
        with pytest.raises(CorruptArchive, match="not a safetensors file"):
            read_header(path)


def test_the_format_is_what_the_file_says(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file(ARRAYS, path, metadata={"format": "tf"})
    assert read_header(path).format == "tf"
    save_file(ARRAYS, path)
    assert read_header(path).format is None


_entries = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "BF16", "I64", "F4", None, 3]),
        "shape": st.lists(st.integers(-1, 3) | st.just(1 << 70) | st.none(), max_size=3),
        "data_offsets": st.lists(st.integers(-1, 24) | st.floats(), min_size=1, max_size=3),
    }
)


@patient
@given(st.dictionaries(st.text(max_size=3) | st.just("__metadata__"), _entries | st.none() | st.integers(), max_size=3))
def test_any_header_is_read_or_refused(header: dict[str, object]) -> None:
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        layout = parse_header(json.dumps(header).encode(), 50, 74).layout
        assert sum(slot.length for slot in layout.values()) == 24
