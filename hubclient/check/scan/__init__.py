"""Code that loads models: which, and where. Files are read as text and never run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from types import MappingProxyType

from hubclient.check.finding import Finding, Place, Subject
from hubclient.check.rules import UNSCANNED
from hubclient.check.scan.jvm import jvm_calls
from hubclient.check.scan.meaning import meant
from hubclient.check.scan.notebook import CellProblem, notebook_calls
from hubclient.check.scan.python import python_calls
from hubclient.check.scan.unreadable import Unreadable
from hubclient.check.scan.walk import Skipped, files_below, is_excluded, read_file

__all__ = ["Sighting", "Skipped", "files_below", "is_code", "is_excluded", "scan_file", "scan_folder", "unscanned"]

Sighting = Subject | Finding
"""A model that code loads, or what cannot be told."""

# Larger files are data, or made by a program; a notebook is mostly what its cells printed.
_MOST_CODE = 2_000_000
_MOST_NOTEBOOK = 10_000_000


def scan_folder(folder: str, exclude: Sequence[str] = ()) -> Iterator[Sighting]:
    """What the code below a folder loads, file by file."""
    for found in files_below(folder, exclude):
        if isinstance(found, Skipped):
            yield unscanned(Place(found.path), found.why)
        elif is_code(found):
            yield from scan_file(found)


def is_code(path: str) -> bool:
    return os.path.splitext(path)[1].lower() in _READERS


def scan_file(path: str, shown: str | None = None) -> Iterator[Sighting]:
    """What one file loads, in its order; `shown`: how it is called. Never raises: a file that cannot be read is said to be so."""
    shown = shown or path
    ending = os.path.splitext(path)[1].lower()
    try:
        data = read_file(path, _MOST_NOTEBOOK if ending == ".ipynb" else _MOST_CODE)
        if b"\0" in data:
            raise Unreadable("it is binary, or not UTF-8")
        yield from _READERS.get(ending, _python)(data, shown)
    except Unreadable as error:
        yield unscanned(Place(shown, error.line), str(error))


def _python(data: bytes, path: str) -> Iterator[Sighting]:
    for call in python_calls(data):
        yield from meant(call, path)


def _notebook(data: bytes, path: str) -> Iterator[Sighting]:
    for found in notebook_calls(data):
        if isinstance(found, CellProblem):
            yield unscanned(Place(path, found.line, cell=found.cell), f"cell {found.cell}: {found.why}")
        else:
            yield from meant(found.call, path, found.cell)


def _scala(data: bytes, path: str) -> Iterator[Sighting]:
    for call in jvm_calls(_decoded(data), scala=True):
        yield from meant(call, path)


def _java(data: bytes, path: str) -> Iterator[Sighting]:
    for call in jvm_calls(_decoded(data), scala=False):
        yield from meant(call, path)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise Unreadable(f"the text is not UTF-8: byte {error.start}: {error.reason}", data.count(b"\n", 0, error.start) + 1) from error


def unscanned(place: Place, why: str) -> Finding:
    """A file, or a part of it, in which calls may be that nobody sees."""
    return Finding(UNSCANNED, Subject(place.path, place), f"it is not searched: {why}")


_READERS: MappingProxyType[str, Callable[[bytes, str], Iterator[Sighting]]] = MappingProxyType(
    {".py": _python, ".pyw": _python, ".ipynb": _notebook, ".scala": _scala, ".sc": _scala, ".java": _java}
)
