"""Whether a native folder that somebody else made may be kept: its parts fit together, and nothing in it leads out of it."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from hubclient.archive.onnxmodel import OnnxModel
from hubclient.errors import InconsistentModel, UnsafeArchive
from hubclient.native import (
    CONFIG,
    GRAPH,
    OPENVINO_GRAPH,
    OPENVINO_WEIGHTS,
    TOKENIZER,
    WEIGHTS,
    Manifest,
    open_tokenizer,
    read_json,
    read_manifest,
)
from hubclient.tensors import read_header

_ROOM = 1 << 31  # what a protobuf message may have


def check_model(folder: Path) -> Manifest:
    """Raises ModelError, ArchiveError. The bytes of the weights are not read."""
    manifest = read_manifest(folder)
    read_json(folder / CONFIG)
    if os.path.isfile(folder / TOKENIZER) or manifest.graph != "none":
        open_tokenizer(folder)
    if manifest.graph == "openvino":
        _check_files(folder, OPENVINO_GRAPH, OPENVINO_WEIGHTS)
        return manifest
    if os.path.isfile(folder / WEIGHTS) or manifest.graph != "kept":
        _check_weights(folder / WEIGHTS)
    if manifest.graph != "none":
        _check_graph(folder / GRAPH)
    return manifest


def _check_files(folder: Path, *names: str) -> None:
    for name in names:
        if not os.path.isfile(folder / name):
            raise InconsistentModel(f"the model has no {name}", where=str(folder), hint="have it sent again")


def _check_weights(path: Path) -> None:
    if not os.path.isfile(path):
        raise InconsistentModel("the model has no weights", where=str(path), hint="have it sent again")
    read_header(path)


def _check_graph(path: Path) -> None:
    size = path.stat().st_size if os.path.isfile(path) else 0
    if not 0 < size < _ROOM:
        raise InconsistentModel("the model has no graph that can be read", where=str(path), hint="have it sent again")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        externals = OnnxModel(content, label=str(path)).externals
    for name, least in externals.items():
        beside = path.with_name(name)
        if not os.path.isfile(beside) or beside.stat().st_size < least:
            raise UnsafeArchive("the graph's tensors do not lie in the model's files", where=str(path), why=f"'{name}' is not long enough")
