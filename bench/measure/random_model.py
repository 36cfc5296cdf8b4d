"""BERT of any size with random weights: a Hugging Face folder, for what depends on the size alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

SIZES = {
    "base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072},
    "large": {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096},
}
_POSITIONS = 512


def random_bert(size: str, tokenizer_of: Path, folder: Path) -> Path:
    """The tokenizer is that of another native folder."""
    from hubclient.models import FAMILIES
    from hubclient.tensors import LazyTensor, write_weights

    folder.mkdir(parents=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer_of / name, folder / name)
    words = len(json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"])
    config = {
        "model_type": "bert",
        "architectures": ["BertForSequenceClassification"],
        "vocab_size": words,
        "max_position_embeddings": _POSITIONS,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
        "hidden_act": "gelu",
        "id2label": {"0": "neg", "1": "pos"},
        "label2id": {"neg": 0, "pos": 1},
        **SIZES[size],
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    shapes = FAMILIES["bert"].expected_shapes(config, 2)
    write_weights(folder / "model.safetensors", {name: LazyTensor(shape, _drawn(name, shape)) for name, shape in shapes.items()})
    return folder


def _drawn(name: str, shape: tuple[int, ...]) -> Any:
    """Normalisation as it is before training, and small weights, as transformers draws them."""
    import numpy as np

    def draw() -> np.ndarray:
        if "LayerNorm" in name:
            return np.full(shape, 1 if name.endswith("weight") else 0, np.float32)
        return 0.02 * np.random.default_rng(len(name)).standard_normal(shape, dtype=np.float32)

    return draw
