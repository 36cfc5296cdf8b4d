"""DeBERTa-v2 and v3: recognised by their variables, read from TensorFlow or ONNX. The first DeBERTa is another architecture.

Names: transformers' TFDebertaV2ForSequenceClassification and DebertaV2ForSequenceClassification, and their siblings for tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from hubclient.models import deberta_graph, deberta_onnx, deberta_settings, deberta_tensorflow
from hubclient.models.builder import Slot
from hubclient.models.family import Head, Recipe

if TYPE_CHECKING:
    from hubclient.archive.graph import Dataflow
    from hubclient.archive.onnxmodel import Dataflow as OnnxDataflow

model_type = "deberta-v2"
title = "DebertaV2"
base = "deberta"
defaults = deberta_settings.DEFAULTS
relative = True
sizes = ("hidden_size", "intermediate_size", "num_attention_heads", "num_hidden_layers", "vocab_size", "max_position_embeddings")


def recognises(names: Iterable[str]) -> bool:
    return any("/deberta/encoder/layer" in (path := f"/{name}".replace(".", "/")) and "/query_proj/" in path for name in names)


def from_tensorflow(flow: Dataflow, shapes: Mapping[str, tuple[int, ...]], head: Head) -> Recipe:
    """`shapes` are those of the variables, by full name. Raises UnsupportedModel or InconsistentModel, naming what does not fit."""
    return deberta_tensorflow.read(flow, shapes, head)


def from_onnx(flow: OnnxDataflow, head: Head) -> Recipe:
    """Raises UnsupportedModel or InconsistentModel, naming what does not fit."""
    return deberta_onnx.read(flow, head)


def expected_shapes(config: Mapping[str, Any], labels: int) -> dict[str, tuple[int, ...]]:
    """Every tensor that the answer depends on with its shape, as these settings demand."""
    return deberta_settings.expected_shapes(deberta_settings.read(config), labels)


def output_bias(config: Mapping[str, Any]) -> str:
    return "classifier.bias"


def positions(config: Mapping[str, Any]) -> int | None:
    """None where positions count only as distances."""
    return deberta_settings.read(config).positions or None


def build_graph(config: Mapping[str, Any], layout: Mapping[str, Slot], weights_file: str) -> bytes:
    return deberta_graph.build(deberta_settings.read(config), layout, weights_file)
