"""ONNX Runtime, the default engine: it maps the weights from where they lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as failures

from hubclient.errors import ModelError
from hubclient.native import GRAPH

if TYPE_CHECKING:
    import numpy as np

    from hubclient.engines import Batch

_FAILURES = (
    failures.Fail,
    failures.InvalidArgument,
    failures.InvalidGraph,
    failures.InvalidProtobuf,
    failures.NoSuchFile,
    failures.NotImplemented,
    failures.RuntimeException,
)


class OnnxEngine:
    name = "onnx"

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(folder / GRAPH), options, providers=["CPUExecutionProvider"])
        except _FAILURES as error:
            raise ModelError(
                "ONNX Runtime cannot open the model", where=str(folder / GRAPH), why=str(error), hint="pull the model again"
            ) from error
        self._inputs = {item.name for item in self._session.get_inputs()}

    def logits(self, batch: Batch) -> np.ndarray:
        feeds = {name: getattr(batch, name) for name in ("input_ids", "attention_mask", "token_type_ids") if name in self._inputs}
        result: np.ndarray = self._session.run(["logits"], feeds)[0]
        return result
