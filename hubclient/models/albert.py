"""ALBERT: BERT whose layers share their weights, on embeddings of a width of their own.

Source: transformers/models/albert/{configuration,modeling,modeling_tf}_albert.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hubclient.errors import UnsupportedModel
from hubclient.models import albert_onnx, albert_tensorflow
from hubclient.models.albert_sharing import MOST_LAYERS, AlbertAnatomy, Sharing
from hubclient.models.builder import GraphBuilder, Slot
from hubclient.models.encoder_anatomy import HeadNames, LayerNames, tensor_shapes
from hubclient.models.encoder_family import BERT_KEYS, EncoderFamily
from hubclient.models.encoder_graph import EncoderGraph
from hubclient.models.encoder_reading import Reading
from hubclient.models.family import Head, Recipe
from hubclient.models.naming import count_layers

if TYPE_CHECKING:
    from hubclient.archive.graph import Dataflow
    from hubclient.archive.onnxmodel import Dataflow as OnnxDataflow

_TURNS, _GROUPS, _INNER = "num_hidden_layers", "num_hidden_groups", "inner_group_num"


class AlbertGraph(EncoderGraph):
    def _embeddings(self) -> str:
        rows, settings = super()._embeddings(), self.settings
        return self.graph.linear(rows, self.anatomy.projection) if settings.embedded == settings.hidden else rows


@dataclass(frozen=True)
class AlbertFamily(EncoderFamily):
    anatomy: AlbertAnatomy

    @property
    def sizes(self) -> tuple[str, ...]:
        return (*super().sizes, _GROUPS, _INNER)

    def from_tensorflow(self, flow: Dataflow, shapes: Mapping[str, tuple[int, ...]], head: Head) -> Recipe:
        return self._recipe(albert_tensorflow.read(self.anatomy, flow, shapes, head), shapes, head)

    def from_onnx(self, flow: OnnxDataflow, head: Head) -> Recipe:
        return self._recipe(albert_onnx.read(self.anatomy, flow, head), flow.shapes, head)

    def expected_shapes(self, config: Mapping[str, Any], labels: int) -> dict[str, tuple[int, ...]]:
        anatomy, settings = self._shared(config), self.settings(config)
        shapes = tensor_shapes(anatomy, replace(settings, layers=len(anatomy.order)), labels)
        projection = {
            f"{anatomy.projection}.weight": (settings.hidden, settings.embedded),
            f"{anatomy.projection}.bias": (settings.hidden,),
        }
        return {**shapes, **projection}

    def build_graph(self, config: Mapping[str, Any], layout: Mapping[str, Slot], weights_file: str) -> bytes:
        self.check_config(config)
        anatomy = self._shared(config)
        settings = replace(self.settings(config), layers=len(anatomy.order))
        return AlbertGraph(anatomy, settings, GraphBuilder(layout, weights_file)).build()

    def _shared(self, config: Mapping[str, Any]) -> AlbertAnatomy:
        """With the layers that are applied."""
        sharing = Sharing(config[_TURNS], config[_GROUPS], config[_INNER])
        if sharing.turns * sharing.inner > MOST_LAYERS:
            raise UnsupportedModel(f"a model of {sharing.turns} x {sharing.inner} layers is not supported")
        return replace(self.anatomy, order=sharing.order)

    def _more(self, reading: Reading, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
        groups = f"{self.anatomy.base}.{self.anatomy.layers}"
        inner = count_layers(reading.tensors, f"{groups}.0.albert_layers")
        return {_TURNS: reading.layers // inner, _GROUPS: count_layers(reading.tensors, groups), _INNER: inner}


ALBERT = AlbertFamily(
    model_type="albert",
    title="Albert",
    anatomy=AlbertAnatomy(
        base="albert",
        head=HeadNames("albert.pooler", "tanh", "classifier"),
        layers="encoder.albert_layer_groups",
        layer=LayerNames(
            query="attention.query",
            key="attention.key",
            value="attention.value",
            joined="attention.dense",
            attended="attention.LayerNorm",
            inner="ffn",
            outer="ffn_output",
            output="full_layer_layer_norm",
        ),
    ),
    keys={**BERT_KEYS, "embedded": "embedding_size"},
    defaults={
        "vocab_size": 30000,
        "embedding_size": 128,
        "hidden_size": 4096,
        _TURNS: 12,
        _GROUPS: 1,
        _INNER: 1,
        "num_attention_heads": 64,
        "intermediate_size": 16384,
        "hidden_act": "gelu_new",
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
    },
)
