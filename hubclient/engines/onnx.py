"""ONNX Runtime, the default engine: it maps the weights from where they lie.

Strategy: many batches are run by one session that has no threads of its own, called by as many threads as there are cores: two batches
on a core each are faster than two on both in turn. One text by itself is run by a session with a thread for every core. Each is opened when
it is first needed. Weights are packed, that is copied in another order, for a session that is used often: it is faster, but takes as much
memory as they have, and time to open.
"""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

# Official builds report to Microsoft over the network, and keep a device's id at home, unless told otherwise before they are loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as failures

from hubclient.cores import cores
from hubclient.engines import INPUTS, Wanted
from hubclient.engines.device import CARD_LANES, CARD_TOKENS, Device
from hubclient.errors import ModelError, UsageError
from hubclient.native import GRAPH

if TYPE_CHECKING:
    import numpy as np

    from hubclient.engines import Batch

FAILURES = tuple(kind for kind in vars(failures).values() if isinstance(kind, type) and issubclass(kind, Exception))
# Threads that wait busily take a core from whoever has work: they may do so from one operator to the next, but not from run to run.
_SETTINGS = {"session.intra_op.spin_duration_us": "100", "session.force_spinning_stop": "1"}
_UNPACKED = {"session.disable_prepacking": "1"}
# Sessions with threads of their own. Their end waits for these, and in a forked process there are none.
_THREADED: WeakSet[onnxruntime.InferenceSession] = WeakSet()
# A session for one text that was asked so often is worth packing.
_OFTEN = 16
_CARDS = "CUDAExecutionProvider"
_DEFAULT = Wanted("onnx")


def open_session(
    graph: Path | bytes, label: str, threads: int = 0, *, packed: bool = True, folder: Path | None = None, device: Device | None = None
) -> onnxruntime.InferenceSession:
    """`threads` as ONNX Runtime counts them: 0 is one for every core. `folder`: where the external data are of a graph given as bytes.
    `device`: the processor, unless it is another.

    Raises ModelError, which says that it is about `label`.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what fails is raised
    options.intra_op_num_threads = threads
    for name, value in {**_SETTINGS, **({} if packed else _UNPACKED)}.items():
        options.add_session_config_entry(name, value)
    if folder:
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
    try:
        session = onnxruntime.InferenceSession(graph if isinstance(graph, bytes) else str(graph), options, providers=_providers(device))
    except FAILURES as error:
        raise ModelError("ONNX Runtime cannot open the model", where=label, why=str(error), hint="pull the model again") from error
    if threads != 1:
        _THREADED.add(session)
    return session


def runs_on_cards() -> bool:
    """Whether this is the build for graphics cards."""
    return _CARDS in onnxruntime.get_available_providers()


def _providers(device: Device | None) -> list[Any]:
    """Of a card, float32 is float32 and not its shorter form."""
    if device is None or device.place == "cpu":
        return ["CPUExecutionProvider"]
    return [(_CARDS, {"device_id": str(device.number), "use_tf32": "0"}), "CPUExecutionProvider"]


class OnnxEngine:
    name = "onnx"
    version: str = onnxruntime.__version__

    def __init__(self, folder: Path, threads: int | None = None, wanted: Wanted = _DEFAULT) -> None:
        self.precision = wanted.precision
        self.device = wanted.device
        on_card = self.device.place == "cuda"
        self.lanes = CARD_LANES if on_card else threads or cores()
        # Larger batches leave the caches of a core, smaller ones use less of its width: see `bench/batches.py`.
        self.tokens = CARD_TOKENS if on_card else 512
        self._folder = folder
        self._label = str(folder / GRAPH)
        self._lock = threading.Lock()
        self._sessions: dict[tuple[int, bool], onnxruntime.InferenceSession] = {}
        self._alone = 0
        if on_card and not runs_on_cards():
            raise UsageError(
                "this ONNX Runtime has no part for graphics cards",
                why=f"it has {', '.join(onnxruntime.get_available_providers())}",
                hint="install onnxruntime-gpu in place of onnxruntime, or use engine='torch'",
            )
        self._inputs = {item.name for item in self._session(self.lanes, packed=False).get_inputs()}
        _ENGINES.add(self)

    def logits(self, batch: Batch, *, alone: bool = False) -> np.ndarray:
        feeds = {name: getattr(batch, name) for name in INPUTS if name in self._inputs}
        try:
            result: np.ndarray = self._chosen(alone).run(["logits"], feeds)[0]
        except FAILURES as error:
            raise ModelError("ONNX Runtime cannot run the model", where=self._label, why=str(error)) from error
        return result

    def _chosen(self, alone: bool) -> onnxruntime.InferenceSession:
        if self.device.place == "cuda":
            return self._session(self.lanes, packed=False)
        if not alone:
            return self._session(1, packed=True)
        self._alone += 1
        return self._session(self.lanes, packed=self._alone > _OFTEN)

    def _session(self, threads: int, *, packed: bool) -> onnxruntime.InferenceSession:
        if found := self._sessions.get((threads, packed)):
            return found
        with self._lock:
            if (threads, packed) not in self._sessions:
                self._sessions[threads, packed] = self._open(threads, packed=packed)
                if packed:
                    self._sessions.pop((threads, False), None)
            return self._sessions[threads, packed]

    def _open(self, threads: int, *, packed: bool) -> onnxruntime.InferenceSession:
        if self.device.place == "cuda":
            return self._on_card()
        if self.precision == "float32":
            return open_session(self._folder / GRAPH, self._label, threads, packed=packed)
        from hubclient.derived import derived
        from hubclient.engines.int8 import quantised, weight_bits

        bits = weight_bits()
        graph = derived(self._folder, f"int8-{bits}.onnx", lambda: quantised(self._folder / GRAPH, bits))
        return open_session(graph, self._label, threads, packed=packed, folder=self._folder)

    def _on_card(self) -> onnxruntime.InferenceSession:
        session = open_session(self._folder / GRAPH, self._label, 1, device=self.device)
        # What cannot be loaded is left out without a word.
        if _CARDS not in session.get_providers():
            raise ModelError("ONNX Runtime cannot use the graphics card", where=str(self.device), why="CUDA or cuDNN cannot be loaded")
        return session

    def start_anew(self) -> None:
        self._lock, self._sessions = threading.Lock(), {}


_ENGINES: WeakSet[OnnxEngine] = WeakSet()


def _forked() -> None:
    """What a forked process inherits may wait for threads that are not there: when it is used, and at the latest when it is deleted."""
    for session in _THREADED:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(session))
    for engine in _ENGINES:
        engine.start_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
