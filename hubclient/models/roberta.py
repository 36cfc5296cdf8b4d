"""RoBERTa, and XLM-RoBERTa and CamemBERT, which are RoBERTa with other tokenizers.

Positions are counted from the padding's id on, and padding is not counted: the first token of a text has the position `pad_token_id + 1`.
There is no second kind of token: every token takes the first row of the table of types.

Source: transformers/models/roberta/{configuration,modeling,modeling_tf}_roberta.py, create_position_ids_from_input_ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubclient.models.encoder_anatomy import Anatomy, HeadNames
from hubclient.models.encoder_family import BERT_KEYS, EncoderFamily

_ANATOMY = Anatomy("roberta", HeadNames("classifier.dense", "tanh", "classifier.out_proj"), asks_types=False)
_KEYS = {**BERT_KEYS, "pad": "pad_token_id"}
_DEFAULTS: Mapping[str, Any] = {
    "vocab_size": 50265,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "hidden_act": "gelu",
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "pad_token_id": 1,
}

ROBERTA = EncoderFamily("roberta", "Roberta", _ANATOMY, _DEFAULTS, _KEYS)
XLM_ROBERTA = EncoderFamily("xlm-roberta", "XLMRoberta", _ANATOMY, {**_DEFAULTS, "vocab_size": 30522}, _KEYS)
CAMEMBERT = EncoderFamily("camembert", "Camembert", _ANATOMY, {**_DEFAULTS, "vocab_size": 30522}, _KEYS)
