"""OpenVINO: for bfloat16, and for archives that hold its own form of a model.

Strategy: as with ONNX Runtime, many batches are run by streams of one thread each, asked by as many threads as there are cores; one text
by itself by a stream with a thread for every core. Both are compiled when they are first needed: each has its own copy of the weights.
OpenVINO computes in bfloat16 unasked where the processor can: here it is told what to compute in.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hubclient.cores import cores
from hubclient.engines import INPUTS, Precision, Wanted
from hubclient.engines.device import Device
from hubclient.errors import MissingExtra, ModelError, UnsupportedModel, UsageError
from hubclient.native import GRAPH, OPENVINO_GRAPH

if TYPE_CHECKING:
    import numpy as np

    from hubclient.engines import Batch

_HINTS: Mapping[Precision, str] = MappingProxyType({"float32": "f32", "bfloat16": "bf16"})
_DEFAULT = Wanted("openvino")


class OpenvinoEngine:
    name = "openvino"
    # See `bench/batches.py`.
    tokens = 1024
    device = Device()

    def __init__(self, folder: Path, threads: int | None = None, wanted: Wanted = _DEFAULT) -> None:
        self.lanes = threads or cores()
        self.precision = wanted.precision
        self._path = next((folder / name for name in (OPENVINO_GRAPH, GRAPH) if (folder / name).is_file()), folder / GRAPH)
        openvino = load_openvino("the openvino engine")
        self.version: str = openvino.__version__
        self._core = openvino.Core()
        if self.precision == "bfloat16":
            _check_bfloat16(self._core)
        self._model = read_model(self._core, self._path)
        self._inputs = [name for name in INPUTS if name in inputs_of(self._model)]
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._compiled: dict[int, Compiled] = {}

    def logits(self, batch: Batch, *, alone: bool = False) -> np.ndarray:
        if self._process != os.getpid():
            raise ModelError(
                "OpenVINO cannot run in a process that was forked after the model had been opened",
                where=str(self._path),
                why="its threads are not there, and it would wait for them",
                hint="open the model in the new process, start processes with spawn, or use engine='onnx'",
            )
        feeds = {name: getattr(batch, name) for name in self._inputs}
        try:
            return self._of(1 if alone else self.lanes).answer(feeds)
        except RuntimeError as error:
            raise ModelError("OpenVINO cannot run the model", where=str(self._path), why=str(error)) from error

    def _of(self, streams: int) -> Compiled:
        if found := self._compiled.get(streams):
            return found
        with self._lock:
            if streams not in self._compiled:
                self._compiled[streams] = Compiled(self._core, self._model, streams, self.lanes, self.precision)
            return self._compiled[streams]


# The first answer of a process prepares what all later ones share, and two threads that do so at once wait for each other for ever: one
# for the interpreter's lock, which the other holds while it waits for the first to be done (pybind11 and a static of C++).
_first = threading.Lock()
_is_prepared = threading.Event()


class Compiled:
    """A model, compiled for so many batches at once on so many threads. Safe to be asked by several threads."""

    def __init__(self, core: Any, model: Any, streams: int, threads: int, precision: Precision) -> None:
        settings = {
            "NUM_STREAMS": str(streams),
            "INFERENCE_NUM_THREADS": str(threads),
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            # Other processes may use the same cores.
            "ENABLE_CPU_PINNING": False,
        }
        self._model = core.compile_model(model, "CPU", settings)
        self._output = output_of(self._model)
        self._free: list[Any] = []

    def answer(self, feeds: Mapping[str, np.ndarray]) -> np.ndarray:
        if _is_prepared.is_set():
            return self._answer(feeds)
        with _first:
            answer = self._answer(feeds)
        _is_prepared.set()
        return answer

    def _answer(self, feeds: Mapping[str, np.ndarray]) -> np.ndarray:
        try:
            request = self._free.pop()
        except IndexError:
            request = self._model.create_infer_request()
        try:
            request.infer(feeds, share_inputs=True)
            result: np.ndarray = request.get_tensor(self._output).data.copy()
            return result
        finally:
            self._free.append(request)


def open_core(needed_for: str) -> Any:
    """Raises MissingExtra."""
    return load_openvino(needed_for).Core()


def load_openvino(needed_for: str) -> Any:
    """Without its telemetry, which reports to its makers over the network that it was imported. Raises MissingExtra."""
    telemetry = "openvino_telemetry"
    silenced = "openvino" not in sys.modules and telemetry not in sys.modules
    if silenced:
        sys.modules[telemetry] = None  # type: ignore[assignment]
    try:
        import openvino
    except ImportError as error:
        raise MissingExtra("openvino", needed_for) from error
    finally:
        if silenced:
            del sys.modules[telemetry]
    return openvino


def read_model(core: Any, path: Path) -> Any:
    """With inputs of any number of texts and tokens. Raises ModelError."""
    try:
        model = core.read_model(path)
        model.reshape({port: [-1, -1] for port in model.inputs})
        return model
    except RuntimeError as error:
        raise ModelError("OpenVINO cannot read the model", where=str(path), why=str(error), hint="pull the model again") from error


def inputs_of(model: Any) -> dict[str, str]:
    """Type by name."""
    return {name: port.get_element_type().get_type_name() for port in model.inputs for name in port.get_names() if name in INPUTS}


def output_of(model: Any) -> Any:
    """The port of the logits: the one of that name, or the only one. Raises UnsupportedModel."""
    named = [port for port in model.outputs if "logits" in port.get_names()]
    (port, *others) = named or model.outputs
    if others:
        names = ", ".join(sorted(name for port in model.outputs for name in port.get_names()))
        raise UnsupportedModel("the model has several outputs, and none is named logits", why=f"they are {names}")
    return port


def _check_bfloat16(core: Any) -> None:
    able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if "BF16" not in able:
        raise UsageError(
            "this processor does not compute in bfloat16",
            why=f"OpenVINO says that {core.get_property('CPU', 'FULL_DEVICE_NAME').strip()} has {', '.join(able)}",
            hint="it takes AMX or AVX512-BF16; leave precision out, or use precision='int8'",
        )
