"""Files that torch itself wrote: the same numbers bit for bit, and only errors of ours for files that lie."""

from __future__ import annotations

import io
import pickle
import random
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hubclient.archive.torchfile import TorchFile, names_in_torch_file, read_torch_file
from hubclient.errors import ArchiveError, CorruptArchive, HubError, InconsistentModel, UnsafeArchive, UnsupportedModel
from tests.archive.damage import flips_read, truncations_read

ZIP, LEGACY = "zip", "legacy"
CONTAINERS = (ZIP, LEGACY)
DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
    torch.complex64: "C64",
    torch.complex128: "C128",
}
# Those that torch saves as bytes and a type, which it reads back from the zip container alone.
NEWER = {torch.uint16: "U16", torch.uint32: "U32", torch.uint64: "U64", torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2"}


def saved(value: object, container: str = ZIP, **settings: Any) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=container == ZIP, **settings)
    return file.getvalue()


def read(data: bytes) -> TorchFile:
    return read_torch_file(io.BytesIO(data), memoryview(data), "pytorch_model.bin")


def read_all(data: bytes) -> list[np.ndarray]:
    """Every tensor, copied."""
    file = read(data)
    return [np.array(file.array(name)) for name in file.places]


def bits(tensor: torch.Tensor) -> bytes:
    plain = tensor.detach().contiguous().reshape(-1)
    return bytes(plain.view(torch.uint8).numpy()) if plain.numel() else b""


def assert_same(data: bytes, wanted: dict[str, torch.Tensor]) -> None:
    file = read(data)
    assert list(file.places) == list(wanted)
    for name, tensor in wanted.items():
        array = file.array(name)
        assert array.shape == tuple(tensor.shape), name
        assert array.tobytes() == bits(tensor), name
        assert not array.flags.writeable or array.size == 0


def state() -> dict[str, torch.Tensor]:
    """Small, with what a model's weights may be: shared, views, parameters, empty, single numbers."""
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 7
    return {
        "base": base,
        "shared": base,
        "transposed": base.t(),
        "column": base[:, 2],
        "steps": base[1::2, ::3],
        "parameter": torch.nn.Parameter(base[1:3]),
        "scalar": torch.tensor(1.5),
        "empty": torch.zeros((0, 3)),
        "expanded": torch.tensor([2.5]).expand(3, 4),
        "cube": torch.arange(24, dtype=torch.float32).reshape(2, 3, 4).permute(2, 0, 1),
    }


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_type_is_bit_for_bit_what_torch_loads(dtype: torch.dtype, container: str) -> None:
    generator = torch.Generator().manual_seed(3)
    raw = torch.randint(0, 2 if dtype == torch.bool else 256, (5 * 16 * dtype.itemsize,), dtype=torch.uint8, generator=generator)
    tensor = raw.view(dtype).reshape(5, -1)
    data = saved({"a": tensor, "turned": tensor.t(), "late": tensor[3:, 4:]}, container)
    loaded = torch.load(io.BytesIO(data), weights_only=True)
    assert_same(data, loaded)
    assert read(data).places["a"].dtype == DTYPES[dtype]


@pytest.mark.parametrize("dtype", NEWER, ids=str)
def test_newer_types_are_bytes_with_a_type(dtype: torch.dtype) -> None:
    tensor = torch.arange(8 * dtype.itemsize, dtype=torch.uint8).view(dtype).reshape(2, 4)
    data = saved({"a": tensor, "part": tensor[1:, 1:]})
    assert_same(data, {"a": tensor, "part": tensor[1:, 1:]})
    assert read(data).places["a"].dtype == NEWER[dtype]


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
def test_views_shared_storages_and_parameters(container: str, protocol: int) -> None:
    data = saved(state(), container, pickle_protocol=protocol)
    assert_same(data, torch.load(io.BytesIO(data), weights_only=False))


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_model_s_own_state(container: str) -> None:
    """An OrderedDict with attributes (`_metadata`); parameters with attributes; a tensor that has some."""
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    assert_same(saved(model.state_dict(), container), dict(model.state_dict()))
    model[0].weight.marked = True
    assert_same(saved(OrderedDict(model.named_parameters()), container), dict(model.named_parameters()))
    tensor = torch.arange(4.0)
    tensor.marked = {"a": 1}
    assert_same(saved({"tensor": tensor}, container), {"tensor": tensor})


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("wrapper", ["state_dict", "model"])
def test_weights_among_other_things(container: str, wrapper: str) -> None:
    tensors = state()
    data = saved({"epoch": 3, "loss": 0.25, "best": None, "done": True, "names": ["a", ("b", -(1 << 70))], wrapper: tensors}, container)
    assert_same(data, tensors)


