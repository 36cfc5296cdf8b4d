"""Carrying out the nodes of a dataflow in their order, and the ways that an If, a While or a Switch takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from hubclient.archive.calculate.operators import OPERATORS
from hubclient.archive.calculate.sources import Sources
from hubclient.archive.calculate.step import Array, Step
from hubclient.archive.graph import VARIABLES
from hubclient.archive.scopes import ARGUMENT
from hubclient.errors import UnsupportedModel

if TYPE_CHECKING:
    from hubclient.archive.calculate.budget import Budget
    from hubclient.archive.graph import Body, Dataflow, Graph, Node

_SLACK = 4096  # bytes that a small view may keep alive beyond its own
_LENT = frozenset({*VARIABLES, ARGUMENT, "Placeholder"})  # whoever gave these keeps them anyway
_CONTROL_OUTPUTS = {"Switch": ("output_false", "output_true"), "Merge": ("output", "value_index")}

# None is the value of what a Switch does not let through, and of all that is computed from it.
Values = Sequence[Array | None]


class Machine:
    """One calculation; `variable` and `feeds` as `calculate` has them."""

    def __init__(self, graph: Graph, feeds: Mapping[str, Array], variable: Callable[[str], Array], budget: Budget) -> None:
        self._graph = graph
        self._sources = Sources(feeds, variable)
        self._budget = budget
        self._bodies: dict[str, Body] = {}
        self._depth = 0

    def answer(self, flow: Dataflow) -> Array:
        with np.errstate(all="ignore"):
            (value,) = self._run(flow.nodes, [(flow.output, flow.port)], {})
        return value

    def _run(self, nodes: Sequence[Node], results: Sequence[tuple[Node, str]], arguments: Mapping[str, Array]) -> list[Array]:
        """What `nodes` (producers first) give for `results`; what nothing needs any more is let go on the way."""
        uses = Counter(source for node in nodes for source in set(node.inputs)) + Counter(node for node, _ in results)
        values: dict[Node, Values] = {}
        sizes: dict[Node, int] = {}
        for node in nodes:
            step = Step(node, self._budget)
            self._budget.operate(step.where)
            inputs = [_output(source, port, values[source]) for source, port in zip(node.inputs, node.ports, strict=True)]
            values[node] = [None if value is None else _compact(value) for value in self._outputs(step, inputs, arguments)]
            sizes[node] = 0 if node.op in _LENT else sum(value.nbytes for value in values[node] if value is not None)
            self._budget.hold(sizes[node], step.where)
            self._budget.work(0, sum(value.size for value in (*inputs, *values[node]) if value is not None), step.where)
            for source in set(node.inputs):
                uses[source] -= 1
                if not uses[source]:
                    del values[source]
                    self._budget.release(sizes[source])
        answers = [(Step(node, self._budget), _output(node, port, values[node])) for node, port in results]
        self._budget.release(sum(sizes[node] for node in values))
        return [_alive(step, value) for step, value in answers]

    def _outputs(self, step: Step, inputs: Values, arguments: Mapping[str, Array]) -> Values:
        op = step.node.op
        if op == "Merge":
            return _merged(step, inputs)
        alive = [value for value in inputs if value is not None]
        if len(alive) < len(inputs):
            return ()
        if op == ARGUMENT and step.node.name in arguments:
            return (arguments[step.node.name],)
        if (value := self._sources.value(step)) is not None:
            return (value,)
        if op == "Switch":
            return _switched(step, alive)
        if op in ("If", "StatelessIf"):
            return self._chosen(step, alive)
        if op in ("While", "StatelessWhile"):
            return self._repeated(step, alive)
        return _applied(step, alive)

    def _chosen(self, step: Step, inputs: Sequence[Array]) -> Values:
        if not inputs:
            raise step.wrong("it has no predicate")
        return self._called(step, "then_branch" if _holds(inputs[0]) else "else_branch", inputs[1:])

    def _repeated(self, step: Step, inputs: Sequence[Array]) -> Values:
        while True:
            self._budget.operate(step.where)
            size = sum(value.nbytes for value in inputs)
            self._budget.hold(size, step.where)
            condition = self._called(step, "cond", inputs)
            if len(condition) != 1:
                raise step.wrong(f"its condition gives {len(condition)} values")
            if not _holds(condition[0]):
                self._budget.release(size)
                return inputs
            following = self._called(step, "body", inputs)
            self._budget.release(size)
            if [value.dtype for value in following] != [value.dtype for value in inputs]:
                raise step.wrong("its body does not give what it takes")
            inputs = following

    def _called(self, step: Step, attribute: str, inputs: Sequence[Array]) -> list[Array]:
        name = step.node.attribute(attribute).func.name
        if name not in self._bodies:
            self._bodies[name] = self._graph.body(name)
        body = self._bodies[name]
        if len(body.arguments) != len(inputs):
            raise step.wrong(f"it gives {len(inputs)} arguments to a function of {len(body.arguments)}")
        if self._depth >= self._budget.limits.depth:
            raise step.unsupported(f"functions are chosen more than {self._depth} deep")
        self._depth += 1
        results = self._run(body.nodes, body.results, dict(zip(body.arguments, inputs, strict=True)))
        self._depth -= 1
        return results


def _applied(step: Step, inputs: Sequence[Array]) -> Sequence[Array]:
    operator = OPERATORS.get(step.node.op)
    if operator is None:
        raise step.unsupported("it is not one of those that are known to do nothing but arithmetic")
    operator.check(step, inputs)
    try:
        result = operator.apply(step, *inputs)
    except (ValueError, IndexError, TypeError, ArithmeticError) as error:
        raise step.wrong(str(error)) from error
    except MemoryError as error:
        raise step.unsupported("there is not enough memory") from error
    return [np.asarray(value) for value in result] if isinstance(result, tuple | list) else [np.asarray(result)]


def _output(source: Node, port: str, values: Values) -> Array | None:
    """One output of a node. Its number is given, or a name and a number (`z:0`), which counts from there."""
    if not values:
        return None
    name, _, number = port.rpartition(":")
    names = _CONTROL_OUTPUTS.get(source.op) or (OPERATORS[source.op].outputs if source.op in OPERATORS else ())
    index = int(number) if number.isdecimal() and len(number) < 9 else len(values)
    if name and names:
        index = names.index(name) if name in names else len(values)
    if index >= len(values):
        raise UnsupportedModel(
            f"the operator {source.op} has no output '{port}' that can be worked out", where=f"graph node '{source.name}'"
        )
    return values[index]


def _compact(value: Array) -> Array:
    """A view that keeps much more alive than it shows is made a value of its own."""
    owner = value
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    return value.copy() if owner.nbytes > 2 * value.nbytes + _SLACK else value


def _alive(step: Step, value: Array | None) -> Array:
    if value is None:
        raise step.wrong("it is computed from what a Switch does not let through")
    return value


def _holds(predicate: Array) -> bool:
    """TensorFlow's truth: of a scalar that it is not zero, of anything else that it is not empty."""
    return bool(predicate) if predicate.ndim == 0 else predicate.size > 0


def _switched(step: Step, inputs: Sequence[Array]) -> Values:
    if len(inputs) != 2 or inputs[1].dtype.kind != "b" or inputs[1].ndim:
        raise step.wrong("it takes a value and a truth value")
    return (None, inputs[0]) if inputs[1] else (inputs[0], None)


def _merged(step: Step, inputs: Values) -> Values:
    alive = [(index, value) for index, value in enumerate(inputs) if value is not None]
    if len(alive) > 1:
        raise step.unsupported(f"{len(alive)} of its inputs are there, and it takes whichever comes first")
    return [part for index, value in alive for part in (value, np.array(index, np.int32))]
