"""The weights of repositories: every way that transformers writes them gives the same numbers, and nothing in between is guessed."""

from __future__ import annotations

import gc
import json
import os
import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertConfig, BertForSequenceClassification

from hubclient.archive.shardindex import parse_index
from hubclient.checkpoint import Checkpoint, current_names, main_file, open_checkpoint, shards
from hubclient.errors import CorruptArchive, HubError, InconsistentModel, StoreFull, UnsafeArchive, UnsupportedModel
from hubclient.sources.disk import disk_errors
from tests.archive.damage import patient

TENSORS = {
    "a.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3) / 3,
    "a.bias": torch.tensor([0.5, -0.0]),
    "b.scale": torch.tensor(7.25),
}
MODEL = "model.safetensors"
TORCH = "pytorch_model.bin"


def save(folder: Path, tensors: dict[str, torch.Tensor], name: str = MODEL, *, legacy: bool = False, format: str | None = "pt") -> Path:
    folder.mkdir(exist_ok=True)
    if name.endswith(".safetensors"):
        safetensors.torch.save_file(tensors, folder / name, metadata={"format": format} if format else None)
    else:
        torch.save(tensors, folder / name, _use_new_zipfile_serialization=not legacy)
    return folder


def save_index(folder: Path, weight_map: object, name: str = MODEL) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.index.json").write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": weight_map}), encoding="utf-8")
    return folder


def save_shards(folder: Path, name: str = MODEL) -> Path:
    """Two files, as large models have them."""
    stem, _, ending = name.rpartition(".")
    first, second = (f"{stem}-{number:05d}-of-00002.{ending}" for number in (1, 2))
    save(folder, {"a.weight": TENSORS["a.weight"]}, first)
    save(folder, {"a.bias": TENSORS["a.bias"], "b.scale": TENSORS["b.scale"]}, second)
    return save_index(folder, {"a.weight": first, "a.bias": second, "b.scale": second}, name)


def arrays(folder: Path) -> dict[str, np.ndarray]:
    with open_checkpoint(folder) as checkpoint:
        return {name: np.array(checkpoint.array(name)) for name in checkpoint.names}


def assert_same(folder: Path, wanted: dict[str, torch.Tensor]) -> None:
    with open_checkpoint(folder) as checkpoint:
        assert checkpoint.names == tuple(sorted(wanted))
        for name, tensor in wanted.items():
            array = checkpoint.array(name)
            assert array.dtype == np.float32
            assert checkpoint.shape(name) == array.shape == tuple(tensor.shape)
            assert array.tobytes() == tensor.detach().float().contiguous().numpy().tobytes()


