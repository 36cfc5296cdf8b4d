"""An archive with ONNX weights becomes a native folder: rebuilt from its tensors where these can be recovered, else with its own graph.

A rebuilt graph must answer as theirs did before it is taken. A graph that is kept must be one that the default engine can use: its inputs
and its output are the known ones, and it answers a text alone as it does in a padded batch, up to the longest text that is allowed.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubclient.archive.members import Members
from hubclient.archive.onnxmodel import Dataflow, OnnxModel
from hubclient.archive.sparknlp import Archive
from hubclient.archive.weights import onnx_files, unpack
from hubclient.cards import Overlay
from hubclient.convert.annotators import Annotator
from hubclient.convert.assemble import assemble, check_parts
from hubclient.convert.canary import INPUTS, Bounds, Runner, answers_alike, prove_padding
from hubclient.convert.facts import in_force
from hubclient.convert.job import Job
from hubclient.convert.write import write_config, write_manifest, write_tokenizer
from hubclient.errors import CorruptArchive, ModelError, UnsafeArchive, UnsupportedModel
from hubclient.models import FAMILIES, family_of, named
from hubclient.models.family import Family
from hubclient.models.onnx import Reader
from hubclient.native import CONFIG, GRAPH, MANIFEST, TOKENIZER, TOKENIZER_CONFIG, WEIGHTS
from hubclient.padding import Padding, read_padding

if TYPE_CHECKING:
    import numpy as np
    from typing_extensions import Buffer

_log = logging.getLogger("hubclient")
_OUTPUT = "logits"
_AFTER_LOGITS = frozenset({"Softmax", "LogSoftmax", "Sigmoid", "HardSigmoid"})
_FLOAT, _INT32, _INT64 = 1, 6, 7  # onnx.TensorProto.DataType
_OURS = frozenset(name.casefold() for name in (CONFIG, GRAPH, MANIFEST, TOKENIZER, TOKENIZER_CONFIG, WEIGHTS))


@dataclass(frozen=True)
class Theirs:
    """The archive's own graph, unpacked: `path` is the model, and its external files lie beside it."""

    model: OnnxModel
    flow: Dataflow
    path: Path

    def logits(self, feeds: Mapping[str, np.ndarray]) -> np.ndarray:
        """What it answers. It is opened when it is first asked, and then kept."""
        return self._runner.logits(feeds)

    @cached_property
    def _runner(self) -> Runner:
        return Runner(self.path, self.model.label)

    @property
    def files(self) -> list[Path]:
        return [self.path, *(self.path.with_name(name) for name in sorted(self.model.externals))]


def from_onnx(archive: Archive, annotator: Annotator, job: Job) -> dict[str, str]:
    """As `convert_archive`, for an archive whose weights are ONNX."""
    with _unpacked(archive, job) as theirs:
        family = _family(theirs.model.names, annotator)
        try:
            recipe = family.from_onnx(theirs.flow, annotator.head)
        except ModelError as error:
            note = f"{error.what} ({error.where})" if error.where else error.what
            return _keep(archive, family, job, theirs, note)
        hashes = assemble(archive, job, family, recipe, theirs.flow.shapes, partial(_load, theirs.flow))
        bounds = Bounds.of(family, recipe.config, read_padding(job.staging))
        if answers_alike(job.staging / GRAPH, theirs.logits, bounds):
            return hashes
        (job.staging / WEIGHTS).unlink()
        return _keep(archive, family, job, theirs, "the graph rebuilt from its tensors gives other logits")


def _keep(archive: Archive, family: Family, job: Job, theirs: Theirs, note: str) -> dict[str, str]:
    _log.warning("the graph of %s is kept as it is, and only the onnx engine can open it: %s", archive.members.label, note)
    if theirs.flow.output.op in _AFTER_LOGITS:
        raise UnsupportedModel("the graph's output is not logits", where=theirs.model.label, why=f"it ends in {theirs.flow.output.op}")
    tables = Reader(theirs.flow).tables()
    config = _config(theirs.model.names, tables)
    bounds = _bounds(archive, tables, job.overlay, Padding.of(config, {}))
    classes = _prove(theirs, bounds)
    kit = check_parts(archive, family.model_type, rows=bounds.vocabulary, classes=classes, positions=bounds.longest)
    forced = in_force(kit.facts, job.overlay, bounds.longest)
    hashes = {file.name: _copied(file, job.staging / file.name) for file in theirs.files}
    write_tokenizer(job.staging, kit.tokenizer(forced))
    write_config(job.staging, config, archive.labels, forced, kit.pad_id)
    write_manifest(
        job,
        annotator=archive.metadata.annotator,
        architecture=config.get("model_type", "unknown"),
        labels=archive.labels,
        labels_source="archive labels field",
        positions=bounds.longest,
        facts=kit.facts,
        zero_shot=kit.zero_shot,
        tensors_digest=hashlib.sha256("".join(f"{name}\0{hashes[name]}\n" for name in sorted(hashes)).encode()).hexdigest(),
        graph="kept",
        graph_note=note,
    )
    return hashes


