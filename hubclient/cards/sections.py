"""The body of a model card, cut into sections.

Strategy: kramdown with Jekyll's extras, read line by line and not as CommonMark, since real cards are not that: a `<div>` runs
straight into a code fence, and some fences never close. The headings of the hub's template therefore begin a section wherever they
stand, even inside a fence; other second-level headings do so only outside of fences.
A section ends before the `{:.btn-box}` line, after which the card's links follow, and before a `{:.…}` line that decorates the next
heading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

TEMPLATE = (
    "Description",
    "Predicted Entities",
    "How to use",
    "Results",
    "Model Information",
    "Included Models",
    "Data Source",
    "Benchmarking",
    "References",
)
_KNOWN = {title.casefold(): title for title in TEMPLATE}
_HEADING = re.compile(r"##(?!#)[ \t]*(\S.*)")
_FENCE = re.compile(r"[ \t]*+(`{3,}+|~{3,}+)[ \t]*+([^`]*+)")
_DECORATION = re.compile(r"\{:[^}]*\}[ \t]*")


@dataclass(frozen=True)
class Section:
    """`line` is where the heading stands in the file; `lines` is what follows it."""

    title: str
    line: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@dataclass(frozen=True)
class Code:
    """A fenced block: the language after the fence (lower case, may be empty), and whether `{:.nlu-block}` stands before it."""

    language: str
    text: str
    is_nlu: bool = False


def split_sections(lines: list[str], first_line: int) -> tuple[Section, ...]:
    """Cut the body at its second-level headings; what stands before the first one is dropped if blank, else untitled."""
    starts = list(_headings(lines))
    sections: list[Section] = []
    before = _trim(lines[: starts[0][0]] if starts else lines)
    if before:
        sections.append(Section("", first_line, before))
    ends = [*(index for index, _ in starts[1:]), len(lines)]
    for (index, title), end in zip(starts, ends, strict=False):
        sections.append(Section(title, first_line + index, _trim(_before_links(lines[index + 1 : end]))))
    return tuple(sections)


def first_section(sections: Iterable[Section], title: str) -> Section | None:
    return next((section for section in sections if section.title == title), None)


def code_blocks(lines: Iterable[str]) -> Iterator[Code]:
    """Fenced code, in order. A block that never closes ends where another one opens by name, or with the lines."""
    fence = language = ""
    nlu = decorated = False
    body: list[str] = []
    for line in lines:
        match = _FENCE.fullmatch(line)
        if fence and not _ends(fence, match):
            body.append(line)
            continue
        if fence:
            yield Code(language, "\n".join(body), nlu)
        if match and not (fence and not match[2].strip()):
            fence, language, nlu, body = match[1], _language(match[2]), decorated, []
        else:
            fence = ""
        decorated = "nlu-block" in line if _DECORATION.match(line) else decorated and not line.strip()
    if fence:
        yield Code(language, "\n".join(body), nlu)


def _ends(fence: str, match: re.Match[str] | None) -> bool:
    """Does this line end the block that `fence` opened: its closing fence, or the opening one of a named block?"""
    if match is None or match[1][0] != fence[0]:
        return False
    return bool(match[2].strip()) or len(match[1]) >= len(fence)


def _language(info: str) -> str:
    words = info.split()
    return words[0].lower() if words else ""


def _headings(lines: list[str]) -> Iterator[tuple[int, str]]:
    fence = ""
    for index, line in enumerate(lines):
        match = _FENCE.fullmatch(line)
        if fence:
            if _ends(fence, match):
                fence = match[1] if match and match[2].strip() else ""
        elif match:
            fence = match[1]
        if not line.startswith("##"):
            continue
        heading = _HEADING.fullmatch(line)
        title = heading[1].rstrip().rstrip("#").rstrip() if heading else ""
        known = _KNOWN.get(title.rstrip(":").casefold())
        if known:
            fence = ""
            yield index, known
        elif title and not fence:
            yield index, title


def _before_links(lines: list[str]) -> list[str]:
    for index, line in enumerate(lines):
        if line.startswith("{:.btn-box}"):
            return lines[:index]
    return lines


def _trim(lines: list[str]) -> tuple[str, ...]:
    """Without blank lines at both ends, and without the decoration that belongs to the next heading."""
    start, end = 0, len(lines)
    while end and (not lines[end - 1].strip() or _DECORATION.fullmatch(lines[end - 1])):
        end -= 1
    while start < end and not lines[start].strip():
        start += 1
    return tuple(lines[start:end])