WAYS: dict[str, Any] = {
    "safetensors": lambda folder: save(folder, TENSORS),
    "safetensors without a format": lambda folder: save(folder, TENSORS, format=None),
    "safetensors in shards": save_shards,
    "torch zip": lambda folder: save(folder, TENSORS, TORCH),
    "torch legacy": lambda folder: save(folder, TENSORS, TORCH, legacy=True),
    "torch in shards": lambda folder: save_shards(folder, TORCH),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_the_same_numbers(way: str, tmp_path: Path) -> None:
    folder = WAYS[way](tmp_path / "repository")
    assert_same(folder, TENSORS)
    with open_checkpoint(folder) as checkpoint:
        linked = checkpoint.single_float32_safetensors
    assert linked == (folder / MODEL if way.startswith("safetensors") and "shards" not in way else None)


@pytest.mark.parametrize("name", [MODEL, TORCH])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_widens_exactly(name: str, dtype: torch.dtype, tmp_path: Path) -> None:
    """Every one of the 65,536 numbers; not-a-number stays not-a-number."""
    every = torch.arange(-(1 << 15), 1 << 15, dtype=torch.int32).to(torch.int16).view(dtype)
    save(tmp_path, {"every": every, "one": every[17].clone()}, name)
    with open_checkpoint(tmp_path) as checkpoint:
        assert checkpoint.single_float32_safetensors is None
        np.testing.assert_array_equal(checkpoint.array("every"), every.float().numpy())
        assert (np.signbit(checkpoint.array("every")) == torch.signbit(every).numpy()).all()
        assert checkpoint.array("one").shape == ()


@pytest.mark.parametrize("name", [MODEL, TORCH])
def test_other_types_become_float32_only_without_loss(name: str, tmp_path: Path) -> None:
    exact = {
        "double": torch.tensor([0.5, -0.0, float("nan"), float("inf"), 2.0**-149], dtype=torch.float64),
        "ids": torch.tensor([[-(1 << 24), 0, 1 << 24]]),
        "bytes": torch.arange(256).to(torch.uint8),
        "flags": torch.tensor([True, False]),
        "none": torch.zeros((0, 2), dtype=torch.int64),
    }
    assert_same(save(tmp_path / "exact", exact, name), exact)
    inexact = {
        "double": torch.tensor([0.5, 0.1], dtype=torch.float64),
        "large": torch.tensor([1e300], dtype=torch.float64),
        "ids": torch.tensor([1, (1 << 24) + 1]),
        "most": torch.tensor([-(1 << 63)]),
        "complex": torch.tensor([1j]),
        "eighth": torch.ones(2).to(torch.float8_e4m3fn),
    }
    save(tmp_path / "inexact", inexact, name)
    with open_checkpoint(tmp_path / "inexact") as checkpoint:
        for tensor in inexact:
            with pytest.raises(UnsupportedModel, match=rf"'{tensor}' is of type {checkpoint.dtype(tensor)}"):
                checkpoint.array(tensor)


def test_buffers_of_whole_numbers_do_not_keep_a_file_from_being_linked(tmp_path: Path) -> None:
    save(tmp_path, {**TENSORS, "embeddings.position_ids": torch.arange(4)})
    with open_checkpoint(tmp_path) as checkpoint:
        assert checkpoint.single_float32_safetensors == tmp_path / MODEL
        assert checkpoint.dtype("embeddings.position_ids") == "I64"


def test_old_names_keep_a_file_from_being_linked(tmp_path: Path) -> None:
    old = {"e.LayerNorm.gamma": torch.ones(2), "e.LayerNorm.beta": torch.zeros(2), "gamma": torch.ones(1), "beta.weight": torch.ones(1)}
    save(tmp_path, old)
    with open_checkpoint(tmp_path) as checkpoint:
        assert checkpoint.single_float32_safetensors is None
        assert current_names(checkpoint.names) == {
            "e.LayerNorm.weight": "e.LayerNorm.gamma",
            "e.LayerNorm.bias": "e.LayerNorm.beta",
            "gamma": "gamma",
            "beta.weight": "beta.weight",
        }
    with pytest.raises(InconsistentModel, match=r"'e\.LayerNorm\.weight' is there twice"):
        current_names(["e.LayerNorm.gamma", "e.LayerNorm.weight"])


def test_old_names_are_those_that_transformers_renames(tmp_path: Path) -> None:
    config = BertConfig(
        vocab_size=9, hidden_size=4, num_hidden_layers=1, num_attention_heads=2, intermediate_size=5, max_position_embeddings=8
    )
    torch.manual_seed(2)
    model = BertForSequenceClassification(config)
    for tensor in model.parameters():
        torch.nn.init.normal_(tensor)
    wanted = model.state_dict()
    old = {name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): tensor for name, tensor in wanted.items()}
    save(tmp_path, old, TORCH)
    config.save_pretrained(tmp_path)
    loaded = BertForSequenceClassification.from_pretrained(tmp_path).state_dict()
    with open_checkpoint(tmp_path) as checkpoint:
        names = current_names(checkpoint.names)
        assert names.keys() == loaded.keys() != set(checkpoint.names)
        for name, tensor in loaded.items():
            assert checkpoint.array(names[name]).tolist() == tensor.tolist() == wanted[name].tolist()


def test_a_saved_model_in_shards(tmp_path: Path) -> None:
    """The files of save_pretrained itself, in float16."""
    config = BertConfig(vocab_size=90, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=5)
    model = BertForSequenceClassification(config).half()
    model.save_pretrained(tmp_path, max_shard_size=5_000)
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    assert_same(tmp_path, model.state_dict())


def test_safetensors_come_before_torch_and_one_file_before_several(tmp_path: Path) -> None:
    for number, name in enumerate((MODEL, TORCH)):
        save(tmp_path, {"which": torch.tensor(2.0 * number)}, name)
        shard = name.replace(".", "-00001-of-00001.")
        save_index(save(tmp_path, {"which": torch.tensor(2.0 * number + 1)}, shard), {"which": shard}, name)
    for number, name in enumerate((MODEL, f"{MODEL}.index.json", TORCH, f"{TORCH}.index.json")):
        assert main_file(os.listdir(tmp_path), "here") == name
        assert arrays(tmp_path)["which"] == number
        (tmp_path / name).unlink()
    with pytest.raises(UnsupportedModel, match="no weights"):
        arrays(tmp_path)


