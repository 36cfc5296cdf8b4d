"""How the nodes of a GraphDef refer to each other, across function calls.

Strategy: a scope is a body of nodes as called from one place; a reference is resolved by walking through copies, arguments (to the caller)
and calls (into the callee's outputs), without recursion, until a node that computes something is reached.

Source: tensorflow/core/framework/{node_def,function,op_def}.proto. An input is written `node`, `node:1` or `^control` at the top level, and
`argument`, `node:output:0` or `^control` within a function.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from hubclient.errors import CorruptArchive, UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hubclient.archive.protobuf import AttrValue, FunctionDef, NodeDef

ARGUMENT = "_Arg"  # TensorFlow's own name for what stands for an argument
_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
_COPIES = frozenset({"Identity", "ReadVariableOp", "StopGradient", "PreventGradient", "Snapshot", "CheckNumerics", "EnsureShape"})
_MAX_CALLS = 32
_MAX_HOPS = 1_000


@dataclass(eq=False)
class Argument:
    """What stands in for an argument of a function that is looked at by itself: a NodeDef without inputs."""

    name: str
    op: str = ARGUMENT
    input: Sequence[str] = ()
    attr: Mapping[str, AttrValue] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Scope:
    """`arguments` are references into the caller's scope; `functions` is the library that all scopes share."""

    label: str
    definitions: Mapping[str, NodeDef]
    functions: Mapping[str, FunctionDef]
    calls: tuple[str, ...] = ()
    arguments: Mapping[str, tuple[Scope, str]] = field(default_factory=dict)
    callees: dict[str, Scope] = field(default_factory=dict)

    @property
    def where(self) -> str:
        return f"{self.label}, in {' > '.join(self.calls)}" if self.calls else self.label


class Source(NamedTuple):
    """A node in its scope, both told apart by identity: equal definitions are called from several places."""

    scope: Scope
    name: str

    @property
    def definition(self) -> NodeDef:
        return self.scope.definitions[self.name]


def data_inputs(definition: NodeDef) -> list[str]:
    return [text for text in definition.input if not text.startswith("^")]


def producer(scope: Scope, reference: str) -> tuple[Source, str]:
    """The node that computes what `reference` names, and which of its outputs that is (`0`, `output:1`)."""
    start, place = reference, scope
    for _ in range(_MAX_HOPS):
        name, _, port = reference.partition(":")
        if name in scope.arguments:
            scope, reference = scope.arguments[name]
            continue
        definition = scope.definitions.get(name)
        if definition is None:
            raise CorruptArchive(f"the graph refers to '{reference}', which is not there", where=scope.where)
        if definition.op in _COPIES and len(definition.input) > 0:
            reference = definition.input[0]
        elif definition.op == "IdentityN":
            reference = _copied(scope, definition, port or "0")
        elif (function := _callee(scope, definition)) is not None:
            reference = _returned(scope, definition, function, port or "0")
            scope = _enter(scope, definition, function)
        else:
            return Source(scope, name), port or "0"
    raise UnsupportedModel(f"'{start}' leads nowhere in the graph", where=place.where)


def _copied(scope: Scope, definition: NodeDef, port: str) -> str:
    """Which input of an IdentityN one of its outputs is; Keras wraps functions with gradients of their own in it."""
    inputs, index = data_inputs(definition), port.rpartition(":")[2]
    if not index.isdecimal() or int(index) >= len(inputs):
        raise CorruptArchive(f"graph node '{definition.name}' has no output '{port}'", where=scope.where)
    return inputs[int(index)]


def _callee(scope: Scope, definition: NodeDef) -> FunctionDef | None:
    """The function that a node calls: named by an attribute, or by the operation itself (TensorFlow 1)."""
    if definition.op not in _CALLS:
        return scope.functions.get(definition.op)
    name = definition.attr["f"].func.name if "f" in definition.attr else ""
    if name not in scope.functions:
        raise CorruptArchive(f"graph node '{definition.name}' calls the function '{name}', which is not there", where=scope.where)
    return scope.functions[name]


def _returned(scope: Scope, definition: NodeDef, function: FunctionDef, port: str) -> str:
    """Within the function, what one output of a call to it refers to. Calls by attribute number their outputs, the others name them."""
    name, _, index = port.rpartition(":")
    outputs = [output.name for output in function.signature.output_arg]
    if definition.op in _CALLS or not name:
        name = outputs[int(index)] if index.isdecimal() and int(index) < len(outputs) else ""
    if name not in function.ret:
        raise CorruptArchive(f"the function '{function.signature.name}' has no output '{port}'", where=scope.where)
    return function.ret[name]


def _enter(scope: Scope, definition: NodeDef, function: FunctionDef) -> Scope:
    if definition.name in scope.callees:
        return scope.callees[definition.name]
    if len(scope.calls) >= _MAX_CALLS:
        raise UnsupportedModel(f"function calls are nested more than {_MAX_CALLS} deep", where=scope.where)
    names = [argument.name for argument in function.signature.input_arg]
    inputs = data_inputs(definition)
    if len(names) != len(inputs):
        what = f"graph node '{definition.name}' gives {len(inputs)} arguments to a function of {len(names)}"
        raise CorruptArchive(what, where=scope.where)
    arguments = {name: (scope, text) for name, text in zip(names, inputs, strict=True)}
    nodes = {node.name: node for node in function.node_def}
    callee = Scope(scope.label, nodes, scope.functions, (*scope.calls, definition.name), arguments)
    scope.callees[definition.name] = callee
    return callee
