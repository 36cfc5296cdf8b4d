from __future__ import annotations

import io

import pytest

from hubclient.archive.weights import OnnxFiles, TensorFlowFiles, onnx_files, tensorflow_files, unpack
from hubclient.archive.zipmembers import ZipMembers
from hubclient.errors import CorruptArchive, NotAnArchive
from tests.archive.builders import zipped


def holding(*names: str) -> ZipMembers:
    return ZipMembers(io.BytesIO(zipped(dict.fromkeys(names, b"content"))), "weights")


def test_weights_are_unpacked_and_opened() -> None:
    outer = ZipMembers(io.BytesIO(zipped({"x_onnx": zipped({"model.onnx": b"graph"}, method=0)})), "model.zip")
    inner = unpack(outer, "x_onnx", io.BytesIO())
    assert inner.read("model.onnx", 10) == b"graph"
    assert inner.label == "model.zip, member 'x_onnx'"


def test_weights_that_are_no_zip_are_named() -> None:
    outer = ZipMembers(io.BytesIO(zipped({"x_onnx": b"graph"})), "model.zip")
    with pytest.raises(NotAnArchive, match="member 'x_onnx'"):
        unpack(outer, "x_onnx", io.BytesIO())


@pytest.mark.parametrize("folder", ["", "saved/", "a/b/"])
def test_tensorflow_files_in_whatever_folder(folder: str) -> None:
    stem = f"{folder}variables/variables" if folder else "variables"
    shards = tuple(f"{stem}.data-{number:05d}-of-00002" for number in range(2))
    found = tensorflow_files(holding(shards[1], f"{folder}saved_model.pb", f"{stem}.index", shards[0], f"{folder}assets/vocab.txt"))
    assert found == TensorFlowFiles(f"{folder}saved_model.pb", f"{stem}.index", shards)


@pytest.mark.parametrize(
    "names",
    [
        ("variables.index", "variables.data-00000-of-00001"),
        ("saved_model.pb", "variables.data-00000-of-00001"),
        ("saved_model.pb", "variables.index"),
        ("saved_model.pb", "variables.index", "variables.data-00001-of-00002"),
        ("saved_model.pb", "variables.index", "other.data-00000-of-00001"),
        ("saved_model.pb", "variables.index", "variables.data-00000-of-00001", "variables.data-00000-of-00002"),
        ("saved_model.pb", "variables.index", "variables.data-00000-of-00000"),
        ("saved_model.pb", "old/saved_model.pb", "variables.index", "variables.data-00000-of-00001"),
        ("saved_model.pb", "a.index", "b.index", "a.data-00000-of-00001"),
    ],
)
def test_missing_or_doubled_files_are_named(names: tuple[str, ...]) -> None:
    with pytest.raises(CorruptArchive, match="there are: "):
        tensorflow_files(holding(*names))


def test_onnx_files() -> None:
    assert onnx_files(holding("sub/model.onnx", "sub/model.onnx_data")) == OnnxFiles("sub/model.onnx", ("sub/model.onnx_data",))
    assert onnx_files(holding("bert_classification_onnx")) == OnnxFiles("bert_classification_onnx", ())
    for names in ((), ("a", "b"), ("a.onnx", "b.onnx")):
        with pytest.raises(CorruptArchive, match=r"named \*\.onnx"):
            onnx_files(holding(*names))
