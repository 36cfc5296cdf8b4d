"""Jupyter's notebooks, formats 3 and 4: the calls that load models, in the cells of code.

https://nbformat.readthedocs.io: a notebook is JSON; format 4 has `cells` with `source`, format 3 `worksheets` with `cells` with `input`,
and each of these texts is a string or a list of them. Other programs point into the file, so the line of a call is that of the JSON.
"""

from __future__ import annotations

import ast
import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from hubclient.check.scan.call import Call
from hubclient.check.scan.jvm import jvm_calls
from hubclient.check.scan.magics import cell_language, without_cell_magic, without_magics
from hubclient.check.scan.python import calls_of, lines_of, parsed
from hubclient.check.scan.unreadable import Unreadable

_MOST_CODE = 2_000_000  # characters
_OPENING, _CLOSING = {"[", "{"}, {"]", "}"}
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{},:]|[^\s"\[\]{},:]++', re.DOTALL)


@dataclass(frozen=True)
class CellCall:
    """`call.line` is the file's. `cell`: its number among all cells, from 1."""

    call: Call
    cell: int


@dataclass(frozen=True)
class CellProblem:
    """A cell of code that cannot be read; the others are."""

    why: str
    line: int
    cell: int


@dataclass(frozen=True)
class _Cell:
    """`lines`: of each line of the source, the line of the file on which it is written."""

    number: int
    source: str
    lines: tuple[int, ...]


@dataclass
class _Together:
    """The cells of one language one below the other, since names go from cell to cell. `places`: of each line, its file's line and cell."""

    body: list[ast.stmt] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)

    def add(self, cell: _Cell, text: str, body: list[ast.stmt]) -> None:
        for statement in body:
            ast.increment_lineno(statement, len(self.text))
        self.body += body
        self.text += lines_of(text)
        self.places += [(cell.lines[min(number, len(cell.lines) - 1)], cell.number) for number in range(len(lines_of(text)))]


def notebook_calls(data: bytes) -> Iterator[CellCall | CellProblem]:
    """What the cells of a notebook load. Raises Unreadable."""
    text = _decoded(data)
    notebook = _loaded(text)
    language = _language(notebook)
    cells = list(_cells(text, notebook))
    if sum(len(cell.source) for cell in cells) > _MOST_CODE:
        raise Unreadable(f"its cells have more than {_MOST_CODE:,} characters of code")
    together = _Together()
    for cell in cells:
        spoken = cell_language(cell.source, language)
        source = without_cell_magic(cell.source)
        if spoken == "scala":
            yield from (CellCall(replace(call, line=_line(cell, call.line)), cell.number) for call in jvm_calls(source, scala=True))
        elif spoken == "python":
            try:
                together.add(cell, *_python(source))
            except Unreadable as error:
                yield CellProblem(str(error), _line(cell, error.line or 1), cell.number)
    for call in calls_of(together.body, together.text):
        line, number = together.places[call.line - 1]
        yield CellCall(replace(call, line=line), number)


def _python(source: str) -> tuple[str, list[ast.stmt]]:
    """The text that was parsed, and its statements: as it is, else without what only IPython knows. Raises Unreadable."""
    try:
        return source, parsed(source).body
    except Unreadable:
        plain = without_magics(source)
        return plain, parsed(plain).body


def _line(cell: _Cell, line: int) -> int:
    return cell.lines[min(line, len(cell.lines)) - 1]


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"the text is not UTF-8: byte {error.start}: {error.reason}", data.count(b"\n", 0, error.start) + 1) from error


def _loaded(text: str) -> dict[str, Any]:
    try:
        notebook = json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(f"it is not JSON: {error.msg}", error.lineno) from error
    except (ValueError, RecursionError) as error:
        raise Unreadable("it is JSON with numbers too long or parts nested too deeply") from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells", notebook.get("worksheets")), list):
        raise Unreadable("it is JSON, and no notebook of format 3 or 4")
    return notebook


def _language(notebook: dict[str, Any]) -> str:
    """The kernel's, in small letters; Python where the notebook does not say."""
    metadata = notebook.get("metadata")
    places = [metadata.get(key) for key in ("kernelspec", "language_info")] if isinstance(metadata, dict) else []
    told = [place.get(key) for place in places if isinstance(place, dict) for key in ("language", "name")]
    for name in (name.casefold() for name in told if isinstance(name, str)):
        if name.startswith(("python", "pyspark", "ipython")):
            return "python"
        if name.startswith(("scala", "spark", "almond", "spylon")):
            return "scala"
    return "other" if any(isinstance(place, dict) and place.get("language") for place in places) else "python"


def _cells(text: str, notebook: dict[str, Any]) -> Iterator[_Cell]:
    if isinstance(notebook.get("cells"), list):
        key, found = "source", notebook["cells"]
        starts = _starts(text, ("cells", None), key)
    else:
        key, sheets = "input", [sheet.get("cells") for sheet in notebook["worksheets"] if isinstance(sheet, dict)]
        found = [cell for cells in sheets if isinstance(cells, list) for cell in cells]
        starts = _starts(text, ("worksheets", None, "cells", None), key)
    for number, cell in enumerate(cell for cell in found if isinstance(cell, dict)):
        parts = cell.get(key)
        parts = [parts] if isinstance(parts, str) else parts
        if cell.get("cell_type") == "code" and isinstance(parts, list) and parts and all(isinstance(part, str) for part in parts):
            known = starts[number] if number < len(starts) else []
            yield _Cell(number + 1, "".join(parts), _lines(parts, known if len(known) == len(parts) else [1] * len(parts)))


def _lines(parts: list[str], starts: list[int]) -> tuple[int, ...]:
    """Of each line of the joined parts, the file's line on which its part begins."""
    lines, ended = [starts[0]], True
    for part, start in zip(parts, starts, strict=True):
        pieces = lines_of(part)
        if part and ended:
            lines[-1] = start
        lines += [start] * (len(pieces) - 1)
        ended = not pieces[-1] if part else ended
    return tuple(lines)


def _starts(text: str, way: tuple[str | None, ...], key: str) -> list[list[int]]:
    """Of each cell the lines on which the strings of its source begin, which Python's reader of JSON does not tell. The text is JSON.

    `way`: what leads to a cell: an object's key, and None for a list.
    """
    ends = [match.start() for match in re.finditer("\n", text)]
    cells: list[list[int]] = []
    path: list[str | None] = []  # of each open container, the key that is being read; None in a list
    before = ""
    for match in _TOKEN.finditer(text):
        found = match[0]
        if found in _OPENING:
            if found == "{" and tuple(path) == way:
                cells.append([])
            path.append("" if found == "{" else None)
        elif found in _CLOSING:
            path.pop()
        elif found == ":":
            path[-1] = json.loads(before)
        elif found[0] == '"' and tuple(path) in ((*way, key), (*way, key, None)) and (path[-1] is None or before == ":"):
            cells[-1].append(bisect_right(ends, match.start()) + 1)
        before = found
    return cells
