"""PyTorch through transformers: the reference that the default engine is held against."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubclient.engines import INPUTS
from hubclient.errors import MissingExtra, ModelError, UnsupportedModel
from hubclient.models.family import HEADS, head_of
from hubclient.native import CONFIG, read_json, read_manifest
from hubclient.padding import read_padding

if TYPE_CHECKING:
    import numpy as np

    from hubclient.engines import Batch


class TorchEngine:
    name = "torch"

    def __init__(self, folder: Path) -> None:
        self._model = open_model(folder, "the torch engine")
        import torch

        self._torch = torch
        self._together = read_padding(folder).harmless
        self._inputs = [name for name in INPUTS if name in signature(self._model.forward).parameters]

    def logits(self, batch: Batch) -> np.ndarray:
        if self._together:
            return self._run(batch)
        return _side_by_side([self._run(text) for text in batch.alone()], batch.attention_mask)

    def _run(self, batch: Batch) -> np.ndarray:
        with self._torch.inference_mode():
            output = self._model(**{name: self._torch.from_numpy(getattr(batch, name)) for name in self._inputs})
        result: np.ndarray = output.logits.numpy()
        return result


def open_model(folder: Path, needed_for: str) -> Any:
    """transformers' own model, as config.json names it, with float32 weights. Raises MissingExtra, UnsupportedModel, ModelError."""
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtra("torch", needed_for) from error
    from huggingface_hub.errors import StrictDataclassError

    if read_manifest(folder).graph == "kept":
        raise UnsupportedModel(
            f"{needed_for} cannot open this model",
            where=str(folder),
            why="its tensors could not be recovered from the origin's ONNX graph, which is kept as it was",
            hint="use engine='onnx'",
        )
    kind = getattr(transformers, f"AutoModel{HEADS[head_of(read_json(folder / CONFIG))]}")
    try:
        with _own_bars_off():
            return kind.from_pretrained(folder, dtype=torch.float32, local_files_only=True, trust_remote_code=False).eval()
    except (OSError, ValueError, RuntimeError, TypeError, KeyError, ImportError, StrictDataclassError) as error:
        raise ModelError("transformers cannot open the model", where=str(folder), why=str(error), hint="pull the model again") from error


def _side_by_side(answers: list[np.ndarray], mask: np.ndarray) -> np.ndarray:
    """Answers to texts that were given one by one; those for tokens go where the mask has them."""
    import numpy as np

    if answers[0].ndim == mask.ndim:
        return np.concatenate(answers)
    result = np.zeros((*mask.shape, answers[0].shape[-1]), np.float32)
    result[mask != 0] = np.concatenate([answer[0] for answer in answers])
    return result


@contextmanager
def _own_bars_off() -> Iterator[None]:
    """transformers shows how far it is even in a pipe, for what takes a moment."""
    from transformers.utils import logging

    if not logging.is_progress_bar_enabled():
        yield
        return
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.enable_progress_bar()
