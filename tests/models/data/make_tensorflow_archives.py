"""Makes the unusual TensorFlow archives beside this file, with TensorFlow's own answers.

    pip install tensorflow-cpu==2.15.1 transformers==4.40.2 "numpy<2" google-crc32c
    python -m tests.models.data.make_tensorflow_archives

Each holds a random model in the form that Spark NLP 3.x gives to a SavedModel: a bare GraphDef, a tensor bundle, feature maps.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.archive.builders import map_feature, metadata, zipped

HERE = Path(__file__).parent
SENTENCE = "the a an film movie good bad ##s ##ing ##ed was is it that really liked awful plot made no sense at all ##ly I The"
WORDS = SENTENCE.split()
TEXTS = ["I really liked that movie!", "The plot made no sense at all.", "", "good films", "é ß [SEP] İstanbul 日本", "a " * 80]
CASES: dict[str, dict[str, Any]] = {
    # One head, an odd width, Keras' fused layer norm (epsilon above 1.001e-5), few positions, many labels with odd characters.
    "one_head_relu": {
        "config": {
            "hidden_size": 20,
            "num_attention_heads": 1,
            "num_hidden_layers": 1,
            "intermediate_size": 28,
            "hidden_act": "relu",
            "layer_norm_eps": 1e-3,
            "max_position_embeddings": 40,
        },
        "labels": ["a, b", 'say "c"', "", " d ", "no", "True", "é", *(f"label {index}" for index in range(20))],
        "params": {"maxSentenceLength": 512, "caseSensitive": True},
    },
    "five_heads_gelu_fast": {
        "config": {
            "hidden_size": 40,
            "num_attention_heads": 5,
            "num_hidden_layers": 3,
            "intermediate_size": 36,
            "hidden_act": "gelu_fast",
            "layer_norm_eps": 1e-5,
            "max_position_embeddings": 300,
            "type_vocab_size": 1,
        },
        "labels": ["score"],
        "params": {"maxSentenceLength": 30, "caseSensitive": False},
    },
    "three_heads_silu": {
        "config": {
            "hidden_size": 24,
            "num_attention_heads": 3,
            "num_hidden_layers": 2,
            "intermediate_size": 50,
            "hidden_act": "silu",
            "layer_norm_eps": 1e-7,
            "max_position_embeddings": 64,
        },
        "labels": ["x", "y", "z"],
        "params": {"maxSentenceLength": 64, "caseSensitive": True, "multilabel": True, "threshold": 0.3},
    },
    "two_heads_quick_gelu": {
        "config": {
            "hidden_size": 16,
            "num_attention_heads": 2,
            "num_hidden_layers": 2,
            "intermediate_size": 16,
            "hidden_act": "quick_gelu",
            "layer_norm_eps": 1e-12,
            "max_position_embeddings": 64,
        },
        "labels": ["x", "y"],
        "params": {"maxSentenceLength": 64, "caseSensitive": False, "activation": "none"},
    },
}


def vocabulary(lowercase: bool) -> dict[str, int]:
    letters = [*"abcdefghijklmnopqrstuvwxyz.,!?"] + ([] if lowercase else [*"ABCDEFGHIJKLMNOPQRSTUVWXYZ"])
    words = [word for word in WORDS if not lowercase or word == word.lower()]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters), *words]
    return {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}


def make(name: str, config: dict[str, Any], labels: list[str], params: dict[str, Any]) -> None:
    import numpy as np
    import tensorflow as tf
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
    from transformers import BertConfig, BertTokenizer, TFBertForSequenceClassification

    pieces = vocabulary(not params["caseSensitive"])
    tf.random.set_seed(sum(name.encode()))
    settings = BertConfig(vocab_size=len(pieces) + 3, num_labels=len(labels), initializer_range=0.3, **config)
    model = TFBertForSequenceClassification(settings)

    @tf.function(
        input_signature=[tf.TensorSpec((None, None), tf.int32, name=part) for part in ("input_ids", "attention_mask", "token_type_ids")]
    )
    def serving(input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
        return {"logits": model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).logits}

    model(model.dummy_inputs)
    for variable in model.variables:
        if variable.shape.rank == 1:
            variable.assign(variable + tf.random.normal(variable.shape, stddev=0.2))
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(model, folder, signatures=serving)
        saved = SavedModel.FromString(Path(folder, "saved_model.pb").read_bytes()).meta_graphs[0]
        weights = {
            "saved_model.pb": saved.graph_def.SerializeToString(),
            **{path.name: path.read_bytes() for path in Path(folder, "variables").iterdir()},
        }
        Path(folder, "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
        tokenizer = BertTokenizer(str(Path(folder, "vocab.txt")), do_lower_case=not params["caseSensitive"])
    output = saved.signature_def["serving_default"].outputs["logits"].name
    members = {
        "metadata/part-00000": metadata(params=params),
        "fields/labels/part-00000": map_feature([(label, index) for index, label in enumerate(labels)]),
        "fields/vocabulary/part-00000": map_feature(list(pieces.items())),
        "fields/signatures/part-00000": map_feature([("logits", output), ("input_ids", "serving_default_input_ids:0")]),
        "bert_classification_tensorflow": zipped(weights),
    }
    (HERE / f"{name}.zip").write_bytes(zipped(members))
    length = min(params["maxSentenceLength"], settings.max_position_embeddings)
    rows = []
    for text in TEXTS:
        ids = tokenizer(text, truncation=True, max_length=length)["input_ids"]
        one = np.array([ids], dtype=np.int32)
        logits = model(input_ids=one, attention_mask=np.ones_like(one), token_type_ids=np.zeros_like(one)).logits
        rows.append({"text": text, "input_ids": ids, "logits": [round(float(value), 6) for value in logits[0]]})
    head = {"labels": labels, "max_length": length, "tensorflow": tf.__version__}
    (HERE / f"{name}.golden.jsonl").write_text("".join(json.dumps(row) + "\n" for row in (head, *rows)), encoding="utf-8")


if __name__ == "__main__":
    for case, facts in CASES.items():
        make(case, **facts)
