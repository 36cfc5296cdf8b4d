"""Code fences as they are shown on the page: which of them never close, and what stands in the others that should not.

The parser makes the best of such a card; here it is told.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from hubclient.cards.sections import TEMPLATE

_FENCE = r"(?:[ \t]*+(?P<fence>`{3,}+|~{3,}+)[^\S\n]*+(?P<language>[^`\s]*+)[^`\n]*+(?=\n|\Z))"
_HEADING = rf"(?P<heading>##[ \t]*+(?:{'|'.join(TEMPLATE)})[ \t:#]*+(?=\n|\Z))"
_MARKS = re.compile(rf"\n(?:{_FENCE}|{_HEADING}|[ \t]*+(?P<decoration>\{{:\.[^}}\n]*+\}}))", re.IGNORECASE)


class Marked(NamedTuple):
    line: int
    text: str


class Fences(NamedTuple):
    """The openings of fences that never close, and the decorations inside of those that do."""

    unclosed: list[Marked]
    decorations: list[Marked]


def read_fences(body: str, first_line: int) -> Fences:
    """A fence is open until its like stands alone on a line. If a named one or a heading of the template comes first, it never closes.

    `body` begins with a line break, on `first_line` of the file.
    """
    found = Fences([], [])
    opened: Marked | None = None
    fence = ""
    inside: list[Marked] = []
    line, at = first_line, 0
    for match in _MARKS.finditer(body):
        line, at = line + body.count("\n", at, match.start()), match.start()
        if match["decoration"]:
            inside.append(Marked(line + 1, match["decoration"]))
            continue
        like = opened is not None and _is_like(fence, match["fence"])
        if opened and match["fence"] and not like:
            continue
        closes = like and not match["language"]
        if opened and closes:
            found.decorations.extend(inside)
        elif opened:
            found.unclosed.append(opened)
        inside = []
        fence = match["fence"] or ""
        opened = Marked(line + 1, fence + match["language"]) if fence and not closes else None
    return found if opened is None else Fences([*found.unclosed, opened], found.decorations)


def _is_like(opening: str, fence: str | None) -> bool:
    """Longer fences hold shorter ones."""
    return fence is not None and fence[0] == opening[0] and len(fence) >= len(opening)
