"""MPNet: BERT without token types, whose layers all add one table of values by distance to their scores.

Whatever config.json says, distances are put into 32 buckets; the table may have more rows, which are never looked up. Positions are counted
without the id 1, whatever the tokenizer fills up with.

TensorFlow's model reckons buckets in float64, where log(8) / log(16) * 8 is below 6: another model on texts of more than 64 tokens.

Source: transformers/models/mpnet/{configuration,modeling,modeling_tf}_mpnet.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hubclient.archive.onnxtensor import FLOAT
from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models import encoder_onnx, mpnet_graph
from hubclient.models.builder import GraphBuilder, Slot
from hubclient.models.encoder_anatomy import Anatomy, HeadNames, LayerNames
from hubclient.models.encoder_family import BERT_KEYS, EncoderFamily, side_of
from hubclient.models.encoder_reading import Reading
from hubclient.models.family import Head, Recipe, TensorSource

if TYPE_CHECKING:
    from hubclient.archive.graph import Dataflow
    from hubclient.archive.onnxmodel import Dataflow as OnnxDataflow

_ROWS = "relative_attention_num_buckets"


class MPNetFamily(EncoderFamily):
    @property
    def sizes(self) -> tuple[str, ...]:
        return (*super().sizes, _ROWS)

    def from_tensorflow(self, flow: Dataflow, shapes: Mapping[str, tuple[int, ...]], head: Head) -> Recipe:
        raise UnsupportedModel(
            "MPNet with TensorFlow weights is not supported", why="TensorFlow puts a distance of 64 into another bucket than PyTorch"
        )

    def from_onnx(self, flow: OnnxDataflow, head: Head) -> Recipe:
        reading = encoder_onnx.read(self.anatomy, flow, head)
        tensors = {**reading.tensors, mpnet_graph.DISTANCES: _distances(flow, reading)}
        return self._recipe(replace(reading, tensors=tensors), flow.shapes, head)

    def expected_shapes(self, config: Mapping[str, Any], labels: int) -> dict[str, tuple[int, ...]]:
        return {**super().expected_shapes(config, labels), mpnet_graph.DISTANCES: (config[_ROWS], config["num_attention_heads"])}

    def build_graph(self, config: Mapping[str, Any], layout: Mapping[str, Slot], weights_file: str) -> bytes:
        self.check_config(config)
        return mpnet_graph.MPNetGraph(self.anatomy, self.settings(config), GraphBuilder(layout, weights_file)).build()

    def check_config(self, config: Mapping[str, Any]) -> None:
        super().check_config(config)
        if config[_ROWS] < mpnet_graph.BUCKETS:
            raise InconsistentModel(f"{_ROWS} is {config[_ROWS]}, and MPNet looks up {mpnet_graph.BUCKETS}")

    def _more(self, reading: Reading, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
        return {_ROWS: side_of(reading, shapes, mpnet_graph.DISTANCES, 0)}


def _distances(flow: OnnxDataflow, reading: Reading) -> TensorSource:
    """The table that is looked up with what is no input: it has a column for each head."""
    known = {source.key for source in reading.tensors.values()}
    tables = {node.inputs[0] for node in flow.nodes if node.op == "Gather" and node.inputs[0].tensor}
    found = [
        table.name
        for table in tables
        if table.tensor and table.tensor.data_type == FLOAT and len(table.tensor.dims) == 2 and table.name not in known
    ]
    if len(found) != 1:
        raise UnsupportedModel(f"the graph has {len(found)} tables by distance, where one was expected")
    return TensorSource(found[0])


MPNET = MPNetFamily(
    model_type="mpnet",
    relative=True,
    title="MPNet",
    anatomy=Anatomy(
        base="mpnet",
        head=HeadNames("classifier.dense", "tanh", "classifier.out_proj"),
        layer=LayerNames(
            query="attention.attn.q",
            key="attention.attn.k",
            value="attention.attn.v",
            joined="attention.attn.o",
            attended="attention.LayerNorm",
        ),
        typed=False,
        asks_types=False,
    ),
    keys={name: key for name, key in BERT_KEYS.items() if name != "types"},
    fixed={"types": 0, "pad": 1},
    plain={"is_decoder": False},
    defaults={
        "vocab_size": 30527,
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "hidden_act": "gelu",
        "max_position_embeddings": 512,
        "layer_norm_eps": 1e-12,
        _ROWS: 32,
        "pad_token_id": 1,
    },
)
