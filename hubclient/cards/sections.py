"""The body of a model card, cut into sections.

Strategy: kramdown with Jekyll's extras, read line by line and not as CommonMark, since real cards are not that: a `<div>` runs
straight into a code fence, and some fences never close. The headings of the hub's template therefore begin a section wherever they
stand, even inside a fence; other second-level headings do so only outside of fences.
A section ends before the `{:.btn-box}` line, after which the card's links follow, and before a `{:.…}` line that decorates the next
heading. The patterns begin with the line break, which is found many times faster than the beginning of a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

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
_FENCE = r"[ \t]*+(?P<fence>`{3,}+|~{3,}+)[^\S\n]*+(?P<language>[^`\s]*+)[^`\n]*+(?=\n|\Z)"
_FENCES = re.compile(rf"\n{_FENCE}")
_MARKS = re.compile(rf"\n(?:##(?!#)[ \t]*+(?P<title>[^\n]*+)|(?P<links>\{{:\.btn-box\}})|{_FENCE})")
_BLANK_LINES = re.compile(r"(?:[^\S\n]*+\n)*+")
_DECORATION = re.compile(r"\{:[^}]*\}[ \t]*")


@dataclass(frozen=True)
class Section:
    """`line` is where the heading stands in the file; `body` is all that follows it."""

    title: str
    line: int
    body: str

    @cached_property
    def text(self) -> str:
        """The body without blank lines at both ends, and without what decorates the next heading."""
        return _trim(self.body)

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")


@dataclass(frozen=True)
class Code:
    """A fenced block: the language after the fence (lower case, may be empty), and whether `{:.nlu-block}` stands before it."""

    language: str
    text: str
    is_nlu: bool = False


def split_sections(body: str, first_line: int) -> tuple[Section, ...]:
    """Cut the body at its second-level headings; what stands before the first one is dropped if blank, else untitled.

    `body` begins with the line break that ends the front matter, on `first_line` of the file.
    """
    cuts = [("", 0, 0), *_cuts(body), (None, len(body), len(body))]
    found: list[Section] = []
    line = first_line
    for (title, start, text_start), (_, end, _) in pairwise(cuts):
        if title is not None:
            found.append(Section(title, line + 1, body[text_start:end]))
        line += body.count("\n", start, end)
    return tuple(found[1:] if found[0].body.isspace() or not found[0].text else found)


def first_section(sections: Iterable[Section], title: str) -> Section | None:
    return next((section for section in sections if section.title == title), None)


def code_blocks(text: str) -> Iterator[Code]:
    """Fenced code, in order. A block that never closes ends where another one opens by name, or with the text."""
    text = "\n" + text
    opened: re.Match[str] | None = None
    for match in _FENCES.finditer(text):
        if opened and not _ends(opened["fence"], match):
            continue
        if opened:
            yield _code(text, opened, match.start())
        opened = None if opened and not match["language"] else match
    if opened:
        yield _code(text, opened, len(text))


def _code(text: str, opened: re.Match[str], end: int) -> Code:
    start, stop = _last_line(text, opened.start())
    is_nlu = _DECORATION.match(text, start, stop) is not None and "nlu-block" in text[start:stop]
    return Code(opened["language"].lower(), text[opened.end() + 1 : end], is_nlu)


def _ends(fence: str, match: re.Match[str]) -> bool:
    """Does this fence end the block that `fence` opened: as its closing one, or as the opening one of a block with a language?"""
    return match["fence"][0] == fence[0] and (bool(match["language"]) or len(match["fence"]) >= len(fence))


def _cuts(body: str) -> Iterator[tuple[str | None, int, int]]:
    """Headings, from where to where, and with None the places where a section ends before the links."""
    fence = ""
    for match in _MARKS.finditer(body):
        if match["links"]:
            yield None, match.start(), match.end()
        elif match["fence"]:
            if not fence or _ends(fence, match):
                fence = "" if fence and not match["language"] else match["fence"]
        else:
            title = match["title"].rstrip().rstrip("#").rstrip()
            known = _KNOWN.get(title.rstrip(":").casefold())
            if known:
                fence = ""
            if known or (title and not fence):
                yield known or title, match.start(), match.end()


def _trim(text: str) -> str:
    blank = _BLANK_LINES.match(text)
    text = text.rstrip()
    start, end = _last_line(text, len(text))
    while _DECORATION.fullmatch(text, start, end):
        start, end = _last_line(text, start)
    return text[blank.end() if blank else 0 : end]


def _last_line(text: str, end: int) -> tuple[int, int]:
    """From where to where the last line before `end` goes that is not blank."""
    while end and text[end - 1].isspace():
        end -= 1
    return text.rfind("\n", 0, end) + 1, end
