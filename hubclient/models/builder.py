"""Writing an ONNX graph whose weights lie in a safetensors file.

Initializers are ONNX external data: a location, an offset and a length (onnx/onnx.proto, `TensorProto.external_data`).
So the graph file holds operators only, and the runtime maps the weights from where they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubclient.errors import InconsistentModel, UnsupportedModel

if TYPE_CHECKING:
    import numpy as np
    import onnx

# The newest opset that every ONNX Runtime of the last years runs; LayerNormalization came with it.
OPSET = 17
IR_VERSION = 8


@dataclass(frozen=True)
class Slot:
    """A tensor's place in a file: safetensors dtype name, shape, offset and length in bytes from the start of the file."""

    dtype: str
    shape: tuple[int, ...]
    offset: int
    length: int


class GraphBuilder:
    """Collects nodes; each method returns the name of the value that it makes."""

    def __init__(self, layout: Mapping[str, Slot], weights_file: str) -> None:
        self._layout = layout
        self._weights_file = weights_file
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, onnx.TensorProto] = {}

    def shape(self, name: str) -> tuple[int, ...]:
        return self._slot(name).shape

    def weight(self, name: str) -> str:
        """A tensor of the weights file, under its own name."""
        import onnx

        if name not in self._initializers:
            slot = self._slot(name)
            if slot.dtype != "F32":
                raise UnsupportedModel(f"tensor '{name}' is {slot.dtype}, and graphs are built on F32 weights")
            tensor = onnx.TensorProto(name=name, data_type=onnx.TensorProto.FLOAT, dims=slot.shape)
            tensor.data_location = onnx.TensorProto.EXTERNAL
            for key, value in (("location", self._weights_file), ("offset", str(slot.offset)), ("length", str(slot.length))):
                tensor.external_data.add(key=key, value=value)
            self._initializers[name] = tensor
        return name

    def floats(self, value: float) -> str:
        import numpy as np

        return self._constant(np.array(value, dtype=np.float32))

    def integers(self, *values: int) -> str:
        """A vector of int64."""
        import numpy as np

        return self._constant(np.array(values, dtype=np.int64))

    def integer(self, value: int) -> str:
        """An int64 scalar."""
        import numpy as np

        return self._constant(np.array(value, dtype=np.int64))

    def node(self, operator: str, *inputs: str, outputs: Sequence[str] = (), **attributes: Any) -> str:
        import onnx.helper

        names = list(outputs) or [f"{operator.lower()}_{len(self._nodes)}"]
        self._nodes.append(onnx.helper.make_node(operator, inputs, names, **attributes))
        return names[0]

    def linear(self, rows: str, name: str, output: str | None = None) -> str:
        """`rows` (n, in) times the Hugging Face linear layer `name` with weight (out, in) and bias (out,)."""
        outputs = [output] if output else []
        return self.node("Gemm", rows, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"), outputs=outputs, transB=1)

    def layer_norm(self, value: str, name: str, epsilon: float) -> str:
        return self.node("LayerNormalization", value, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"), axis=-1, epsilon=epsilon)

    def activation(self, value: str, function: str) -> str:
        """An activation function under its transformers name (transformers/activations.py, ACT2FN)."""
        if function not in _ACTIVATIONS:
            raise UnsupportedModel(
                f"the activation function '{function}' is not known", hint=f"known are {', '.join(sorted(_ACTIVATIONS))}"
            )
        return _ACTIVATIONS[function](self, value)

    def finish(self, inputs: Sequence[str], output: str, classes: int, *, per_token: bool = False) -> bytes:
        """The serialized model: int64 inputs (batch, sequence), one float32 output (batch, classes), or (batch, sequence, classes)."""
        import onnx
        import onnx.helper

        shape: list[str | int] = ["batch", "sequence", classes] if per_token else ["batch", classes]
        graph = onnx.helper.make_graph(
            self._nodes,
            "hubclient",
            [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.INT64, ["batch", "sequence"]) for name in inputs],
            [onnx.helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, shape)],
            initializer=list(self._initializers.values()),
        )
        model = onnx.helper.make_model(graph, producer_name="hubclient", opset_imports=[onnx.helper.make_opsetid("", OPSET)])
        model.ir_version = IR_VERSION
        data: bytes = model.SerializeToString()
        return data

    def _slot(self, name: str) -> Slot:
        try:
            return self._layout[name]
        except KeyError:
            raise InconsistentModel(f"the weights lack the tensor '{name}'") from None

    def _constant(self, array: np.ndarray) -> str:
        import onnx.numpy_helper

        name = f"const_{array.dtype}_{'x'.join(map(str, array.shape))}_{array.ravel().tolist()}"
        if name not in self._initializers:
            self._initializers[name] = onnx.numpy_helper.from_array(array, name)
        return name


def _gelu(graph: GraphBuilder, value: str) -> str:
    erf = graph.node("Erf", graph.node("Div", value, graph.floats(math.sqrt(2.0))))
    return graph.node("Mul", graph.node("Mul", value, graph.node("Add", erf, graph.floats(1.0))), graph.floats(0.5))


def _gelu_tanh(graph: GraphBuilder, value: str) -> str:
    cube = graph.node("Mul", graph.node("Mul", value, value), value)
    inner = graph.node("Add", value, graph.node("Mul", cube, graph.floats(0.044715)))
    tanh = graph.node("Tanh", graph.node("Mul", inner, graph.floats(math.sqrt(2.0 / math.pi))))
    return graph.node("Mul", graph.node("Mul", value, graph.node("Add", tanh, graph.floats(1.0))), graph.floats(0.5))


def _quick_gelu(graph: GraphBuilder, value: str) -> str:
    return graph.node("Mul", value, graph.node("Sigmoid", graph.node("Mul", value, graph.floats(1.702))))


def _silu(graph: GraphBuilder, value: str) -> str:
    return graph.node("Mul", value, graph.node("Sigmoid", value))


_ACTIVATIONS: Mapping[str, Callable[[GraphBuilder, str], str]] = {
    "gelu": _gelu,
    "gelu_python": _gelu,
    "gelu_accurate": _gelu_tanh,
    "gelu_fast": _gelu_tanh,
    "gelu_new": _gelu_tanh,
    "gelu_python_tanh": _gelu_tanh,
    "gelu_pytorch_tanh": _gelu_tanh,
    "quick_gelu": _quick_gelu,
    "relu": lambda graph, value: graph.node("Relu", value),
    "sigmoid": lambda graph, value: graph.node("Sigmoid", value),
    "silu": _silu,
    "swish": _silu,
    "tanh": lambda graph, value: graph.node("Tanh", value),
}
KNOWN_ACTIVATIONS = frozenset(_ACTIVATIONS)