def _family(names: list[str], annotator: Annotator) -> Family:
    """By the names of weights and nodes. Where an exporter left none that tell, the annotator has to do."""
    try:
        return family_of(names, annotator.model_type)
    except UnsupportedModel:
        if named(names):
            raise
        return FAMILIES[annotator.model_type]


def _load(flow: Dataflow, key: str) -> np.ndarray:
    array = flow.array(flow.tensors[key])
    if array is None:
        raise CorruptArchive(f"'{key}' is not a tensor of the graph")
    return array


def _bounds(archive: Archive, tables: Mapping[str, tuple[int, ...]], overlay: Overlay, padding: Padding) -> Bounds:
    """What may be asked of a graph that is kept; where a table was not found, what the archive says, which is then tried out."""
    positions = tables["positions"][0] if "positions" in tables else overlay.max_length or archive.metadata.integer("maxSentenceLength")
    if positions is None or positions < 1:
        raise UnsupportedModel(
            "nothing says how long a text may be", where=archive.members.label, why="the graph has no position table that can be read"
        )
    vocabulary = tables["input_ids"][0] if "input_ids" in tables else 1 + max((archive.vocabulary or {}).values(), default=0)
    return Bounds(vocabulary, positions, tables["token_type_ids"][0] if "token_type_ids" in tables else 2, padding)


def _prove(theirs: Theirs, bounds: Bounds) -> int:
    """Try a graph that is to be kept; gives the number of its outputs."""
    if _INT32 in theirs.model.inputs.values():
        raise UnsupportedModel("the graph takes int32, and only a rebuilt one can do without", where=theirs.model.label)
    return prove_padding(theirs.logits, bounds, theirs.model.label)


def _config(names: list[str], tables: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """What is known of the architecture of a graph that is kept."""
    family = next((family for family in FAMILIES.values() if family.recognises(names)), None)
    known: dict[str, Any] = {"model_type": family.model_type} if family else {}
    for by, key in (("input_ids", "vocab_size"), ("positions", "max_position_embeddings"), ("token_type_ids", "type_vocab_size")):
        if by in tables:
            known[key] = tables[by][0]
    return known


@contextmanager
def _unpacked(archive: Archive, job: Job) -> Iterator[Theirs]:
    folder = job.work / "onnx"
    folder.mkdir()
    with ExitStack() as stack:
        spool = stack.enter_context((job.work / "weights.zip").open("w+b"))
        inner = unpack(archive.members, archive.weights, spool, job.advance)
        name = onnx_files(inner).model
        model = OnnxModel(stack.enter_context(job.mapped(inner, name, folder / GRAPH)), label=f"{inner.label}, {name}")
        _check_signature(model)
        files: dict[str, Buffer] = {}
        for external in model.externals:
            members, member = _beside(archive, inner, name, external, model.label)
            files[external] = stack.enter_context(job.mapped(members, member, folder / external))
        yield Theirs(model, model.trace(_OUTPUT, files), folder / GRAPH)


def _beside(archive: Archive, inner: Members, model: str, external: str, label: str) -> tuple[Members, str]:
    """Where a data file of the model is: next to it, or, as Spark NLP has it, next to the zip that holds it."""
    if external.casefold() in _OURS:
        raise UnsafeArchive(f"the model's data file is named '{external}', which is kept for another file", where=label)
    member = model[: model.rfind("/") + 1] + external
    for members, name in ((inner, member), (archive.members, external)):
        if name in members.names():
            return members, name
    raise CorruptArchive(f"the model's data file '{external}' is missing", where=label)


def _check_signature(model: OnnxModel) -> None:
    """The inputs and the output must be those that the engines know."""
    if "input_ids" not in model.inputs or not set(model.inputs) <= set(INPUTS) or set(model.inputs.values()) - {_INT32, _INT64}:
        given = ", ".join(f"{name} (type {number})" for name, number in model.inputs.items())
        raise UnsupportedModel("the graph's inputs are not those of a BERT model", where=model.label, why=f"it has {given or 'none'}")
    if model.outputs.get(_OUTPUT) != _FLOAT:
        given = ", ".join(f"{name} (type {number})" for name, number in model.outputs.items())
        raise UnsupportedModel("the graph has no output of float32 logits", where=model.label, why=f"it has {given or 'none'}")


def _copied(source: Path, target: Path) -> str:
    """Copy a file; gives its SHA-256."""
    shutil.copyfile(source, target)
    with target.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