@pytest.mark.parametrize(
    "value",
    [
        {"state_dict": {"a": torch.ones(1)}, "ema": {"a": torch.zeros(1)}},
        {"a": torch.ones(1), "model": {"a": torch.zeros(1)}},
        {"something": {"a": torch.ones(1)}},
        {3: torch.ones(1)},
        {"n" * 2000: torch.ones(1)},
    ],
)
def test_weights_that_could_be_either_are_refused(value: object) -> None:
    with pytest.raises(InconsistentModel):
        read(saved(value))


@pytest.mark.parametrize("value", [{}, {"a": 1}, [torch.ones(1)], torch.ones(1), None, {"model": {"state_dict": {"a": torch.ones(1)}}}])
def test_a_file_without_named_tensors(value: object) -> None:
    for container in CONTAINERS:
        with pytest.raises(UnsupportedModel, match="no tensors by name"):
            read(saved(value, container))


def test_real_repositories(shared: Path) -> None:
    for name in ("bert_tiny_trec6", "tiny_distilbert_open"):
        data = (shared / "hf" / name / "pytorch_model.bin").read_bytes()
        assert_same(data, torch.load(io.BytesIO(data), weights_only=True))


def test_whole_models_programs_and_other_things_are_refused_by_name() -> None:
    with pytest.raises(UnsafeArchive, match=r"torch\.nn\.modules\.linear\.Linear"):
        read(saved(torch.nn.Linear(2, 2)))
    with pytest.raises(UnsafeArchive, match=r"numpy"):
        read(saved({"a": np.zeros(2)}))
    with pytest.raises(UnsafeArchive, match=r"_rebuild_sparse_tensor"):
        read(saved({"a": torch.eye(2).to_sparse()}))
    with pytest.raises(UnsupportedModel, match="lazy view"):
        read(saved({"a": torch.ones(2, dtype=torch.complex64).conj().imag}))
    with pytest.raises(UnsupportedModel, match="TorchScript"):
        read(rezipped(saved(state()), add={"archive/constants.pkl": b"."}))
    with pytest.raises(UnsupportedModel, match="tar container"):
        read(bytes(257) + b"ustar" + bytes(300))


@pytest.mark.parametrize(
    "data", [b"", b"\x80", b"PK", b"<!doctype html>", pickle.dumps({"a": 1}), bytes(600)], ids=lambda data: str(data[:8])
)
def test_other_files_are_no_weights(data: bytes) -> None:
    with pytest.raises(CorruptArchive):
        read(data)


