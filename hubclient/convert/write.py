"""Writing the native form into a staging folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubclient.errors import InconsistentModel
from hubclient.native import CONFIG, GRAPH, MANIFEST, TOKENIZER, TOKENIZER_CONFIG, WEIGHTS, Facts, Manifest, ZeroShotFacts, write_json

if TYPE_CHECKING:
    from hubclient.convert.job import Job
    from hubclient.models.family import Family
    from hubclient.models.tokenizer import TokenizerFiles
    from hubclient.tensors import WeightsFile


def write_graph(staging: Path, family: Family, config: Mapping[str, Any], weights: WeightsFile) -> None:
    (staging / GRAPH).write_bytes(family.build_graph(config, weights.layout, WEIGHTS))


def write_tokenizer(staging: Path, files: TokenizerFiles) -> None:
    (staging / TOKENIZER).write_text(files.tokenizer_json, encoding="utf-8")
    write_json(staging / TOKENIZER_CONFIG, files.config)


def write_config(staging: Path, config: Mapping[str, Any], labels: tuple[str, ...], facts: Facts, pad_token_id: int) -> None:
    """config.json of a model that had none, with what transformers' own pipeline needs to answer alike.

    `pad_token_id` is the tokenizer's; where positions are counted from it, the graph has one itself, and that counts.
    """
    write_json(
        staging / CONFIG,
        {
            "pad_token_id": pad_token_id,
            **config,
            "dtype": "float32",
            "problem_type": problem_type(facts.activation.value, len(labels)),
            "id2label": {str(index): label for index, label in enumerate(labels)},
            "label2id": {label: index for index, label in enumerate(labels)},
        },
    )


def write_manifest(
    job: Job,
    *,
    annotator: str | None,
    architecture: str,
    labels: tuple[str, ...],
    labels_source: str,
    positions: int | None,
    facts: Facts,
    tensors_digest: str,
    graph: str = "built",
    graph_note: str | None = None,
    zero_shot: ZeroShotFacts | None = None,
) -> None:
    if len(set(labels)) != len(labels):
        raise InconsistentModel("two classes have the same label", where=labels_source, why=", ".join(labels))
    manifest = Manifest(
        name=job.identity.name,
        language=job.identity.language,
        lib_version=job.identity.lib_version,
        spark_version=job.identity.spark_version,
        annotator=annotator,
        architecture=architecture,
        origin=job.origin,
        tensors_digest=tensors_digest,
        labels=labels,
        labels_source=labels_source,
        positions=positions,
        facts=facts,
        overlay=job.overlay.to_dict(),
        graph=graph,
        graph_note=graph_note,
        zero_shot=zero_shot,
    )
    write_json(job.staging / MANIFEST, manifest.to_dict())


def problem_type(activation: str, labels: int) -> str | None:
    """By which transformers' pipeline answers with this activation."""
    if activation == "none":
        return "regression"
    if labels == 1:
        return None
    return "multi_label_classification" if activation == "sigmoid" else "single_label_classification"
