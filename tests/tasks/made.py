"""Repositories made here: BERT with random weights, and a vocabulary of letters and a few words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

WORDS = ["this", "example", "is", "good", "bad", "film", "phone", ".", ",", "'", "-"]
PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    *WORDS,
    *"abcdefghijklmnopqrstuvwxyz",
    *(f"##{x}" for x in "abcdefghijklmnopqrstuvwxyz"),
]
NLI = ("entailment", "neutral", "contradiction")
TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG")
POSITIONS = 64
MAX_LENGTH = 32


def save_model(folder: Path, head: str, labels: Sequence[str], **settings: Any) -> Path:
    """A Hugging Face repository of `BertFor<head>`; `settings` are config.json's."""
    torch.manual_seed(3)
    config = transformers.BertConfig(
        vocab_size=len(PIECES),
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=20,
        max_position_embeddings=POSITIONS,
        initializer_range=0.6,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
        **settings,
    )
    getattr(transformers, f"BertFor{head}")(config).eval().save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "model_max_length": MAX_LENGTH})
    return folder


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(values), encoding="utf-8")


def change_config(folder: Path, **values: Any) -> None:
    """None takes a setting out."""
    config = {**json.loads((folder / "config.json").read_text("utf-8")), **values}
    write_json(folder / "config.json", {name: value for name, value in config.items() if value is not None})


def reference(task: str, folder: Path, head: str, **options: Any) -> Any:
    """transformers' own pipeline on a repository."""
    model = getattr(transformers, f"AutoModelFor{head}").from_pretrained(folder).eval()
    return transformers.pipeline(task, model=model, tokenizer=transformers.AutoTokenizer.from_pretrained(folder), device="cpu", **options)
