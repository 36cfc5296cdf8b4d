"""The linear layers of an ONNX graph in whole numbers of 8 bits, all else as it is.

Strategy: weights become int8 with a scale for each output, once; what they are multiplied with becomes uint8 with one scale, each time anew
(dynamic quantisation). The operators stand as ONNX Runtime's own tool writes them, since that is what its fusions look for. What is not
multiplied so, the embedding tables above all, stays in the weights file.

Source: onnx/docs/Operators.md (DynamicQuantizeLinear, MatMulInteger); onnxruntime/python/tools/quantization/operators/matmul.py.
"""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubclient.machine import processor

if TYPE_CHECKING:
    import numpy as np
    import onnx

# Layers with fewer outputs, such as the head, take no time, and their rounding would go straight into the answer.
_NARROWEST = 32
_X86 = ("x86_64", "amd64", "i386", "i686")
_EXACT = frozenset({"avx512_vnni", "avx_vnni", "amx_int8"})
_CPU_FACTS = Path("/proc/cpuinfo")


def weight_bits(facts: Path = _CPU_FACTS) -> int:
    """How many bits a weight may have here: on x86 without VNNI, two products of 8 bits do not fit into the sum that is made of them."""
    if platform.machine().lower() not in _X86:
        return 8
    return 8 if _EXACT & processor(facts).flags else 7


def quantised(path: Path, bits: int = 8) -> bytes:
    """The graph of a file, whose external data are where they were; new weights are in the graph itself."""
    import onnx

    model = onnx.load(path, load_external_data=False)
    Rewriting(model.graph, path.parent, bits).run()
    data: bytes = model.SerializeToString()
    return data


class Rewriting:
    def __init__(self, graph: onnx.GraphProto, folder: Path, bits: int) -> None:
        self._graph = graph
        self._folder = folder
        self._highest = 2 ** (bits - 1) - 1
        self._weights = {tensor.name: tensor for tensor in graph.initializer}
        self._outputs = {item.name for item in graph.output}
        self._nodes: list[onnx.NodeProto] = []
        self._made: dict[str, onnx.TensorProto] = {}
        self._inputs: set[str] = set()

    def run(self) -> None:
        for node in self._graph.node:
            kernel = self._kernel(node)
            if kernel is None:
                self._nodes.append(node)
            else:
                self._replace(node, kernel)
        used = {name for node in self._nodes for name in node.input}
        within = any(attribute.HasField("g") for node in self._nodes for attribute in node.attribute)
        tensors = [*(tensor for name, tensor in self._weights.items() if within or name in used), *self._made.values()]
        del self._graph.node[:], self._graph.initializer[:]
        self._graph.node.extend(self._nodes)
        self._graph.initializer.extend(tensors)

    def _kernel(self, node: onnx.NodeProto) -> np.ndarray | None:
        """The (in, out) weights of a linear layer that is worth rewriting."""
        from onnx.helper import get_attribute_value

        facts = {attribute.name: get_attribute_value(attribute) for attribute in node.attribute}
        plain = node.op_type == "MatMul" or (node.op_type == "Gemm" and facts.keys() <= {"transB"})
        tensor = self._weights.get(node.input[1]) if plain else None
        if tensor is None or len(tensor.dims) != 2 or node.output[0] in self._outputs:
            return None
        kernel = self._array(tensor)
        kernel = kernel.T if facts.get("transB") else kernel
        return kernel if kernel.dtype == "float32" and kernel.shape[1] >= _NARROWEST else None

    def _array(self, tensor: onnx.TensorProto) -> np.ndarray:
        from onnx.numpy_helper import to_array

        return to_array(tensor, str(self._folder))

    def _replace(self, node: onnx.NodeProto, kernel: np.ndarray) -> None:
        source, name, result = node.input[0], node.input[1], node.output[0]
        self._quantise_input(source)
        self._quantise_kernel(name, kernel)
        self._add("MatMulInteger", [f"{source}_uint8", f"{name}_int8", f"{source}_zero", f"{name}_zero"], [f"{result}_int32"])
        self._add("Cast", [f"{result}_int32"], [f"{result}_float"], to=1)
        self._add("Mul", [f"{source}_scale", f"{name}_scale"], [f"{result}_scales"])
        bias = node.input[2] if len(node.input) > 2 else ""
        product = f"{result}_product" if bias else result
        self._add("Mul", [f"{result}_float", f"{result}_scales"], [product])
        if bias:
            self._add("Add", [product, bias], [result])

    def _quantise_input(self, source: str) -> None:
        if source not in self._inputs:
            self._inputs.add(source)
            self._add("DynamicQuantizeLinear", [source], [f"{source}_uint8", f"{source}_scale", f"{source}_zero"])

    def _quantise_kernel(self, name: str, kernel: np.ndarray) -> None:
        """Each output's weights, by a scale of their own, around zero."""
        import numpy as np
        from onnx.numpy_helper import from_array

        if f"{name}_int8" in self._made:
            return
        scale = np.abs(kernel).max(axis=0) / self._highest
        scale[scale == 0] = 1
        rounded = np.rint(kernel / scale).astype(np.int8)
        parts = {"int8": rounded, "scale": scale.astype(np.float32), "zero": np.zeros(len(scale), np.int8)}
        self._made |= {f"{name}_{part}": from_array(np.ascontiguousarray(array), f"{name}_{part}") for part, array in parts.items()}

    def _add(self, operator: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        import onnx.helper

        self._nodes.append(onnx.helper.make_node(operator, inputs, outputs, **attributes))
