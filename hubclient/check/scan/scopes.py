"""What the names in a Python module stand for, as far as the text tells: imports, constants, aliases.

The rules are those of Python's reference, section 4.2: a name is looked up in its own scope and the functions around it, and a class's
body is seen by itself alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from hubclient.check.scan.call import Unknown, Value
from hubclient.check.scan.libraries import UNBOUND

_DEEPEST = 40
_MOST = 4  # ways to bind a name that are looked at
_LONGEST = 1000  # characters of a name, and of a list of NLU references
_UNKNOWN = Unknown("")
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True)
class Imported:
    """`origin`: the module's dotted name, with that of the thing in it. One of the same package begins with a dot."""

    origin: str


@dataclass(frozen=True)
class Assigned:
    value: ast.expr


@dataclass(frozen=True)
class Typed:
    """A parameter or a variable of which the class is told."""

    annotation: ast.expr


@dataclass(frozen=True)
class Otherwise:
    """A name that is bound to what nobody can tell: by a loop, a definition, a parameter."""


Binding = Imported | Assigned | Typed | Otherwise


@dataclass(eq=False)
class Scope:
    """`elsewhere`: names that are declared global or nonlocal, and the scopes that have them."""

    parent: Scope | None = None
    is_class: bool = False
    is_comprehension: bool = False
    names: dict[str, list[Binding]] = field(default_factory=dict)
    elsewhere: dict[str, Scope] = field(default_factory=dict)

    def bind(self, name: str, binding: Binding) -> None:
        self.elsewhere.get(name, self).names.setdefault(name, []).append(binding)

    def lookup(self, name: str) -> tuple[Sequence[Binding], Scope] | None:
        """The bindings, and the scope that has them; None if nothing in the module binds the name."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names and (scope is self or not scope.is_class):
                return scope.names[name], scope
            scope = scope.parent
        return None

    @property
    def around_comprehensions(self) -> Scope:
        """Where `:=` binds."""
        scope = self
        while scope.is_comprehension and scope.parent is not None:
            scope = scope.parent
        return scope

    @property
    def module(self) -> Scope:
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope


@dataclass
class Module:
    """`calls`: every call with its scope, in the order of the text. `stars`: the modules of which everything is imported. `attributes`:
    what is assigned to dotted names (`self.hub`), with its scope. `imported`: every module that is imported from."""

    calls: list[tuple[ast.Call, Scope]] = field(default_factory=list)
    stars: list[str] = field(default_factory=list)
    attributes: dict[str, list[tuple[ast.expr, Scope]]] = field(default_factory=dict)
    imported: set[str] = field(default_factory=set)
    # Each name is followed once, however many lead to it: names that lead in circles, or double at every step, take no longer.
    _origins: dict[tuple[str, Scope], list[str]] = field(default_factory=dict)
    _values: dict[tuple[str, Scope], Value] = field(default_factory=dict)

    def origins(self, expression: ast.expr, scope: Scope, depth: int = 0) -> list[str]:
        """The dotted names of what an expression may stand for; a call is written `()`. Empty if nobody can tell."""
        if depth > _DEEPEST:
            return []
        if isinstance(expression, ast.Name):
            return self._name_origins(expression.id, scope, depth)
        if isinstance(expression, ast.Attribute):
            return self._attribute_origins(expression, scope, depth)
        if isinstance(expression, ast.Call):
            return [f"{origin}()" for origin in self.origins(expression.func, scope, depth + 1)]
        return []

    def value(self, expression: ast.expr, scope: Scope, depth: int = 0) -> Value:
        """A text that is the same whenever the program runs, or None where `None` is written."""
        parts: list[ast.expr] = []
        if depth > _DEEPEST:
            return _UNKNOWN
        if isinstance(expression, ast.Constant):
            return expression.value if isinstance(expression.value, str | None) else _UNKNOWN
        if isinstance(expression, ast.Name):
            return self._constant(expression.id, scope, depth)
        if isinstance(expression, ast.JoinedStr):
            parts = [_formatted(part) for part in expression.values]
        elif isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.Add):
            parts = _summands(expression)
        else:
            return _UNKNOWN
        return self._joined(parts, scope, depth)

    def _joined(self, parts: Sequence[ast.expr], scope: Scope, depth: int) -> Value:
        text = ""
        for part in parts:
            more = self.value(part, scope, depth + 1)
            if not isinstance(more, str) or len(text) > _LONGEST:
                return _UNKNOWN
            text += more
        return text

    def _constant(self, name: str, scope: Scope, depth: int) -> Value:
        found = scope.lookup(name)
        if not found or len(found[0]) != 1 or not isinstance(binding := found[0][0], Assigned):
            return _UNKNOWN
        key = (name, found[1])
        if key not in self._values:
            self._values[key] = _UNKNOWN
            self._values[key] = self.value(binding.value, found[1], depth + 1)
        return self._values[key]

    def _name_origins(self, name: str, scope: Scope, depth: int) -> list[str]:
        found = scope.lookup(name)
        if found is None:
            return [*(f"{star}.{name}" for star in self.stars), f"{UNBOUND}.{name}"]
        key = (name, found[1])
        if key not in self._origins:
            self._origins[key] = []
            origins = (origin for binding in found[0][:_MOST] for origin in self._binding_origins(binding, found[1], depth))
            self._origins[key] = list(islice(origins, _MOST))
        return self._origins[key]

    def _binding_origins(self, binding: Binding, scope: Scope, depth: int) -> list[str]:
        if isinstance(binding, Imported):
            return [binding.origin]
        if isinstance(binding, Assigned):
            return self.origins(binding.value, scope, depth + 1)
        if isinstance(binding, Typed):
            return [f"{origin}()" for origin in self.origins(_class_of(binding.annotation), scope, depth + 1)]
        return []

    def _attribute_origins(self, expression: ast.Attribute, scope: Scope, depth: int) -> list[str]:
        name = dotted(expression) or ""
        assigned = self.attributes.get(name)
        if not assigned:
            return [f"{origin}.{expression.attr}" for origin in self.origins(expression.value, scope, depth + 1)]
        key = (name, scope.module)
        if key not in self._origins:
            self._origins[key] = []
            origins = (origin for value, where in assigned[:_MOST] for origin in self.origins(value, where, depth + 1))
            self._origins[key] = list(islice(origins, _MOST))
        return self._origins[key]


def read_module(body: Sequence[ast.stmt]) -> Module:
    """Walk through the statements once, without recursion: generated code is nested deeply."""
    module, top = Module(), Scope()
    left: list[tuple[ast.AST, Scope]] = [(statement, top) for statement in reversed(body)]
    while left:
        node, scope = left.pop()
        if isinstance(node, ast.Call):
            module.calls.append((node, scope))
        _bind(module, node, scope)
        left.extend(reversed(list(_children(node, scope))))
    module.calls.sort(key=lambda item: (item[0].lineno, item[0].col_offset))
    return module


def dotted(expression: ast.expr) -> str | None:
    """`a.b.c` as it is written; None for anything else."""
    names = []
    while isinstance(expression, ast.Attribute):
        names.append(expression.attr)
        expression = expression.value
    return ".".join((expression.id, *reversed(names))) if isinstance(expression, ast.Name) else None


def _children(node: ast.AST, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
    """The parts of a node, each with its scope."""
    if isinstance(node, Function):
        inner = Scope(scope)
        _bind_parameters(node.args, inner)
        yield from ((part, scope) for part in _outside(node))
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        yield from ((part, inner) for part in body)
    elif isinstance(node, ast.ClassDef):
        inner = Scope(scope, is_class=True)
        yield from ((part, scope) for part in (*node.decorator_list, *node.bases, *node.keywords))
        yield from ((part, inner) for part in node.body)
    elif isinstance(node, _COMPREHENSIONS):
        inner = Scope(scope, is_comprehension=True)
        yield from ((generator, inner) for generator in node.generators)
        yield from ((part, inner) for part in ast.iter_child_nodes(node) if not isinstance(part, ast.comprehension))
    else:
        yield from ((part, scope) for part in ast.iter_child_nodes(node))


def _outside(node: Function) -> Iterator[ast.AST]:
    """What of a function is worked out where it is defined."""
    yield from (default for default in (*node.args.defaults, *node.args.kw_defaults) if default)
    if not isinstance(node, ast.Lambda):
        yield from node.decorator_list


def _bind_parameters(arguments: ast.arguments, scope: Scope) -> None:
    for parameter in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        scope.bind(parameter.arg, Typed(parameter.annotation) if parameter.annotation else Otherwise())
    for several in (arguments.vararg, arguments.kwarg):
        if several:
            scope.bind(several.arg, Otherwise())


def _bind(module: Module, node: ast.AST, scope: Scope) -> None:
    """Note what a node binds in its scope."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        _bind_import(module, node, scope)
    elif isinstance(node, ast.Global | ast.Nonlocal):
        for name in node.names:
            scope.elsewhere[name] = scope.module if isinstance(node, ast.Global) else _holder(scope, name)
    elif isinstance(node, ast.AnnAssign) and node.value is None:
        if isinstance(node.target, ast.Name):
            scope.bind(node.target.id, Typed(node.annotation))
    else:
        for target, value in _assignments(node):
            _assign(module, target, value, scope.around_comprehensions if isinstance(node, ast.NamedExpr) else scope)
        for name in _bound_otherwise(node):
            scope.bind(name, Otherwise())


