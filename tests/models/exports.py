"""Tiny random checkpoints, exported by torch in its several ways, in archives as Spark NLP 5 writes them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx
import onnx.helper
import torch
from transformers import BertConfig, BertForSequenceClassification

from tests.archive.builders import map_feature, metadata, zipped

if TYPE_CHECKING:
    import numpy as np

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnop", *(f"##{letter}" for letter in "abcdefghijklmnop")]
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
TINY: dict[str, Any] = {
    "vocab_size": len(PIECES) + 3,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 32,
}


def checkpoint(attention: str = "eager", *, head: Any = None, **settings: Any) -> Any:
    """A model with random weights, biases too; `head` wraps it, if given."""
    torch.manual_seed(5)
    model: Any = BertForSequenceClassification(
        BertConfig(**(TINY | {"initializer_range": 0.4, "attn_implementation": attention} | settings))
    )
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    return (head or Logits)(model).eval()


class Logits(torch.nn.Module):
    def __init__(self, model: BertForSequenceClassification) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
        return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).logits


class MeanPooled(Logits):
    """A construction that no BERT has: the mean over all tokens."""

    def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
        hidden = self.model.bert(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).last_hidden_state
        weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return self.model.classifier((hidden * weights).sum(1) / weights.sum(1))


class Unmasked(Logits):
    """A model that does not heed the mask."""

    def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
        hidden = self.model.bert(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).last_hidden_state
        return self.model.classifier(hidden.mean(1))


class Named(torch.nn.Module):
    """The logits of any model that is asked with these inputs."""

    def __init__(self, model: Any, inputs: Sequence[str]) -> None:
        super().__init__()
        self.model = model
        self.inputs = tuple(inputs)

    def forward(self, *values: Any) -> Any:
        return self.model(**dict(zip(self.inputs, values, strict=True))).logits


def export(model: Any, path: Path, *, opset: int = 17, dynamo: bool = False, inputs: Sequence[str] = INPUTS, **options: Any) -> bytes:
    ids = torch.randint(5, TINY["vocab_size"], (2, 7))
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    names: Any = {"input_names": list(inputs), "output_names": ["logits"], "dynamo": dynamo, **options}
    if dynamo:
        axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")}
        names |= {"dynamic_shapes": _dynamic(model, inputs, axes), "external_data": False, "verbose": False}
    else:
        names |= {"dynamic_axes": {name: {0: "batch", 1: "tokens"} for name in inputs} | {"logits": {0: "batch"}}, "opset_version": opset}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, (ids, mask, torch.zeros_like(ids))[: len(inputs)], str(path), **names)
    return path.read_bytes()


def _dynamic(model: Any, inputs: Sequence[str], axes: Any) -> Any:
    """By the names of the arguments, or one after the other where these have none."""
    return (tuple([axes] * len(inputs)),) if isinstance(model, Named) else dict.fromkeys(inputs, axes)


def narrowed(data: bytes) -> bytes:
    """The model with int32 inputs."""
    model = onnx.load_from_string(data)
    for node in model.graph.node:
        node.input[:] = [f"{name}_long" if name in INPUTS else name for name in node.input]
    for item in model.graph.input:
        item.type.tensor_type.elem_type = onnx.TensorProto.INT32
        model.graph.node.insert(0, onnx.helper.make_node("Cast", [item.name], [f"{item.name}_long"], to=onnx.TensorProto.INT64))
    result: bytes = model.SerializeToString()
    return result


def archive(
    path: Path,
    model: bytes,
    labels: int,
    *,
    member: str = "model.onnx",
    pieces: list[str] = PIECES,
    params: Mapping[str, object] | None = None,
    weights: Mapping[str, bytes] | None = None,
    beside: Mapping[str, bytes] | None = None,
) -> Path:
    """`weights` are more files in the inner zip, `beside` files next to it."""
    members = {
        "metadata/part-00000": metadata(params={"engine": "onnx", "maxSentenceLength": 128, "caseSensitive": True} | dict(params or {})),
        "fields/labels/part-00000": map_feature([(f"label {index}", index) for index in range(labels)]),
        "fields/vocabulary/part-00000": map_feature([(piece, index) for index, piece in enumerate(pieces)]),
        "bert_classification_onnx": zipped({member: model, **(weights or {})}),
        **(beside or {}),
    }
    path.write_bytes(zipped(members))
    return path


def answer(model: Any, ids: list[int], types: list[int] | None = None) -> np.ndarray:
    """The logits of one text, of shape (1, labels)."""
    tensors = torch.tensor([[ids], [[1] * len(ids)], [types or [0] * len(ids)]])
    with torch.no_grad():
        logits: np.ndarray = model(*tensors).numpy()
    return logits
