"""Makes the unusual TensorFlow graphs beside this file (`graphs_*.zip`), with TensorFlow's own answers.

    pip install tensorflow-cpu==2.15.1 transformers==4.40.2 "numpy<2"
    python -m tests.models.data.make_tensorflow_graphs [CASE …]

Each zip is what an archive's weights are: a bare GraphDef and a tensor bundle; `golden.json` tells the settings that the model was made
with, and its logits for some token ids.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
UNTYPED = ("Roberta", "XLMRoberta", "Camembert", "Longformer")  # whose tokenizers give no token types
XLNET: dict[str, Any] = {"vocab_size": 40, "d_model": 12, "n_layer": 1, "n_head": 2, "d_inner": 8}
LONGFORMER: dict[str, Any] = {
    "vocab_size": 40,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 90,
    "pad_token_id": 1,
}
BERT: dict[str, Any] = {
    "vocab_size": 40,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 90,
    "type_vocab_size": 3,
}
ROBERTA: dict[str, Any] = {**BERT, "type_vocab_size": 1}
DISTILBERT: dict[str, Any] = {"vocab_size": 40, "dim": 12, "n_layers": 2, "n_heads": 2, "hidden_dim": 8, "max_position_embeddings": 80}
MPNET: dict[str, Any] = {key: value for key, value in BERT.items() if key != "type_vocab_size"}
ALBERT: dict[str, Any] = {**BERT, "embedding_size": 7}
DEBERTA: dict[str, Any] = {
    **BERT,
    "type_vocab_size": 0,
    "relative_attention": True,
    "position_biased_input": False,
    "share_att_key": True,
    "position_buckets": 8,
    "norm_rel_ebd": "layer_norm",
    "pos_att_type": ["p2c", "c2p"],
}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "albert_groups": (
        "AlbertForSequenceClassification",
        {
            **ALBERT,
            "num_hidden_layers": 5,
            "num_hidden_groups": 2,
            "inner_group_num": 2,
            "num_attention_heads": 3,
            "hidden_act": "silu",
            "layer_norm_eps": 1e-3,
            "num_labels": 4,
        },
    ),
    "albert_one_head": (
        "AlbertForSequenceClassification",
        {**ALBERT, "embedding_size": 12, "num_attention_heads": 1, "hidden_act": "relu", "num_labels": 1},
    ),
    "albert_tokens": ("AlbertForTokenClassification", {**ALBERT, "num_hidden_layers": 4, "num_hidden_groups": 3, "num_labels": 3}),
    "mpnet_tokens": ("MPNetForTokenClassification", {**MPNET, "num_attention_heads": 1, "num_hidden_layers": 1, "num_labels": 3}),
    "deberta_one_head": (
        "DebertaV2ForSequenceClassification",
        {**DEBERTA, "num_attention_heads": 1, "hidden_act": "relu", "layer_norm_eps": 1e-3, "embedding_size": 7, "num_labels": 4},
    ),
    "deberta_own_projections": (
        "DebertaV2ForSequenceClassification",
        {
            **DEBERTA,
            "num_attention_heads": 3,
            "share_att_key": False,
            "position_buckets": -1,
            "max_relative_positions": 20,
            "norm_rel_ebd": "none",
            "position_biased_input": True,
            "type_vocab_size": 3,
            "pooler_hidden_act": "tanh",
            "num_labels": 1,
        },
    ),
    "deberta_mixing": (
        "DebertaV2ForSequenceClassification",
        {**DEBERTA, "pos_att_type": ["c2p"], "conv_kernel_size": 3, "conv_act": "gelu", "hidden_act": "gelu_new", "num_labels": 3},
    ),
    "deberta_not_relative": (
        "DebertaV2ForSequenceClassification",
        {**BERT, "relative_attention": False, "num_attention_heads": 3, "hidden_act": "silu", "num_labels": 3},
    ),
    "deberta_tokens": (
        "DebertaV2ForTokenClassification",
        {**DEBERTA, "pos_att_type": ["p2c"], "position_buckets": 32, "max_relative_positions": 80, "num_hidden_layers": 1, "num_labels": 3},
    ),
    "bert_tokens": ("BertForTokenClassification", {**BERT, "num_attention_heads": 3, "hidden_act": "silu", "num_labels": 5}),
    "roberta_one_head": (
        "RobertaForSequenceClassification",
        {**ROBERTA, "hidden_size": 15, "num_attention_heads": 1, "hidden_act": "relu", "layer_norm_eps": 1e-3, "num_labels": 7},
    ),
    "roberta_other_padding": (
        "RobertaForSequenceClassification",
        {**ROBERTA, "hidden_size": 20, "num_attention_heads": 5, "pad_token_id": 7, "type_vocab_size": 2, "num_labels": 1},
    ),
    "xlm_roberta_tokens": (
        "XLMRobertaForTokenClassification",
        {**ROBERTA, "num_attention_heads": 3, "hidden_act": "gelu_new", "num_labels": 4},
    ),
    "electra_narrow": (
        "ElectraForSequenceClassification",
        {**BERT, "embedding_size": 6, "num_attention_heads": 3, "hidden_act": "relu", "layer_norm_eps": 1e-5, "num_labels": 3},
    ),
    "electra_tokens": ("ElectraForTokenClassification", {**BERT, "embedding_size": 12, "num_attention_heads": 4, "num_labels": 4}),
    "distilbert_five_heads": (
        "DistilBertForSequenceClassification",
        {**DISTILBERT, "dim": 35, "n_heads": 5, "hidden_dim": 9, "activation": "gelu_new", "sinusoidal_pos_embds": True, "num_labels": 6},
    ),
    "distilbert_tokens": ("DistilBertForTokenClassification", {**DISTILBERT, "n_heads": 1, "activation": "relu", "num_labels": 4}),
    "longformer_one_head": (
        "LongformerForSequenceClassification",
        {
            **LONGFORMER,
            "num_attention_heads": 1,
            "hidden_act": "relu",
            "layer_norm_eps": 1e-3,
            "attention_window": [4, 8],
            "num_labels": 7,
        },
    ),
    "longformer_five_heads": (
        "LongformerForSequenceClassification",
        {
            **LONGFORMER,
            "hidden_size": 35,
            "num_attention_heads": 5,
            "num_hidden_layers": 1,
            "attention_window": [12],
            "type_vocab_size": 1,
            "num_labels": 1,
        },
    ),
    "longformer_tokens": (
        "LongformerForTokenClassification",
        {**LONGFORMER, "hidden_act": "gelu_new", "attention_window": [8, 8], "num_labels": 3},
    ),
    "xlnet_one_head": ("XLNetForSequenceClassification", {**XLNET, "n_head": 1, "ff_activation": "relu", "layer_norm_eps": 1e-3}),
    "xlnet_first": (
        "XLNetForSequenceClassification",
        {**XLNET, "n_head": 3, "n_layer": 2, "summary_type": "first", "clamp_len": 4, "num_labels": 1, "ff_activation": "silu"},
    ),
    "xlnet_mean": (
        "XLNetForSequenceClassification",
        {**XLNET, "summary_type": "mean", "summary_use_proj": False, "summary_activation": "gelu", "num_labels": 5},
    ),
    "xlnet_causal": ("XLNetForSequenceClassification", {**XLNET, "attn_type": "uni", "summary_type": "cls_index", "mem_len": None}),
    "xlnet_causal_alone": (
        "XLNetForSequenceClassification",
        {**XLNET, "attn_type": "uni", "same_length": True, "ff_activation": "gelu_new"},
    ),
    "xlnet_tokens": ("XLNetForTokenClassification", {**XLNET, "num_labels": 3}),
}


def make(name: str, kind: str, settings: dict[str, Any]) -> None:
    import numpy as np
    import tensorflow as tf
    import transformers
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    tf.keras.backend.clear_session()
    tf.random.set_seed(sum(name.encode()))
    config = getattr(transformers, f"{kind.partition('For')[0]}Config")(initializer_range=0.4, **settings)
    model = getattr(transformers, f"TF{kind}")(config)
    typed = kind.startswith("XLNet") or ("token_type_ids" in model.dummy_inputs and not kind.startswith(UNTYPED))
    inputs = INPUTS if typed else INPUTS[:2]
    model(model.dummy_inputs)
    for variable in model.variables:
        variable.assign_add(tf.random.normal(variable.shape, stddev=0.2))

    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.int32, name=part) for part in inputs])
    def serving(*values: Any) -> Any:
        return {"logits": model(dict(zip(inputs, values, strict=True))).logits}

    holder = tf.Module()
    holder.kept = model.variables
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(holder, folder, signatures=serving)
        saved = SavedModel.FromString(Path(folder, "saved_model.pb").read_bytes()).meta_graphs[0]
        members = {"saved_model.pb": saved.graph_def.SerializeToString()}
        members |= {path.name: path.read_bytes() for path in Path(folder, "variables").iterdir()}
    random = np.random.default_rng(3)
    rows = []
    for length in (1, 2, 9, 33, 70):
        ids = random.integers(2, settings["vocab_size"], (1, length)).astype(np.int32)
        types = (np.arange(length)[None] * 3 // length).astype(np.int32) if len(inputs) == 3 else np.zeros_like(ids)
        logits = serving(*(tf.constant(part) for part in (ids, np.ones_like(ids), types)[: len(inputs)]))["logits"].numpy()
        rows.append(
            {"input_ids": ids[0].tolist(), "token_type_ids": types[0].tolist(), "logits": logits[0].astype(float).round(6).tolist()}
        )
    output = saved.signature_def["serving_default"].outputs["logits"].name
    golden = {"class": kind, "settings": settings, "tensorflow": tf.__version__, "logits": output, "rows": rows}
    members["golden.json"] = json.dumps(golden).encode()
    (HERE / f"graphs_{name}.zip").write_bytes(zipped(members))


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(members.items()):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


if __name__ == "__main__":
    for case in sys.argv[1:] or CASES:
        make(case, *CASES[case])