def test_a_repository_without_weights_says_what_is_there() -> None:
    names = ["config.json", "tf_model.h5", "flax_model.msgpack", "onnx/model.onnx", "m.gguf", "training_args.bin", "spiece.model"]
    with pytest.raises(UnsupportedModel) as caught:
        main_file(names, "owner/repository")
    assert caught.value.why is not None
    for part in ("flax_model.msgpack (Flax)", "m.gguf (GGUF)", "onnx/model.onnx (ONNX)", "tf_model.h5 (TensorFlow)"):
        assert part in caught.value.why
    assert "training_args" not in caught.value.why
    with pytest.raises(UnsupportedModel, match="there are no others"):
        main_file(["config.json"], "owner/repository")


def test_real_repositories(shared: Path) -> None:
    folders = [folder for folder in sorted((shared / "hf").iterdir()) if folder.is_dir()]
    assert len(folders) == 13
    for folder in folders:
        file = folder / MODEL
        wanted = safetensors.torch.load_file(file) if file.exists() else torch.load(folder / TORCH, weights_only=True)
        assert_same(folder, wanted)
        with open_checkpoint(folder) as checkpoint:
            assert checkpoint.single_float32_safetensors == (file if file.exists() else None)


@pytest.mark.parametrize("name", [MODEL, TORCH])
def test_arrays_are_views_of_the_file_and_outlive_the_context(name: str, tmp_path: Path) -> None:
    save(tmp_path, TENSORS, name)
    with open_checkpoint(tmp_path) as checkpoint:
        array = checkpoint.array("a.weight")
        again = checkpoint.array("a.weight")
    gc.collect()
    assert np.shares_memory(array, again)
    assert not array.flags.writeable
    assert array.tolist() == TENSORS["a.weight"].tolist()


def test_a_tensor_that_is_not_there_is_named(tmp_path: Path) -> None:
    with open_checkpoint(save(tmp_path, TENSORS)) as checkpoint:
        for ask in (checkpoint.array, checkpoint.shape, checkpoint.dtype):
            with pytest.raises(UnsupportedModel, match=r"lack the tensor 'c'"):
                ask("c")


def test_errors_of_those_who_use_the_weights_stay_theirs(tmp_path: Path) -> None:
    with pytest.raises(StoreFull), disk_errors(tmp_path), open_checkpoint(save(tmp_path / "repository", TENSORS)):
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("name", [MODEL, TORCH])
def test_a_pointer_instead_of_a_file(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", encoding="utf-8")
    with pytest.raises(CorruptArchive, match="Git LFS"):
        arrays(tmp_path)


@pytest.mark.parametrize("name", [MODEL, TORCH, f"{MODEL}.index.json", f"{TORCH}.index.json"])
@pytest.mark.parametrize("content", [b"", b"<!doctype html><title>404</title>", bytes(100), b"{}", b"null", b'{"weight_map": {}}'])
def test_files_that_hold_something_else(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorruptArchive) as caught:
        arrays(tmp_path)
    assert str(tmp_path / name) in str(caught.value)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InconsistentModel, match="cannot be read"):
        arrays(tmp_path / "none")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a file that may not be read")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    save(tmp_path, TENSORS)
    (tmp_path / MODEL).chmod(0)
    with pytest.raises(InconsistentModel, match=r"model\.safetensors cannot be read"):
        arrays(tmp_path)


@pytest.mark.parametrize("format", ["tf", "flax", "nonsense"])
def test_tensors_of_other_frameworks_are_refused(format: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match=f"format '{format}'"):
        arrays(save(tmp_path, TENSORS, format=format))


def test_a_pickle_that_runs_code_is_refused_in_any_of_the_files(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "marker"),)

    for legacy in (False, True):
        folder = tmp_path / f"legacy {legacy}"
        save(folder, {"a": Evil()}, TORCH, legacy=legacy)
        with pytest.raises(UnsafeArchive, match=r"mkdir"):
            arrays(folder)
    (tmp_path / TORCH).write_bytes(pickle.dumps(Evil()))
    with pytest.raises(UnsafeArchive, match="mkdir"):
        arrays(tmp_path)
    folder = save_shards(tmp_path / "shards", TORCH)
    (folder / "pytorch_model-00002-of-00002.bin").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(UnsafeArchive, match="mkdir"):
        arrays(folder)
    assert not (tmp_path / "marker").exists()


