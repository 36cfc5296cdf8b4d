"""What IPython's cells have besides Python: magics, shell commands, questions.

https://ipython.readthedocs.io/en/stable/interactive/reference.html
"""

from __future__ import annotations

import re

# Cells that are Python all the same; any other magic of a whole cell hands it to another program.
_PYTHON_CELLS = {"time", "timeit", "capture", "prun", "python", "python3", "memit", "mprun"}
_SCALA_CELLS = {"scala", "spark"}
_CELL = re.compile(r"\s*%%\s*(\w*)[^\n]*\n?")
_RUNS = re.compile(r"(\s*)%(?:time|timeit|prun|memit)\b(?:\s+-\w+(?:\s+\d+)?)*\s*(.*)", re.DOTALL)
_MAGIC = re.compile(r"(\s*)(?:[%!?]|[\w.\s]*\?{1,2}\s*$)")
_ASSIGNED = re.compile(r"(\s*[\w.,\s]+=\s*)[%!][^=].*", re.DOTALL)


def cell_language(source: str, language: str) -> str | None:
    """`python`, `scala`, or None for a cell that is neither; `language`: the notebook's."""
    magic = _CELL.match(source)
    if not magic:
        return language if language in ("python", "scala") else None
    if magic[1] in _SCALA_CELLS:
        return "scala"
    return "python" if magic[1] in _PYTHON_CELLS and language == "python" else None


def without_cell_magic(source: str) -> str:
    """The cell with its first line empty if that is a magic of the whole cell."""
    magic = _CELL.match(source)
    return "\n" * magic[0].count("\n") + source[magic.end() :] if magic else source


def without_magics(source: str) -> str:
    """The cell with something harmless where no Python stands; lines stay where they are."""
    lines = []
    continued = False
    for line in source.split("\n"):
        magic = None if continued else _MAGIC.match(line)
        if continued:
            shown = ""
        elif runs := _RUNS.match(line):
            shown = f"{runs[1]}{runs[2] or 'pass'}"
        elif magic:
            shown = f"{magic[1]}pass"
        elif assigned := _ASSIGNED.match(line):
            shown = f"{assigned[1]}None"
        else:
            shown = line
        shell = continued or (shown != line and not _RUNS.match(line))
        continued = shell and line.endswith("\\")
        lines.append(shown)
    return "\n".join(lines)
