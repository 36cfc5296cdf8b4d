"""metadata.json, the live index of a bucket: one JSON object a line (see `live_line`), appended one after the other.

Content is read block by block, so that memory does not grow with it. A line that cannot be read is a broken line, whatever it holds.
An appended line begins with a line break, so some lines are blank.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hubclient.catalog.live_line import LONGEST_LINE, ArchiveFolder, LeftOut, LiveEntry, read_line
from hubclient.errors import CardError
from hubclient.names import is_name

_TOLD = 10
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SPACE = rb"[ \t\r]*"


@dataclass(frozen=True)
class BrokenLine:
    """`number` counts from 1, blank lines too."""

    number: int
    why: str


@dataclass(frozen=True)
class LiveCount:
    """How many lines there are of each kind; `first_broken` are the first ten of the broken ones."""

    entries: int = 0
    not_ready: int = 0
    not_zipped: int = 0
    broken: int = 0
    first_broken: tuple[BrokenLine, ...] = ()


def read_live(content: bytes | Iterable[bytes], folder: ArchiveFolder) -> Iterator[LiveEntry | LeftOut | BrokenLine]:
    """What each line says, in their order; blank lines say nothing. `content` may come in pieces, cut anywhere."""
    number = 0
    for block in _blocks(content):
        for line in block.removesuffix(b"\n").split(b"\n"):
            number += 1
            if not line or line.isspace():
                continue
            try:
                yield read_line(line, folder)
            except CardError as error:
                yield BrokenLine(number, error.what)


def count_live(lines: Iterable[LiveEntry | LeftOut | BrokenLine]) -> LiveCount:
    entries = not_ready = not_zipped = broken = 0
    first: list[BrokenLine] = []
    for line in lines:
        if isinstance(line, LiveEntry):
            entries += 1
        elif isinstance(line, BrokenLine):
            broken += 1
            first += [line] if broken <= _TOLD else []
        elif line is LeftOut.NOT_READY:
            not_ready += 1
        else:
            not_zipped += 1
    return LiveCount(entries, not_ready, not_zipped, broken, tuple(first))


def entries_named(content: bytes | Iterable[bytes], name: str, folder: ArchiveFolder) -> list[LiveEntry]:
    """The entries of a name, in the order of the lines. Only lines that may hold it are parsed."""
    if not is_name(name):
        return []
    found = []
    for line in (line for block in _blocks(content) for line in _candidates(block, name)):
        try:
            entry = read_line(line, folder)
        except CardError:
            continue
        if isinstance(entry, LiveEntry) and entry.name == name:
            found.append(entry)
    return found


def _candidates(block: bytes, name: str) -> Iterator[bytes]:
    """The lines in which a field may be called "name" and have this value, in their order.

    None is missed: a JSON text without a backslash is spelled by its own characters between quotes, so a line without any has the
    key and the value literally, with nothing but a colon and white space between them. A line with a backslash may spell them in
    other ways (`\\u00e9`, `\\u0065`, `\\/`), and is parsed. What is found too much is told apart after parsing.
    """
    quoted = f'"{name}"'.encode()
    field = re.compile(rb'"name"' + _SPACE + b":" + _SPACE + re.escape(quoted))
    lines = {start: line for start, line in _lines_with(block, quoted) if field.search(line)}
    lines.update(_lines_with(block, b"\\"))
    return (lines[start] for start in sorted(lines))


def _lines_with(block: bytes, text: bytes) -> Iterator[tuple[int, bytes]]:
    """Each with the place where it begins."""
    at = block.find(text)
    while at >= 0:
        start, end = block.rfind(b"\n", 0, at) + 1, block.find(b"\n", at)
        end = end if end >= 0 else len(block)
        yield start, block[start:end]
        at = block.find(text, end)


def _blocks(content: bytes | Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines, many at once. Of a line that is too long no more is kept than shows that it is."""
    rest, mark = b"", _BYTE_ORDER_MARK
    for chunk in (content,) if isinstance(content, bytes) else content:
        whole, newline, tail = chunk.rpartition(b"\n")
        if newline:
            yield (rest + whole + newline).removeprefix(mark)
            rest, mark = b"", b""
        rest = (rest + tail)[: len(mark) + LONGEST_LINE + 1]
    if rest:
        yield rest.removeprefix(mark)
