"""BERT. Source: transformers/models/bert/{configuration,modeling,modeling_tf}_bert.py."""

from __future__ import annotations

from hubclient.models.encoder_anatomy import Anatomy, HeadNames
from hubclient.models.encoder_family import EncoderFamily

BERT = EncoderFamily(
    model_type="bert",
    title="Bert",
    anatomy=Anatomy("bert", HeadNames("bert.pooler.dense", "tanh", "classifier")),
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
    },
)