OUTSIDE = [
    "../model.safetensors",
    "/etc/passwd",
    "a/../../model.safetensors",
    "C:\\model.safetensors",
    "..",
    "",
    "a\0b",
    "sub//x",
    "aux.bin",
]


@pytest.mark.parametrize("file", OUTSIDE)
def test_shards_outside_the_folder_are_refused(file: str, tmp_path: Path) -> None:
    save(tmp_path, TENSORS)
    with pytest.raises(UnsafeArchive):
        arrays(save_index(tmp_path / "repository", {"a.weight": file}))


def test_shards_that_are_not_there_are_named(tmp_path: Path) -> None:
    folder = save_shards(tmp_path)
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(InconsistentModel, match=r"missing(?s:.*)model-00002-of-00002\.safetensors"):
        arrays(folder)


def test_tensors_that_a_shard_lacks_are_named(tmp_path: Path) -> None:
    folder = save_shards(tmp_path)
    save(folder, {"a.bias": TENSORS["a.bias"]}, "model-00002-of-00002.safetensors")
    with pytest.raises(InconsistentModel, match=r"model-00002-of-00002\.safetensors lacks b\.scale"):
        arrays(folder)


def test_tensors_in_two_shards_are_named(tmp_path: Path) -> None:
    folder = save_shards(tmp_path)
    save(folder, TENSORS, "model-00002-of-00002.safetensors")
    with pytest.raises(InconsistentModel, match=r"in several files(?s:.*)a\.weight"):
        arrays(folder)


def test_tensors_that_the_index_does_not_name_are_passed_over(tmp_path: Path) -> None:
    """As transformers does."""
    folder = save_shards(tmp_path)
    save(folder, {"a.weight": TENSORS["a.weight"], "stale": torch.ones(1)}, "model-00001-of-00002.safetensors")
    assert_same(folder, TENSORS)


def test_the_files_that_an_index_names() -> None:
    text = json.dumps({"weight_map": {"a": "x-2.safetensors", "b": "x-1.safetensors", "c": "x-1.safetensors"}}).encode()
    assert shards(text, "index") == ("x-1.safetensors", "x-2.safetensors")


@pytest.mark.parametrize(
    "text",
    [
        b'{"weight_map": {"a": "x", "a": "y"}}',
        b'{"weight_map": {"a": "x"}, "weight_map": {"a": "y"}}',
        b'{"weight_map": {"a": 1}}',
        b'{"weight_map": {"a": null}}',
        b'{"weight_map": ["a"]}',
        b'{"weight_map": {"a": "\\ud800"}}',
        b'{"weight_map": {"\\ud800": "a"}}',
        b"[" * 100_000,
        b'{"weight_map": ' * 50_000,
        b"\xff",
        b"9" * 10_000,
    ],
    ids=lambda text: str(text[:20]),
)
def test_an_index_that_is_none(text: bytes) -> None:
    with pytest.raises(CorruptArchive, match="index"):
        parse_index(text, "model.safetensors.index.json")


@patient
@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.dictionaries(st.text(max_size=3), inner, max_size=3)))
def test_any_index_is_read_or_refused(value: object) -> None:
    for index in (value, {"weight_map": value}):
        with suppress(HubError):
            parse_index(json.dumps(index).encode(), "index")


def test_truncated_files_are_refused_at_every_byte(tmp_path: Path) -> None:
    for name in (MODEL, TORCH):
        folder = save(tmp_path / name, {"a": torch.ones(2)}, name)
        data = (folder / name).read_bytes()
        for length in range(len(data)):
            (folder / name).write_bytes(data[:length])
            with pytest.raises(CorruptArchive):
                arrays(folder)


def test_a_closed_checkpoint_has_no_tensors(tmp_path: Path) -> None:
    with open_checkpoint(save(tmp_path, TENSORS)) as checkpoint:
        pass
    assert isinstance(checkpoint, Checkpoint)
    with pytest.raises(HubError):
        checkpoint.array("a.bias")
