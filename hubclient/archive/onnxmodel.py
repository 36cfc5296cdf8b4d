"""An ONNX model, read as data: checked before anything else looks at it, and traced into a plain dataflow. Nothing in it is run here.

Strategy: every node, subgraph, function and tensor is judged first (known operator domains, tensors whose bytes make their shapes, external
data in plain files beside the model). `trace` then follows one output back to its sources and leaves copies (Identity, Dropout) out, so
that a MatMul's second input *is* the weight.

Source: onnx/onnx.proto, docs/IR.md, docs/ExternalData.md; onnxruntime/core/graph/constants.h (domains).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

from hubclient.archive import onnxtensor
from hubclient.errors import CorruptArchive, UnsafeArchive, UnsupportedModel

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray
    from typing_extensions import Buffer

_STANDARD = frozenset({"", "ai.onnx"})
_DOMAINS = _STANDARD | {"com.microsoft"}
# ONNX Runtime's optimizer lists all that it knows, whether the model uses them or not.
_DECLARED = _DOMAINS | {
    "ai.onnx.ml",
    "ai.onnx.preview",
    "ai.onnx.preview.training",
    "ai.onnx.training",
    "com.microsoft.dml",
    "com.microsoft.experimental",
    "com.microsoft.nchwc",
    "com.ms.internal.nhwc",
    "org.pytorch.aten",
}
RESHAPES = frozenset({"Reshape", "Squeeze", "Unsqueeze", "Flatten"})
_NEWEST = 1 << 30
_MAX_NODES = 500_000
_MAX_DEPTH = 8


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """What makes one value of a dataflow; `name` is the value's.

    `op` is the operator, after its domain where that is not ONNX's own (`com.microsoft.BiasGelu`); with `(tanh)` for a Gelu of that form;
    with `:n` where the value is the operator's n-th output and not its first. `Input` is an input of the model, `Tensor` an initializer or
    a constant, with its `tensor`; `Absent` an input that was left out. `references` are the names that the graph calls the inputs by, which
    may be those of copies: a tensor that stands for several equal ones has one name, and its copies have the others.
    """

    name: str
    op: str
    inputs: tuple[Node, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    tensor: onnx.TensorProto | None = None
    references: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<{self.op} {self.name}>"


@dataclass(frozen=True, eq=False)
class Dataflow:
    """Everything that `output` is computed from. In `nodes`, producers come before their consumers."""

    output: Node
    nodes: tuple[Node, ...]
    files: Mapping[str, Buffer]

    @cached_property
    def tensors(self) -> dict[str, Node]:
        """The weights and constants that the output depends on, by name."""
        return {node.name: node for node in self.nodes if node.tensor is not None}

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {node.name: tuple(node.tensor.dims) for node in self.nodes if node.tensor is not None}

    def array(self, node: Node) -> NDArray[np.generic] | None:
        """The values of a weight or constant; None for what is computed."""
        return None if node.tensor is None else onnxtensor.array(node.tensor, self.files)

    def number(self, node: Node) -> float | None:
        """The value of a constant with one element, reshaped or not."""
        tensor = data(node).tensor
        return float(onnxtensor.array(tensor, self.files).reshape(-1)[0].item()) if tensor and prod(tensor.dims) == 1 else None

    def integers(self, node: Node) -> list[int] | None:
        """The values of a constant of whole numbers, one after the other, reshaped or cast or not."""
        tensor = data(node, RESHAPES | {"Cast"}).tensor
        if tensor is None or tensor.data_type not in onnxtensor.INTEGERS:
            return None
        return [int(value) for value in onnxtensor.array(tensor, self.files).reshape(-1).tolist()]


def data(node: Node, moves: frozenset[str] = RESHAPES) -> Node:
    """What was there before it was reshaped."""
    while node.op in moves:
        node = node.inputs[0]
    return node


class OnnxModel:
    """A checked model. `inputs` and `outputs` give ONNX's type numbers by name; `externals` names the files that must lie beside it, with
    the size that each must have at least; `names` are those of its tensors and nodes.

    Raises CorruptArchive, UnsafeArchive, UnsupportedModel.
    """

    def __init__(self, data: Buffer, *, label: str) -> None:
        self.label = label
        self._model = model = _parse(data, label)
        self._version = max((opset.version for opset in model.opset_import if opset.domain in _STANDARD), default=_NEWEST)
        self._functions = {(function.domain, function.name) for function in model.functions}
        self.externals = _externals(_check_model(model, label))
        self._tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        self.inputs = {item.name: item.type.tensor_type.elem_type for item in model.graph.input if item.name not in self._tensors}
        self.outputs = {item.name: item.type.tensor_type.elem_type for item in model.graph.output}
        self.names = [*self._tensors, *(node.name for node in model.graph.node)]
        self._producers = self._index()

    def trace(self, output: str, files: Mapping[str, Buffer]) -> Dataflow:
        """The dataflow that ends in `output`; `files` are the external ones."""
        self._check_files(files)
        done: dict[str, Node] = {}
        path: dict[str, list[str]] = {}
        pending = [output]
        while pending:
            name = pending[-1]
            if name in done:
                pending.pop()
            elif name in path:
                pending.pop()
                done[name] = self._node(name, [done[source] for source in path.pop(name)])
            else:
                path[name] = sources = self._sources(name)
                pending.extend(self._open(source, path) for source in reversed(sources) if source not in done)
        return Dataflow(done[output], tuple(dict.fromkeys(done.values())), files)

    def _index(self) -> dict[str, tuple[onnx.NodeProto, int]]:
        producers: dict[str, tuple[onnx.NodeProto, int]] = {}
        for node in self._model.graph.node:
            for index, name in enumerate(node.output):
                if name in producers or name in self._tensors or name in self.inputs:
                    raise CorruptArchive(f"the value '{name}' of the graph has two sources", where=self.label)
                if name:
                    producers[name] = (node, index)
        return producers

    def _check_files(self, files: Mapping[str, Buffer]) -> None:
        for name, size in self.externals.items():
            found = len(memoryview(files[name]).cast("B")) if name in files else 0
            if name not in files or found < size:
                raise CorruptArchive(f"the data file '{name}' of the model has {found} bytes, and {size} are needed", where=self.label)

    def _sources(self, name: str) -> list[str]:
        if name in self._tensors or name in self.inputs or not name:
            return []
        if name not in self._producers:
            raise CorruptArchive(f"the value '{name}' of the graph comes from nowhere", where=self.label)
        return list(self._producers[name][0].input)

    def _open(self, name: str, path: Mapping[str, object]) -> str:
        if name in path:
            raise CorruptArchive(f"the graph runs in a circle at '{name}'", where=self.label)
        return name

    def _node(self, name: str, inputs: list[Node]) -> Node:
        if not name:
            return Node(name, "Absent")
        if name in self._tensors:
            return Node(name, "Tensor", tensor=self._tensors[name])
        if name in self.inputs:
            return Node(name, "Input")
        definition, index = self._producers[name]
        _check_form(definition, self._version, self.label)
        op = self._operator(definition, index)
        if op == "Constant" and (tensor := _constant(definition, name)) is not None:
            return Node(name, "Tensor", tensor=tensor)
        if op == "Identity" or (op == "Dropout" and len(inputs) < 3):
            return inputs[0]
        return Node(name, op, tuple(inputs), _attributes(definition), references=tuple(definition.input))

    def _operator(self, node: onnx.NodeProto, index: int) -> str:
        op = node.op_type if node.domain in _STANDARD else f"{node.domain}.{node.op_type}"
        if (node.domain, node.op_type) in self._functions:
            op = f"function {op}"
        if op == "Gelu" and _attributes(node).get("approximate", b"none") != b"none":
            op = "Gelu(tanh)"
        return f"{op}:{index}" if index else op


def _parse(data: Buffer, label: str) -> onnx.ModelProto:
    import onnx
    from google.protobuf.message import DecodeError

    model = onnx.ModelProto()
    try:
        model.ParseFromString(memoryview(data).cast("B"))
    except DecodeError as error:
        raise CorruptArchive("not an ONNX model, or a truncated one", where=label, why=str(error)) from error
    _check_text(label, *(item.name for item in (*model.graph.input, *model.graph.output)))
    if not model.graph.output or not model.opset_import:
        raise CorruptArchive("not an ONNX model, or a truncated one", where=label, why="it has no outputs or no operator set")
    return model


def _check_model(model: onnx.ModelProto, label: str) -> list[onnxtensor.External]:
    opsets = (*model.opset_import, *(opset for function in model.functions for opset in function.opset_import))
    _check_text(label, *(opset.domain for opset in opsets), *(text for one in model.functions for text in (one.name, one.domain)))
    for opset in opsets:
        _check_domain(opset.domain, _DECLARED, label)
    for function in model.functions:
        _check_domain(function.domain, _DOMAINS, f"{label}, function '{function.name}'")
    bodies = [model.graph, *model.functions]
    return [place for body in bodies for place in _check_nodes(body, label, 0)]


def _check_nodes(body: onnx.GraphProto | onnx.FunctionProto, label: str, depth: int) -> Iterator[onnxtensor.External]:
    """Judge a graph or function and all that is inside; gives where external tensors lie."""
    if len(body.node) > _MAX_NODES or depth > _MAX_DEPTH:
        raise UnsupportedModel(f"the graph has more than {_MAX_NODES:,} nodes, or is nested too deeply", where=label)
    tensors = list(getattr(body, "initializer", ()))
    sparse = len(getattr(body, "sparse_initializer", ()))
    for node in body.node:
        _check_text(label, node.name, node.op_type, node.domain, *node.input, *node.output, *(one.name for one in node.attribute))
        _check_domain(node.domain, _DOMAINS, f"{label}, node '{node.name}' ({node.op_type})")
        for attribute in node.attribute:
            tensors += [attribute.t] if attribute.HasField("t") or attribute.type == attribute.TENSOR else []
            tensors += attribute.tensors
            sparse += len(attribute.sparse_tensors) + attribute.HasField("sparse_tensor")
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from _check_nodes(inner, label, depth + 1)
    if sparse:
        raise UnsupportedModel("the model has sparse tensors, which cannot be read", where=label)
    for tensor in tensors:
        _check_text(label, tensor.name, *(text for entry in tensor.external_data for text in (entry.key, entry.value)))
        if (place := onnxtensor.check_tensor(tensor, label)) is not None:
            yield place


def _check_form(node: onnx.NodeProto, version: int, label: str) -> None:
    """A standard operator must have the inputs and the kinds of attributes that its definition demands, so that readers may rely on it."""
    import onnx.defs

    where = f"{label}, node '{node.name}' ({node.op_type})"
    if any(attribute.type == attribute.UNDEFINED for attribute in node.attribute if not attribute.ref_attr_name):
        raise CorruptArchive("a node of the graph has an attribute without a type", where=where)
    try:
        schema: Any = onnx.defs.get_schema(node.op_type, min(version, _NEWEST), "" if node.domain in _STANDARD else node.domain)
    except onnx.defs.SchemaError:
        return
    kinds = {name: attribute.type.value for name, attribute in schema.attributes.items()}
    if not schema.min_input <= len(node.input) <= schema.max_input or any(
        kinds.get(one.name, one.type) != one.type for one in node.attribute
    ):
        raise CorruptArchive("a node of the graph has another number of inputs or kind of attribute than its operator", where=where)


def _check_text(label: str, *texts: str) -> None:
    """The library gives bytes for what is not UTF-8."""
    if not all(isinstance(text, str) for text in texts):
        raise CorruptArchive("a name in the graph is not text", where=label)


def _check_domain(domain: str, known: frozenset[str], where: str) -> None:
    if domain not in known:
        raise UnsafeArchive(
            f"the model uses operators of the unknown domain '{domain}'", where=where, hint="known are ONNX's own and com.microsoft"
        )


def _externals(places: list[onnxtensor.External]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for place in places:
        sizes[place.file] = max(sizes.get(place.file, 0), place.offset + place.length)
    return sizes


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    import onnx.helper

    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute if not attribute.ref_attr_name}


def _constant(node: onnx.NodeProto, name: str) -> onnx.TensorProto | None:
    """The tensor of a Constant, which has it in one of several attributes; None where it is not numbers."""
    import numpy as np
    import onnx.numpy_helper

    attributes = _attributes(node)
    if "value" in attributes:
        tensor: onnx.TensorProto = attributes["value"]
        return tensor
    for key, value in attributes.items():
        if key in ("value_float", "value_floats", "value_int", "value_ints"):
            kind = np.float32 if "float" in key else np.int64
            return onnx.numpy_helper.from_array(np.array(value, dtype=kind), name)
    return None
