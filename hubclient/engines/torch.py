"""PyTorch through transformers: the reference that the default engine is held against."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubclient.engines import INPUTS, Wanted
from hubclient.engines.device import CARD_LANES, CARD_TOKENS
from hubclient.errors import MissingExtra, ModelError, UnsupportedModel, UsageError
from hubclient.models.family import HEADS, head_of
from hubclient.native import CONFIG, read_json, read_manifest
from hubclient.padding import read_padding

if TYPE_CHECKING:
    import numpy as np

    from hubclient.engines import Batch


_DEFAULT = Wanted("torch")
# What a model is kept as where nothing else is known of it, and who can open that.
_WITHOUT_TENSORS = {"kept": ("ONNX graph", "onnx"), "openvino": ("OpenVINO graph", "openvino")}


class TorchEngine:
    name = "torch"

    def __init__(self, folder: Path, threads: int | None = None, wanted: Wanted = _DEFAULT) -> None:
        self.precision = wanted.precision
        self.device = wanted.device
        on_card = self.device.place == "cuda"
        # PyTorch's threads, which are the process's, work on one batch.
        self.lanes = CARD_LANES if on_card else 1
        self.tokens = CARD_TOKENS if on_card else 2048
        self._model = open_model(folder, "the torch engine")
        import torch

        if on_card:
            _check_card(torch, self.device.number)
        self._model.to(str(self.device), getattr(torch, self.precision))
        self._torch = torch
        self.version = str(torch.__version__)
        self._process = os.getpid()
        if threads:
            torch.set_num_threads(threads)
        self._together = read_padding(folder).harmless
        self._inputs = [name for name in INPUTS if name in signature(self._model.forward).parameters]

    def logits(self, batch: Batch, *, alone: bool = False) -> np.ndarray:
        if self._together:
            return self._run(batch)
        return _side_by_side([self._run(text) for text in batch.alone()], batch.attention_mask)

    def _run(self, batch: Batch) -> np.ndarray:
        if self._process != os.getpid():
            # OpenMP would wait for the threads of the process that this one was forked from.
            self._torch.set_num_threads(1)
            self._process = os.getpid()
        with self._torch.inference_mode():
            feeds = {name: self._torch.from_numpy(getattr(batch, name)).to(str(self.device)) for name in self._inputs}
            result: np.ndarray = self._model(**feeds).logits.float().cpu().numpy()
        return result


def _check_card(torch: Any, number: int) -> None:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if number >= count:
        raise UsageError(
            f"PyTorch finds no graphics card cuda:{number}",
            why=f"it finds {count or 'none'}; its version is {torch.__version__}",
            hint="install a build of PyTorch for CUDA, or leave device out",
        )


def open_model(folder: Path, needed_for: str) -> Any:
    """transformers' own model, as config.json names it, with float32 weights. Raises MissingExtra, UnsupportedModel, ModelError."""
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtra("torch", needed_for) from error
    from huggingface_hub.errors import StrictDataclassError

    graph = read_manifest(folder).graph
    if graph in _WITHOUT_TENSORS:
        form, engine = _WITHOUT_TENSORS[graph]
        raise UnsupportedModel(
            f"{needed_for} cannot open this model",
            where=str(folder),
            why=f"its tensors could not be recovered from the origin's {form}, which is kept as it was",
            hint=f"use engine='{engine}'",
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
