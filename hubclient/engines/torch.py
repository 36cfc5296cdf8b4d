"""PyTorch through transformers: the reference that the default engine is held against."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hubclient.errors import MissingExtra, ModelError, UnsupportedModel
from hubclient.native import read_manifest

if TYPE_CHECKING:
    import numpy as np

    from hubclient.engines import Batch


class TorchEngine:
    name = "torch"

    def __init__(self, folder: Path) -> None:
        try:
            import torch
            from transformers import AutoModelForSequenceClassification
        except ImportError as error:
            raise MissingExtra("torch", "the torch engine") from error
        if read_manifest(folder).graph != "built":
            raise UnsupportedModel(
                "the torch engine cannot open this model",
                where=str(folder),
                why="its tensors could not be recovered from the origin's ONNX graph, which is kept as it was",
                hint="use engine='onnx'",
            )
        self._torch = torch
        try:
            with _own_bars_off():
                model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
                self._model = model.eval()
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(
                "transformers cannot open the model", where=str(folder), why=str(error), hint="pull the model again"
            ) from error

    def logits(self, batch: Batch) -> np.ndarray:
        tensor = self._torch.from_numpy
        with self._torch.inference_mode():
            output = self._model(
                input_ids=tensor(batch.input_ids),
                attention_mask=tensor(batch.attention_mask),
                token_type_ids=tensor(batch.token_type_ids),
            )
        result: np.ndarray = output.logits.numpy()
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
