"""ONNX Runtime, the default engine: it maps the weights from where they lie."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

# Official builds report to Microsoft over the network, and keep a device's id at home, unless told otherwise before they are loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as failures

from hubclient.engines import INPUTS
from hubclient.errors import ModelError
from hubclient.native import GRAPH

if TYPE_CHECKING:
    import numpy as np

    from hubclient.engines import Batch

FAILURES = tuple(kind for kind in vars(failures).values() if isinstance(kind, type) and issubclass(kind, Exception))


def open_session(graph: Path, label: str) -> onnxruntime.InferenceSession:
    """Raises ModelError, which says that it is about `label`."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what fails is raised
    try:
        return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except FAILURES as error:
        raise ModelError("ONNX Runtime cannot open the model", where=label, why=str(error), hint="pull the model again") from error


class OnnxEngine:
    name = "onnx"

    def __init__(self, folder: Path) -> None:
        self._session = open_session(folder / GRAPH, str(folder / GRAPH))
        self._inputs = {item.name for item in self._session.get_inputs()}

    def logits(self, batch: Batch) -> np.ndarray:
        feeds = {name: getattr(batch, name) for name in INPUTS if name in self._inputs}
        result: np.ndarray = self._session.run(["logits"], feeds)[0]
        return result
