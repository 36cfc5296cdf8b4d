"""An archive with OpenVINO weights becomes a native folder: OpenVINO's own form of the model is kept as it is.

It must be one that the engine can use: its inputs are the known ones, its output is the logits, and it answers a text alone as it does in a
padded batch, up to the longest text that is allowed. That is tried out, by OpenVINO itself.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubclient.archive.members import copy
from hubclient.archive.sparknlp import Archive
from hubclient.archive.weights import openvino_files, unpack
from hubclient.convert.annotators import Annotator
from hubclient.convert.assemble import check_parts
from hubclient.convert.canary import INPUTS, Bounds, prove_padding
from hubclient.convert.facts import in_force
from hubclient.convert.job import Job
from hubclient.convert.write import write_config, write_manifest, write_tokenizer
from hubclient.errors import ModelError, UnsupportedModel
from hubclient.models import FAMILIES
from hubclient.native import OPENVINO_GRAPH, OPENVINO_WEIGHTS
from hubclient.padding import Padding

if TYPE_CHECKING:
    import numpy as np

_log = logging.getLogger("hubclient")
_NOTE = "the archive holds OpenVINO's form of the model"


def from_openvino(archive: Archive, annotator: Annotator, job: Job) -> dict[str, str]:
    """As `convert_archive`, for an archive whose weights are OpenVINO's. Raises MissingExtra, too."""
    hashes = _unpack(archive, job)
    model = Runner(job.staging / OPENVINO_GRAPH, f"{archive.members.label}, member '{archive.weights}'")
    family = FAMILIES[annotator.model_type]
    rows = model.rows or 1 + max((archive.vocabulary or {}).values(), default=0)
    config = {"model_type": family.model_type, "vocab_size": rows}
    bounds = Bounds(rows, _longest(archive, job), 2 if "token_type_ids" in model.inputs else 1, Padding.of(config, {}))
    classes = prove_padding(model.logits, bounds, model.label, per_token=annotator.head == "token")
    kit = check_parts(archive, family.model_type, rows=bounds.vocabulary, classes=classes, positions=bounds.longest)
    forced = in_force(kit.facts, job.overlay, bounds.longest)
    _log.warning("%s: only the openvino engine can open it", archive.members.label)
    write_tokenizer(job.staging, kit.tokenizer(forced))
    write_config(job.staging, config, archive.labels, forced, kit.pad_id)
    write_manifest(
        job,
        annotator=archive.metadata.annotator,
        architecture=family.model_type,
        labels=archive.labels,
        labels_source="archive labels field",
        positions=bounds.longest,
        facts=kit.facts,
        zero_shot=kit.zero_shot,
        tensors_digest=hashlib.sha256("".join(f"{name}\0{hashes[name]}\n" for name in sorted(hashes)).encode()).hexdigest(),
        graph="openvino",
        graph_note=_NOTE,
    )
    return hashes


class Runner:
    """The archive's model in OpenVINO, in float32. `rows`: of the table that words are looked up in; None where that cannot be seen."""

    def __init__(self, path: Path, label: str) -> None:
        from hubclient.engines.openvino import Compiled, inputs_of, open_core, read_model

        core = open_core("an archive with OpenVINO weights")
        model = read_model(core, path)
        self.label = label
        self.inputs = inputs_of(model)
        if "input_ids" not in self.inputs or len(model.inputs) != len(self.inputs) or set(self.inputs.values()) - {"i64"}:
            given = ", ".join(f"{port.get_any_name()} ({port.get_element_type().get_type_name()})" for port in model.inputs)
            raise UnsupportedModel("the model's inputs are not those of a BERT model", where=label, why=f"it has {given or 'none'}")
        self.rows = _rows(model)
        self._compiled = Compiled(core, model, streams=1, threads=1, precision="float32")

    def logits(self, feeds: Mapping[str, np.ndarray]) -> np.ndarray:
        try:
            return self._compiled.answer({name: feeds[name] for name in INPUTS if name in self.inputs})
        except RuntimeError as error:
            raise ModelError("OpenVINO cannot run the model", where=self.label, why=str(error)) from error


def _unpack(archive: Archive, job: Job) -> dict[str, str]:
    """Gives the SHA-256 of both files."""
    hashes = {}
    with (job.work / "weights.zip").open("w+b") as spool:
        inner = unpack(archive.members, archive.weights, spool, job.advance)
        files = openvino_files(inner)
        for member, name in ((files.graph, OPENVINO_GRAPH), (files.weights, OPENVINO_WEIGHTS)):
            with (job.staging / name).open("w+b") as file:
                copy(inner, member, file, job.advance)
                file.seek(0)
                hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes


def _longest(archive: Archive, job: Job) -> int:
    """Nothing in the model says it outright: what the archive says is tried out."""
    stated = job.overlay.max_length or archive.metadata.integer("maxSentenceLength")
    if stated is None or stated < 1:
        raise UnsupportedModel("nothing says how long a text may be", where=archive.members.label)
    return stated


def _rows(model: Any) -> int | None:
    """Of the constant that a Gather takes by the input's ids, converted or not."""
    for node in model.get_ops():
        if node.get_type_name() != "Gather" or _origin(node, 1).get_friendly_name() != "input_ids":
            continue
        table = _origin(node, 0)
        if table.get_type_name() == "Constant":
            return int(table.get_output_shape(0)[0])
    return None


def _origin(node: Any, place: int) -> Any:
    source = node.input_value(place).get_node()
    while source.get_type_name() in ("Convert", "Reshape"):
        source = source.input_value(0).get_node()
    return source
