"""A model in transformers: for whatever takes its models, tokenizers and pipelines."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubclient.engines import INPUTS
from hubclient.engines.torch import open_model
from hubclient.native import TOKENIZER
from hubclient.padding import read_padding
from hubclient.tokenizer_settings import tokenizer_settings

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def model_and_tokenizer(folder: Path, tokenizer: Tokenizer, max_length: int) -> tuple[Any, Any]:
    """A native folder's model, and a tokenizer that gives the ids of `tokenizer` in every version. Raises MissingExtra, ModelError."""
    model = open_model(folder, "transformers")
    from transformers import PreTrainedTokenizerFast

    inputs = [name for name in INPUTS if name in signature(model.forward).parameters]
    settings = tokenizer_settings(folder, tokenizer, read_padding(folder), inputs, max_length)
    # Not from the object: copying one goes by text, which rounds the scores of pieces.
    theirs = PreTrainedTokenizerFast(tokenizer_file=str(folder / TOKENIZER), **settings)
    backend = theirs.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    if _state(backend.normalizer) != _state(tokenizer.normalizer):
        backend.normalizer = tokenizer.normalizer
    return model, theirs


def _state(part: Any) -> Any:
    return None if part is None else part.__getstate__()


def pipeline_of(task: str, model: Any, tokenizer: Any, **options: Any) -> Any:
    from transformers import pipeline

    return pipeline(task, model=model, tokenizer=tokenizer, **{"device": "cpu", **options})
