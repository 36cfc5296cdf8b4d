"""A TensorFlow graph, read as data: which constant and which variable stands where. Nothing in it is ever run.

Strategy: a saved model's GraphDef calls library functions that call others; every weight travels through their arguments. `trace` follows
one output back to its sources and gives a plain dataflow in which calls are inlined and copies (Identity, ReadVariableOp, …) are left out,
so that a MatMul's second input *is* the variable. Functions that only training or saving use are never visited.

Source: tensorflow/core/framework/{graph,function,node_def}.proto.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from hubclient.archive.protobuf import AttrValue, NodeDef, parse_graph
from hubclient.archive.scopes import Scope, Source, data_inputs, producer
from hubclient.errors import CorruptArchive, UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

VARIABLES = frozenset({"VarHandleOp", "VariableV2", "Variable"})
_MAX_NODES = 100_000


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
    """Everything that `output` is computed from. In `nodes`, producers come before their consumers."""

    output: Node
    nodes: tuple[Node, ...]

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


class Graph:
    """A parsed GraphDef: `definitions` are the nodes of its top level, `functions` its library."""

    def __init__(self, data: bytes, *, label: str = "saved_model.pb") -> None:
        self.label = label
        definition = parse_graph(data, label)
        self.definitions: Mapping[str, NodeDef] = {node.name: node for node in definition.node}
        self.functions = {function.signature.name: function for function in definition.library.function}

    def trace(self, output: str) -> Dataflow:
        """The dataflow that ends in the top-level tensor `output`, e.g. `StatefulPartitionedCall:0` (the archive's `logits` signature)."""
        top = Scope(self.label, self.definitions, self.functions)
        target = producer(top, output)
        done: dict[Source, Node] = {}
        path: dict[Source, list[tuple[Source, str]]] = {}
        pending = [target[0]]
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
        return Dataflow(done[target[0]], tuple(done.values()))

    def _open(self, source: Source, path: Mapping[Source, object], count: int) -> Source:
        if source in path:
            raise UnsupportedModel(f"the graph runs in a circle at node '{source.definition.name}'", where=self.label)
        if count > _MAX_NODES:
            raise UnsupportedModel(f"the graph has more than {_MAX_NODES:,} nodes", where=self.label)
        return source


def _node(source: Source, inputs: list[tuple[Source, str]], done: Mapping[Source, Node]) -> Node:
    definition = source.definition
    nodes = tuple(done[input_] for input_, _ in inputs)
    return Node(definition.name, definition.op, nodes, tuple(port for _, port in inputs), source.scope.calls, definition)