def _assignments(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Targets and their values."""
    if isinstance(node, ast.Assign):
        yield from ((target, node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        yield node.target, node.value
    elif isinstance(node, ast.With | ast.AsyncWith):
        yield from ((item.optional_vars, item.context_expr) for item in node.items if item.optional_vars)


def _bound_otherwise(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension | ast.AugAssign):
        yield from _targets(node.target)
    elif isinstance(node, ast.Delete):
        for target in node.targets:
            yield from _targets(target)
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        if node.name:
            yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def _bind_import(module: Module, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
    if isinstance(node, ast.Import):
        for alias in node.names:
            module.imported.add(alias.name)
            root = alias.name.partition(".")[0]
            scope.bind(alias.asname or root, Imported(alias.name if alias.asname else root))
        return
    source = "." * node.level + (node.module or "")
    module.imported.add(source)
    for alias in node.names:
        if alias.name == "*":
            module.stars.append(source)
        else:
            scope.bind(alias.asname or alias.name, Imported(f"{source}.{alias.name}"))


def _assign(module: Module, target: ast.expr, value: ast.expr, scope: Scope) -> None:
    if isinstance(target, ast.Name):
        scope.bind(target.id, Assigned(value))
    elif isinstance(target, ast.Attribute):
        if name := dotted(target):
            module.attributes.setdefault(name, []).append((value, scope))
    elif isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List) and _pairs(target, value):
        for part, item in zip(target.elts, value.elts, strict=True):
            _assign(module, part, item, scope)
    else:
        for name in _targets(target):
            scope.bind(name, Otherwise())


def _pairs(target: ast.Tuple | ast.List, value: ast.Tuple | ast.List) -> bool:
    starred = any(isinstance(part, ast.Starred) for part in (*target.elts, *value.elts))
    return not starred and len(target.elts) == len(value.elts)


def _targets(target: ast.expr) -> Iterator[str]:
    """The names that an assignment to this binds."""
    left = [target]
    while left:
        part = left.pop()
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Tuple | ast.List):
            left.extend(part.elts)
        elif isinstance(part, ast.Starred):
            left.append(part.value)


def _holder(scope: Scope, name: str) -> Scope:
    """The function around this one that has the name."""
    found = scope.parent.lookup(name) if scope.parent else None
    return found[1] if found else scope


def _class_of(annotation: ast.expr) -> ast.expr:
    """The class in `C`, `C | None`, `Optional[C]`."""
    if isinstance(annotation, ast.BinOp):
        return annotation.left
    return annotation.slice if isinstance(annotation, ast.Subscript) else annotation


def _formatted(part: ast.expr) -> ast.expr:
    """What stands in `{…}`, where it is put in as it is."""
    if isinstance(part, ast.FormattedValue) and part.conversion == -1 and part.format_spec is None:
        return part.value
    return part


def _summands(expression: ast.expr) -> list[ast.expr]:
    """`a + b + c`, however many there are."""
    parts = []
    while isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.Add):
        parts.append(expression.right)
        expression = expression.left
    return [expression, *reversed(parts)]