def rezipped(
    data: bytes, *, add: dict[str, bytes] | None = None, method: int = zipfile.ZIP_STORED, drop: str | None = None, top: str = "archive"
) -> bytes:
    """The members of a zip put together anew, some of them exchanged."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", method) as new:
        members = {name: old.read(name) for name in old.namelist()}
        for name, content in {**members, **(add or {})}.items():
            if name != drop:
                new.writestr(name.replace("archive/", f"{top}/"), content)
    return target.getvalue()


def test_the_folder_in_the_zip_has_any_name() -> None:
    tensors = state()
    assert_same(rezipped(saved(tensors), top="epoch 3"), tensors)


def test_older_zips_do_not_say_their_byte_order() -> None:
    assert_same(rezipped(saved(state()), drop="archive/byteorder"), state())


def test_big_endian_numbers_are_turned() -> None:
    tensors = {"a": torch.arange(6, dtype=torch.float32).reshape(2, 3), "b": torch.arange(4), "c": torch.ones(4) * 2j}
    swapped = {f"archive/data/{index}": tensor.numpy().byteswap().tobytes() for index, tensor in enumerate(tensors.values())} | {
        "archive/byteorder": b"big"
    }
    data = rezipped(saved(tensors), add=swapped)
    loaded = torch.load(io.BytesIO(data), weights_only=True)
    file = read(data)
    for name, tensor in loaded.items():
        assert np.asarray(file.array(name)).tolist() == tensor.tolist() == tensors[name].tolist()


def test_checksums_are_compared_where_there_are_some() -> None:
    data = bytearray(saved({"a": torch.arange(100.0), "b": torch.ones(3)}))
    place = read(bytes(data)).places["a"]
    data[place.offset + 17] ^= 4
    file = read(bytes(data))
    assert file.array("b").tolist() == [1, 1, 1]
    with pytest.raises(CorruptArchive, match=r"(?s)damaged.*tensor 'a'.*CRC-32"):
        file.array("a")


def test_a_file_without_checksums() -> None:
    torch.serialization.set_crc32_options(False)
    try:
        data = saved(state())
    finally:
        torch.serialization.set_crc32_options(True)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {info.CRC for info in archive.infolist()} == {0}
    assert_same(data, state())


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"add": {"archive/data/0": bytes(92)}}, CorruptArchive),
        ({"add": {"archive/data/0": bytes(100)}}, CorruptArchive),
        ({"drop": "archive/data/0"}, CorruptArchive),
        ({"drop": "archive/data.pkl"}, CorruptArchive),
        ({"add": {"archive/byteorder": b"middle"}}, CorruptArchive),
        ({"add": {"archive/byteorder": b"little" * 10}}, UnsafeArchive),
        ({"add": {"archive/data.pkl": bytes(17 << 20)}}, UnsafeArchive),
        ({"add": {"other/data.pkl": b"N."}}, CorruptArchive),
        ({"add": {"archive/data.pkl": b"}.N"}}, CorruptArchive),
        ({"method": zipfile.ZIP_DEFLATED}, UnsupportedModel),
        ({"top": ".."}, UnsafeArchive),
    ],
)
def test_zips_that_lie(change: dict[str, Any], error: type[HubError]) -> None:
    with pytest.raises(error):
        read(rezipped(saved(state()), **change))


def legacy(
    state_pickle: bytes, keys: list[str], storages: bytes, *, magic: object = 0x1950A86A20F9469CFC6C, version: object = 1001
) -> bytes:
    parts = [pickle.dumps(value, 2) for value in (magic, version, {"little_endian": True})]
    return b"".join(parts) + state_pickle + pickle.dumps(keys, 2) + storages


@pytest.mark.parametrize("data", [saved(state(), container) for container in (ZIP, LEGACY)])
def test_names_alone(data: bytes) -> None:
    assert set(names_in_torch_file(io.BytesIO(data), "x")) == set(state())


def test_names_in_a_long_row_of_pickles() -> None:
    names = [f"{number}{'x' * 900}" for number in range(600)]
    data = saved(dict.fromkeys(names, torch.ones(2)), LEGACY)
    assert list(names_in_torch_file(io.BytesIO(data), "x")) == names


@pytest.mark.parametrize("data", [b"", b"<html>", b"\x80\x02N", saved(state(), LEGACY)[:200], b"PK\x03\x04"])
def test_names_of_what_is_no_such_file(data: bytes) -> None:
    with pytest.raises(ArchiveError):
        names_in_torch_file(io.BytesIO(data), "x")


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value: int) -> bytes:
    return b"\x8a\x09" + value.to_bytes(9, "little", signed=True)


def numbers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"


def storage(count: int = 4, kind: str = "FloatStorage", view: bytes = b"N", key: str = "0") -> bytes:
    return b"(" + text("storage") + f"ctorch\n{kind}\n".encode() + text(key) + text("cpu") + number(count) + view + b"tQ"


def tensor(of: bytes, offset: int = 0, shape: tuple[int, ...] = (2, 2), strides: tuple[int, ...] = (2, 1)) -> bytes:
    arguments = of + number(offset) + numbers(shape) + numbers(strides) + b"\x89}"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + arguments + b"tR"


def holding(*tensors: bytes) -> bytes:
    return b"\x80\x02}(" + b"".join(text(f"t{index}") + part for index, part in enumerate(tensors)) + b"u."


STORED = struct.pack("<q4f", 4, 1, 2, 3, 4)


def test_what_the_oldest_files_have() -> None:
    """Views of storages, `_rebuild_tensor`, dictionaries of pairs (Python 2), texts in its strings."""
    view = b"(" + text("v") + number(1) + number(2) + b"t"
    first = b"ctorch._utils\n_rebuild_tensor\n(" + storage(view=view) + number(0) + numbers((2,)) + numbers((1,)) + b"tR"
    listed = b"\x80\x02ccollections\nOrderedDict\n(](](U\x01a" + first + b"e](T\x01\x00\x00\x00b" + tensor(storage()) + b"eetR."
    file = read(legacy(listed, ["0"], STORED))
    assert {name: np.asarray(file.array(name)).tolist() for name in file.places} == {"a": [2, 3], "b": [[1, 2], [3, 4]]}


@pytest.mark.parametrize(
    "part",
    [
        tensor(storage(), offset=1),
        tensor(storage(), offset=-1),
        tensor(storage(), shape=(2, 3)),
        tensor(storage(), strides=(3, 1)),
        tensor(storage(), strides=(2, -1)),
        tensor(storage(), shape=(2, -2)),
        tensor(storage(), shape=(4,)),
        tensor(storage(), shape=(1 << 62, 0), strides=(1, 1)),
        tensor(storage(), shape=(1 << 40, 1 << 40, 0), strides=(1, 1, 1)),
        tensor(storage(), shape=(1,) * 40, strides=(1,) * 40),
        tensor(storage(count=5)),
        tensor(storage(count=3), shape=(1, 1)),
        tensor(storage(count=-4)),
        tensor(storage(count=1 << 60)),
        tensor(storage(kind="DoubleStorage"), shape=(1, 1)),
        tensor(storage(key="1")),
        tensor(storage(view=b"(" + text("v") + number(3) + number(2) + b"t"), shape=(1, 1)),
        tensor(storage(view=b"(" + text("v") + number(1) + number(2) + b"t")),
        tensor(storage(view=text("v"))),
        tensor(b"N"),
        tensor(text("0") + b"Q"),
        tensor(storage()) + b"0" + tensor(storage()),
        tensor(storage())[:-2] + b"N" * 5 + b"tR",
        b"ctorch\nFloatStorage\n)R",
        b"ctorch._utils\n_rebuild_parameter\n(NNNtR",
        b"ctorch._utils\n_rebuild_tensor_v3\n(NNNNNNNtR",
        b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._tensor\n_rebuild_from_type_v2\nctorch\nTensor\n)NtR",
        b"ctorch._tensor\n_rebuild_from_type_v2\n(ccollections\nOrderedDict\nctorch\nTensor\n)NtR",
        b"ctorch\nSize\n(" + text("2") + b"tR",
        b"ctorch\nSize\n((" + b"K\x01" * 40 + b"ttR",
    ],
)
def test_tensors_that_lie(part: bytes) -> None:
    with pytest.raises(ArchiveError) as caught:
        read(legacy(holding(part), ["0"], STORED))
    assert "pytorch_model.bin" in str(caught.value)


@pytest.mark.parametrize("other", [storage(count=3), storage(kind="IntStorage")])
def test_a_storage_is_of_one_size_and_one_type(other: bytes) -> None:
    with pytest.raises(CorruptArchive, match=r"storage '0' has two sizes or two types"):
        read(legacy(holding(tensor(storage()), tensor(other, shape=(1, 1))), ["0"], STORED))


def test_the_sound_file_that_the_lies_are_made_of() -> None:
    (array,) = read_all(legacy(holding(tensor(storage())), ["0"], STORED))
    assert array.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (legacy(holding(tensor(storage())), ["0"], STORED + b"\0"), CorruptArchive),
        (legacy(holding(tensor(storage())), ["0"], STORED[:-1]), CorruptArchive),
        (legacy(holding(tensor(storage())), ["0"], struct.pack("<q4f", 3, 1, 2, 3, 4)), CorruptArchive),
        (legacy(holding(tensor(storage())), ["0"], struct.pack("<q4f", -1, 1, 2, 3, 4)), CorruptArchive),
        (legacy(holding(tensor(storage())), [], b""), CorruptArchive),
        (legacy(holding(tensor(storage())), ["0", "1"], STORED * 2), CorruptArchive),
        (legacy(holding(tensor(storage())), ["0", "0"], STORED * 2), CorruptArchive),
        (legacy(holding(tensor(storage())), ["0"], STORED, magic=7), CorruptArchive),
        (legacy(holding(tensor(storage())), ["0"], STORED, version=1002), UnsupportedModel),
        (legacy(holding(tensor(storage())), ["0"], STORED, version={"a": 1}), UnsupportedModel),
    ],
)
def test_streams_that_lie(data: bytes, error: type[HubError]) -> None:
    with pytest.raises(error):
        read(data)


def test_one_number_does_not_become_a_thousand_million() -> None:
    data = saved({"a": torch.zeros(1).expand(1 << 15, 1 << 15)})
    with pytest.raises(UnsafeArchive, match="would become"):
        read(data)


def test_many_names_for_one_dictionary_take_no_longer() -> None:
    """Looked through once for each name, this would take minutes."""
    numbers_in_it = b"(" + b"".join(text(f"k{index}") + b"N" for index in range(100_000)) + b"u"
    data = (
        b"\x80\x02}("
        + text("model")
        + b"}q\x00"
        + numbers_in_it
        + b"".join(text(f"d{index}") + b"h\x00" for index in range(100_000))
        + b"u."
    )
    with pytest.raises(UnsupportedModel, match="no tensors"):
        read(legacy(data, [], b""))


def small() -> dict[str, torch.Tensor]:
    base = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    return {"a": base, "b": base.t(), "c": torch.nn.Parameter(torch.ones(2, dtype=torch.float16))}


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_truncation_is_refused(container: str) -> None:
    assert truncations_read(read_all, saved(small(), container), dense=10_000) == []


@pytest.mark.parametrize("container", CONTAINERS)
def test_flipped_bits_raise_nothing_else(container: str) -> None:
    data = saved(small(), container)
    unnoticed = flips_read(read_all, data)
    if container == ZIP:
        held = [place.offset for place in read(data).places.values()]
        assert not set(unnoticed) & set(range(min(held), min(held) + 24)), "the numbers are covered by a checksum"


@pytest.mark.slow
@pytest.mark.parametrize("container", CONTAINERS)
def test_random_damage_raises_nothing_else(container: str) -> None:
    good = saved(small(), container)
    chance = random.Random(5)
    for _ in range(20_000):
        data = bytearray(good)
        for _ in range(chance.randrange(1, 6)):
            start = chance.randrange(len(data))
            data[start : start + chance.randrange(4)] = chance.randbytes(chance.randrange(4))
        try:
            read_all(bytes(data))
        except HubError:
            continue
