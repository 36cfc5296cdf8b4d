"""A TensorFlow graph, read as data: which constant and which variable stands where. Nothing in it is ever run.

Strategy: a saved model's GraphDef calls library functions that call others; every weight travels through their arguments. `trace` follows
one output back to its sources and gives a plain dataflow in which calls are inlined and copies (Identity, ReadVariableOp, …) are left out,
so that a MatMul's second input *is* the variable. Functions that only training or saving use are never visited. Those that an If or While
chooses at run time stay operations by themselves; `body` shows what is in them.

Source: tensorflow/core/framework/{graph,function,node_def}.proto.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from hubclient.archive.protobuf import AttrValue, NodeDef, parse_graph
from hubclient.archive.scopes import Argument, Scope, Source, data_inputs, producer
from hubclient.errors import CorruptArchive, UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

VARIABLES = frozenset({"VarHandleOp", "VariableV2", "Variable"})
_MAX_NODES = 100_000
# How many inputs readers may count on: those that TensorFlow's definitions of these operations demand (tensorflow/core/ops/*_ops.cc).
_INPUTS: dict[int, tuple[str, ...]] = {
    1: ("Cast", "Erf", "Erfc", "Exp", "Neg", "Relu", "Rsqrt", "Shape", "Sigmoid", "Sin", "Softmax", "Sqrt", "Square", "Squeeze", "Tanh"),
    2: (
        *("Add", "AddV2", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "BiasAdd", "Equal", "ExpandDims", "Fill", "Gather", "Greater"),
        *("Less", "MatMul", "Maximum", "Mean", "Minimum", "Mul", "NotEqual", "Pad", "Pow", "RealDiv", "Reshape", "ResourceGather"),
        *("SquaredDifference", "Sub", "Sum", "Tile", "Transpose"),
    ),
    3: ("ClipByValue", "GatherV2", "MatrixBandPart", "PadV2", "Range", "Select", "SelectV2"),
    4: ("StridedSlice",),
    5: ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"),
}
_LEAST = {op: count for count, ops in _INPUTS.items() for op in ops}


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """One operation of a dataflow.

    `inputs` are the operations that really produce its inputs, in order, without control inputs; `ports` says which of their outputs, as
    the graph writes it (`0`, `output:1`). `calls` names the function calls it was inlined from; `name` is unique within one such call.
    """

    name: str
    op: str
    inputs: tuple[Node, ...]
    ports: tuple[str, ...]
    calls: tuple[str, ...]
    definition: NodeDef

    @property
    def variable(self) -> str | None:
        """The full name of the variable that this node is (as in `TensorBundle.variables`), if it is one."""
        if self.op not in VARIABLES:
            return None
        shared = self.definition.attr["shared_name"].s if "shared_name" in self.definition.attr else b""
        return shared.decode(errors="replace") or self.name

    def attribute(self, name: str) -> AttrValue:
        if name not in self.definition.attr:
            raise CorruptArchive(f"graph node '{self.name}' ({self.op}) has no attribute '{name}'")
        return self.definition.attr[name]

    def upstream(self, *, stop: Collection[str] = ()) -> Iterator[Node]:
        """What this node is computed from, nearest first, each once; the search goes no further than operations named in `stop`."""
        seen: set[Node] = {self}
        queue = deque(self.inputs)
        while queue:
            node = queue.popleft()
            if node not in seen:
                seen.add(node)
                yield node
                queue.extend(() if node.op in stop else node.inputs)

    def __repr__(self) -> str:
        return f"<{self.op} {self.name}>"


@dataclass(frozen=True, eq=False)
class Dataflow:
    """Everything that `output` is computed from. In `nodes`, producers come before their consumers.

    `port` says which of the output's outputs is meant; `graph` has the bodies that its nodes choose from.
    """

    output: Node
    nodes: tuple[Node, ...]
    port: str
    graph: Graph

    def consumers(self, node: Node) -> tuple[Node, ...]:
        return self._consumers.get(node, ())

    @cached_property
    def variables(self) -> dict[str, Node]:
        """Full variable name -> node, of the variables that the output depends on."""
        return {name: node for node in self.nodes if (name := node.variable) is not None}

    @cached_property
    def _consumers(self) -> dict[Node, tuple[Node, ...]]:
        groups: dict[Node, list[Node]] = {}
        for node in self.nodes:
            for source in dict.fromkeys(node.inputs):
                groups.setdefault(source, []).append(node)
        return {source: tuple(nodes) for source, nodes in groups.items()}


@dataclass(frozen=True, eq=False)
class Body:
    """A function by itself: `results` (node and port) are computed from `arguments`, which are nodes of the operation ARGUMENT.

    In `nodes`, producers come before their consumers; an argument that nothing is computed from is not among them.
    """

    arguments: tuple[str, ...]
    results: tuple[tuple[Node, str], ...]
    nodes: tuple[Node, ...]


class Graph:
    """A parsed GraphDef: `definitions` are the nodes of its top level, `functions` its library."""

    def __init__(self, data: bytes, *, label: str = "saved_model.pb") -> None:
        self.label = label
        definition = parse_graph(data, label)
        self.definitions: Mapping[str, NodeDef] = {node.name: node for node in definition.node}
        self.functions = {function.signature.name: function for function in definition.library.function}

    def trace(self, output: str) -> Dataflow:
        """The dataflow that ends in the top-level tensor `output`, e.g. `StatefulPartitionedCall:0` (the archive's `logits` signature)."""
        source, port = producer(Scope(self.label, self.definitions, self.functions), output)
        done = self._follow([source])
        return Dataflow(done[source], tuple(done.values()), port, self)

    def body(self, name: str) -> Body:
        """The function `name` of the library, in which an If or a While finds what it does."""
        function = self.functions.get(name)
        if function is None:
            raise CorruptArchive(f"the graph chooses the function '{name}', which is not there", where=self.label)
        arguments = tuple(argument.name for argument in function.signature.input_arg)
        outside = Scope(self.label, {argument: Argument(argument) for argument in arguments}, self.functions)
        nodes = {node.name: node for node in function.node_def}
        scope = Scope(self.label, nodes, self.functions, (name,), {argument: (outside, argument) for argument in arguments})
        outputs = [output.name for output in function.signature.output_arg]
        if missing := [output for output in outputs if output not in function.ret]:
            raise CorruptArchive(f"the function '{name}' does not say what its output '{missing[0]}' is", where=self.label)
        results = [producer(scope, function.ret[output]) for output in outputs]
        done = self._follow([source for source, _ in results])
        return Body(arguments, tuple((done[source], port) for source, port in results), tuple(done.values()))

    def _follow(self, targets: list[Source]) -> dict[Source, Node]:
        """The targets and all that they are computed from, producers first."""
        done: dict[Source, Node] = {}
        path: dict[Source, list[tuple[Source, str]]] = {}
        pending = targets[::-1]
        while pending:
            source = pending[-1]
            if source in done:
                pending.pop()
            elif source in path:
                pending.pop()
                done[source] = _node(source, path.pop(source), done)
            else:
                path[source] = inputs = [producer(source.scope, text) for text in data_inputs(source.definition)]
                pending.extend(self._open(input_, path, len(done) + len(path)) for input_, _ in reversed(inputs) if input_ not in done)
        return done

    def _open(self, source: Source, path: Mapping[Source, object], count: int) -> Source:
        if source in path:
            raise UnsupportedModel(f"the graph runs in a circle at node '{source.definition.name}'", where=self.label)
        if count > _MAX_NODES:
            raise UnsupportedModel(f"the graph has more than {_MAX_NODES:,} nodes", where=self.label)
        return source


def _node(source: Source, inputs: list[tuple[Source, str]], done: Mapping[Source, Node]) -> Node:
    definition = source.definition
    nodes = tuple(done[input_] for input_, _ in inputs)
    if len(nodes) < (least := _LEAST.get(definition.op, 0)):
        raise CorruptArchive(f"graph node '{definition.name}' ({definition.op}) has {len(nodes)} inputs, and needs {least}")
    return Node(definition.name, definition.op, nodes, tuple(port for _, port in inputs), source.scope.calls, definition)
