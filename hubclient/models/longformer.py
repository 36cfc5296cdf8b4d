"""Longformer: RoBERTa with attention to a window of tokens, and other projections for the attention of the first token.

Positions are counted as in RoBERTa, and every token takes the first row of the table of types. A text's head takes its first token, which
heeds all others and is heeded by all; where each token has an answer, all attention is to the window.

Source: transformers/models/longformer/{configuration,modeling,modeling_tf}_longformer.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models import longformer_graph, longformer_tensorflow
from hubclient.models.builder import GraphBuilder, Slot
from hubclient.models.encoder_anatomy import Anatomy, HeadNames
from hubclient.models.encoder_family import BERT_KEYS, EncoderFamily
from hubclient.models.family import Head, Recipe
from hubclient.models.longformer_tensorflow import WindowReading

if TYPE_CHECKING:
    from hubclient.archive.graph import Dataflow
    from hubclient.archive.onnxmodel import Dataflow as OnnxDataflow
    from hubclient.models.encoder_reading import Reading

_WINDOW = "attention_window"
_WIDEST = 1 << 31


class LongformerFamily(EncoderFamily):
    def from_tensorflow(self, flow: Dataflow, shapes: Mapping[str, tuple[int, ...]], head: Head) -> Recipe:
        return self._recipe(longformer_tensorflow.read(self.anatomy, flow, shapes, head), shapes, head)

    def from_onnx(self, flow: OnnxDataflow, head: Head) -> Recipe:
        raise UnsupportedModel("Longformer is not read from ONNX", why="Spark NLP stores it with TensorFlow alone")

    def expected_shapes(self, config: Mapping[str, Any], labels: int) -> dict[str, tuple[int, ...]]:
        shapes, hidden = super().expected_shapes(config, labels), config["hidden_size"]
        for layer in range(config["num_hidden_layers"]):
            for part in longformer_graph.GLOBAL.values():
                name = self.anatomy.part(layer, part)
                shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (hidden, hidden), (hidden,)
        return shapes

    def build_graph(self, config: Mapping[str, Any], layout: Mapping[str, Slot], weights_file: str) -> bytes:
        self.check_config(config)
        graph, settings = GraphBuilder(layout, weights_file), self.settings(config)
        return longformer_graph.LongformerGraph(self.anatomy, settings, graph, _windows(config)).build()

    def check_config(self, config: Mapping[str, Any]) -> None:
        super().check_config(config)
        windows = _windows(config)
        if len(windows) != config["num_hidden_layers"] or not all(type(window) is int and 0 < window <= _WIDEST for window in windows):
            raise InconsistentModel(f"{_WINDOW} is {config[_WINDOW]!r}, and must be a number above 0, or one for each layer")
        if any(window % 2 for window in windows):
            raise InconsistentModel(f"{_WINDOW} is {config[_WINDOW]!r}, and must be even: half of it lies on each side")

    def _more(self, reading: Reading, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
        return {_WINDOW: list(reading.windows)} if isinstance(reading, WindowReading) else {}


def _windows(config: Mapping[str, Any]) -> list[Any]:
    """One for each layer."""
    stated = config[_WINDOW]
    return list(stated) if isinstance(stated, list) else [stated] * config["num_hidden_layers"]


LONGFORMER = LongformerFamily(
    model_type="longformer",
    relative=True,
    title="Longformer",
    anatomy=Anatomy("longformer", HeadNames("classifier.dense", "tanh", "classifier.out_proj"), asks_types=False),
    keys={**BERT_KEYS, "pad": "pad_token_id"},
    defaults={
        "vocab_size": 30522,
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "hidden_act": "gelu",
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
        "pad_token_id": 1,
        _WINDOW: 512,
    },
)
