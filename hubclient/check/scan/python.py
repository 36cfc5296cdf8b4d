"""Python source: the calls that load models, by its syntax tree. Nothing of it is run or imported."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterator, Sequence

from hubclient.check.scan.call import PARAMETERS, Call, Kind, Unknown, Value, shortened
from hubclient.check.scan.libraries import UNBOUND, Loading, is_own, is_spark_nlp, loading, may_load
from hubclient.check.scan.scopes import Module, Scope, dotted, read_module
from hubclient.check.scan.unreadable import Unreadable

_LINE_END = re.compile(r"\r\n|\r|\n")
# The receivers of which a class's own method is called so.
_OWN_METHODS = {"self", "cls"}


def python_calls(data: bytes) -> Iterator[Call]:
    """The calls in the source, in its order. Raises Unreadable."""
    text = decoded(data)
    body = parsed(text).body
    return calls_of(body, lines_of(text)) if may_load(text) else iter(())


def decoded(data: bytes) -> str:
    """The text, in the encoding that its first lines state, or UTF-8. Raises Unreadable."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding).removeprefix("\ufeff")
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise Unreadable(f"its encoding is not what it says: {error}") from error


def parsed(text: str) -> ast.Module:
    """Raises Unreadable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        raise Unreadable(error.msg, error.lineno) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(str(error) or "it is nested too deeply") from error


def lines_of(text: str) -> list[str]:
    """As the syntax tree counts them."""
    return _LINE_END.split(text)


def calls_of(body: Sequence[ast.stmt], lines: Sequence[str]) -> Iterator[Call]:
    """The calls in statements that were parsed from these lines."""
    module = read_module(body)
    for node, scope in module.calls:
        if found := _loading(module, node.func, scope):
            yield _call(module, node, scope, found, lines)


def _loading(module: Module, function: ast.expr, scope: Scope) -> Loading | None:
    """What the function is: told by where its name comes from, else by the libraries that the module imports."""
    origins = module.origins(function, scope)
    for origin in origins:
        if found := loading(origin):
            return found
    if not isinstance(function, ast.Attribute) or function.attr not in ("pretrained", "pull"):
        return None
    receivers = module.origins(function.value, scope)
    if receivers and not all(origin.startswith(UNBOUND) for origin in receivers):
        return None
    return _by_imports(module, function, scope)


def _by_imports(module: Module, function: ast.Attribute, scope: Scope) -> Loading | None:
    """`hub.pull(…)`, `annotator.pretrained(…)` where the receiver is a parameter or the like."""
    receiver = function.value
    if isinstance(receiver, ast.Name) and (receiver.id in _OWN_METHODS or _defined_here(receiver.id, scope)):
        return None
    if isinstance(receiver, ast.Call) and dotted(receiver.func) == "super":
        return None
    if function.attr == "pretrained" and any(map(is_spark_nlp, module.imported)):
        return Loading("annotator")
    if not any(map(is_own, module.imported)):
        return None
    if function.attr == "pretrained":
        return Loading("pretrained")
    # Repositories and images are pulled as well.
    return Loading("pull") if "hub" in (dotted(receiver) or "").rpartition(".")[2].casefold() else None


def _defined_here(name: str, scope: Scope) -> bool:
    found = scope.lookup(name)
    return found is not None and name[:1].isupper()


def _call(module: Module, node: ast.Call, scope: Scope, found: Loading, lines: Sequence[str]) -> Call:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    line = node.func.end_lineno or node.func.lineno
    end = _column(lines, line, node.func.end_col_offset or 0)
    column = end - len(name) if name else _column(lines, line, node.func.col_offset)
    arguments = {parameter: _value(module, value, scope, lines) for parameter, value in _given(node, found.kind)}
    return Call(found.kind, line, column + 1, arguments, shortened(_segment(node, lines)), found.annotator)


def _given(node: ast.Call, kind: Kind) -> Iterator[tuple[str, ast.expr]]:
    """The arguments by parameters. What `*` and `**` may give as well is there too, as that expression."""
    parameters = PARAMETERS[kind]
    named = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    packed = [keyword.value for keyword in node.keywords if keyword.arg is None]
    for number, argument in enumerate(node.args):
        if isinstance(argument, ast.Starred):
            packed.append(argument)
            parameters = parameters[number:]
            break
        if number < len(parameters):
            yield parameters[number], argument
    else:
        parameters = parameters[len(node.args) :]
    yield from named.items()
    if packed:
        yield from ((parameter, packed[0]) for parameter in parameters[:2] if parameter not in named)


def _value(module: Module, expression: ast.expr, scope: Scope, lines: Sequence[str]) -> Value:
    value = module.value(expression, scope)
    return Unknown(shortened(_segment(expression, lines))) if isinstance(value, Unknown) else value


def _segment(node: ast.expr, lines: Sequence[str]) -> str:
    """The first lines of a node, as they are written."""
    first, last = node.lineno, node.end_lineno or node.lineno
    shown = list(lines[first - 1 : min(last, first + 5)])
    if shown and last - first < len(shown):
        shown[-1] = shown[-1][: _column(lines, last, node.end_col_offset or 0)]
    if shown:
        shown[0] = shown[0][_column(lines, first, node.col_offset) :]
    return "\n".join(shown)


def _column(lines: Sequence[str], line: int, offset: int) -> int:
    """A position in characters; the syntax tree counts the bytes of UTF-8."""
    text = lines[line - 1] if line <= len(lines) else ""
    return offset if text.isascii() else len(text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "ignore"))
