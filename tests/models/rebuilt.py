"""A model put together from what a family reads, and asked in ONNX Runtime."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from hubclient.archive.bundle import TensorBundle
from hubclient.archive.calculate import calculate
from hubclient.archive.graph import Dataflow, Graph
from hubclient.archive.location import open_archive
from hubclient.archive.onnxmodel import OnnxModel
from hubclient.archive.sparknlp import read_archive
from hubclient.archive.weights import tensorflow_files, unpack
from hubclient.convert.canary import Bounds, answers_alike
from hubclient.models.family import Family, Head, Recipe, TensorSource
from hubclient.padding import Padding
from hubclient.tensors import LazyTensor, read_weights, write_weights

DATA = Path(__file__).parent / "data"
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


@dataclass(frozen=True)
class Graphed:
    """A TensorFlow graph with its weights; `golden` tells what it was made with, where that is known."""

    flow: Dataflow
    bundle: TensorBundle
    golden: Mapping[str, Any]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        keys = self.bundle.variables()
        return {name: self.bundle.entry(keys[name]).shape for name in self.flow.variables}

    def load(self, name: str) -> np.ndarray:
        return self.bundle.array(self.bundle.variables()[name])


class Rebuilt:
    """The model of a recipe; `folder` gets its files."""

    def __init__(self, family: Family, config: Mapping[str, Any], folder: Path) -> None:
        layout = read_weights(folder / "model.safetensors").layout
        (folder / "model.onnx").write_bytes(family.build_graph(config, layout, "model.safetensors"))
        self._session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
        self.inputs = [item.name for item in self._session.get_inputs()]

    def logits(self, ids: np.ndarray, mask: np.ndarray | None = None, types: np.ndarray | None = None) -> np.ndarray:
        given = zip(INPUTS, (ids, np.ones_like(ids) if mask is None else mask, np.zeros_like(ids) if types is None else types), strict=True)
        (result,) = self._session.run(["logits"], {name: value for name, value in given if name in self.inputs})
        return np.asarray(result)

    def padded(self, texts: list[tuple[np.ndarray, np.ndarray]], side: str, pad: int) -> list[np.ndarray]:
        """The logits of texts (ids and token types) in one batch; those of padding are left out."""
        width = max(len(ids) for ids, _ in texts)
        ids, mask, types = (np.full((len(texts), width), fill, np.int64) for fill in (pad, 0, 0))
        places = [slice(width - len(one), width) if side == "left" else slice(0, len(one)) for one, _ in texts]
        for row, (place, (one, kinds)) in enumerate(zip(places, texts, strict=True)):
            ids[row, place], mask[row, place], types[row, place] = one, 1, kinds
        logits = self.logits(ids, mask, types)
        return [logits[row] if logits.ndim == 2 else logits[row, place] for row, place in enumerate(places)]


def rebuild(family: Family, recipe: Recipe, shapes: Mapping[str, tuple[int, ...]], load: Any, folder: Path) -> Rebuilt:
    write_weights(folder / "model.safetensors", {name: _tensor(source, shapes, load) for name, source in recipe.tensors.items()})
    return Rebuilt(family, recipe.config, folder)


def rebuild_checkpoint(family: Family, model: Any, folder: Path) -> Rebuilt:
    """That of a transformers model, by its config.json."""
    model.save_pretrained(folder)
    config = {**family.defaults, **json.loads((folder / "config.json").read_text(encoding="utf-8"))}
    layout = read_weights(folder / "model.safetensors").layout
    assert {name: slot.shape for name, slot in layout.items()} == family.expected_shapes(config, model.config.num_labels)
    return Rebuilt(family, config, folder)


def rebuild_onnx(family: Family, data: bytes, head: Head, folder: Path) -> tuple[Recipe, Rebuilt]:
    flow = OnnxModel(data, label="model").trace("logits", {})
    recipe = family.from_onnx(flow, head)
    return recipe, rebuild(family, recipe, flow.shapes, lambda key: flow.array(flow.tensors[key]), folder)


def is_proved(family: Family, graphed: Graphed, config: Mapping[str, Any], folder: Path) -> bool:
    """Whether the graph, worked out as data, and the model that was rebuilt in `folder` give the same logits."""
    bounds = Bounds.of(family, config, Padding.of(config, {}))
    return answers_alike(folder / "model.onnx", lambda feeds: calculate(graphed.flow, feeds, graphed.load), bounds)


def committed_graph(name: str) -> Graphed:
    with zipfile.ZipFile(DATA / f"graphs_{name}.zip") as members:
        golden = json.loads(members.read("golden.json"))
        shard = next(one for one in members.namelist() if ".data-" in one)
        bundle = TensorBundle(members.read("variables.index"), members.read(shard), label=name)
        return Graphed(Graph(members.read("saved_model.pb")).trace(golden["logits"]), bundle, golden)


@contextmanager
def archived_graph(path: Path) -> Iterator[Graphed]:
    with open_archive(path) as members:
        archive = read_archive(members)
        inner = unpack(members, archive.weights, io.BytesIO(), lambda count: None)
        files = tensorflow_files(inner)
        graph = Graph(inner.read(files.graph, 1 << 30))
        bundle = TensorBundle(inner.read(files.index, 1 << 30), *(inner.read(name, 1 << 30) for name in files.shards), label=inner.label)
        yield Graphed(graph.trace((archive.signatures or {})["logits"]), bundle, {})


def _tensor(source: TensorSource, shapes: Mapping[str, tuple[int, ...]], load: Any) -> LazyTensor:
    if source.blank is not None:
        blank = source.blank
        return LazyTensor(blank, lambda: np.zeros(blank, np.float32))
    shape = shapes[source.key]
    return LazyTensor(shape[::-1], lambda: load(source.key).T) if source.transposed else LazyTensor(shape, lambda: load(source.key))
