"""ELECTRA: BERT whose embeddings may be narrower than its layers, with a head of its own.

The head's activation is gelu, whatever config.json says of the layers'.

Source: transformers/models/electra/{configuration,modeling,modeling_tf}_electra.py.
"""

from __future__ import annotations

from hubclient.models.encoder_anatomy import Anatomy, HeadNames
from hubclient.models.encoder_family import BERT_KEYS, EncoderFamily

ELECTRA = EncoderFamily(
    model_type="electra",
    title="Electra",
    anatomy=Anatomy("electra", HeadNames("classifier.dense", "gelu", "classifier.out_proj")),
    keys={**BERT_KEYS, "embedded": "embedding_size"},
    defaults={
        "vocab_size": 30522,
        "embedding_size": 128,
        "hidden_size": 256,
        "num_hidden_layers": 12,
        "num_attention_heads": 4,
        "intermediate_size": 1024,
        "hidden_act": "gelu",
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
    },
)
