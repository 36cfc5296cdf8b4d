"""DistilBERT: BERT without token types and without a pooler. Its layer norms' epsilon is in no setting.

Sinusoidal positions are stored as any others are.

Source: transformers/models/distilbert/{configuration,modeling,modeling_tf}_distilbert.py.
"""

from __future__ import annotations

from hubclient.models.encoder_anatomy import Anatomy, HeadNames, LayerNames
from hubclient.models.encoder_family import EncoderFamily

DISTILBERT = EncoderFamily(
    model_type="distilbert",
    title="DistilBert",
    anatomy=Anatomy(
        base="distilbert",
        head=HeadNames("pre_classifier", "relu", "classifier"),
        layers="transformer.layer",
        layer=LayerNames(
            query="attention.q_lin",
            key="attention.k_lin",
            value="attention.v_lin",
            joined="attention.out_lin",
            attended="sa_layer_norm",
            inner="ffn.lin1",
            outer="ffn.lin2",
            output="output_layer_norm",
        ),
        typed=False,
        asks_types=False,
    ),
    keys={
        "vocabulary": "vocab_size",
        "positions": "max_position_embeddings",
        "hidden": "dim",
        "inner": "hidden_dim",
        "layers": "n_layers",
        "heads": "n_heads",
        "function": "activation",
    },
    fixed={"types": 0, "epsilon": 1e-12},
    plain={},
    aliases={"hidden_size": "dim", "num_attention_heads": "n_heads", "num_hidden_layers": "n_layers"},
    defaults={
        "vocab_size": 30522,
        "dim": 768,
        "hidden_dim": 3072,
        "n_layers": 6,
        "n_heads": 12,
        "activation": "gelu",
        "max_position_embeddings": 512,
    },
)
