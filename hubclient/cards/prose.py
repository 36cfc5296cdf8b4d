"""A card's prose as Markdown alone: without the lines that only steer the layout of the hub's own site (kramdown's, Liquid's, and tags)."""

from __future__ import annotations

import re

_LAYOUT = re.compile(r"\s*(?:\{:.*\}|\{%.*%\}|</?(?:div|span|p|br)\b[^>]*>)\s*")
_BLANKS = re.compile(r"\n{3,}")


def readable(text: str) -> str:
    lines = [line.rstrip() for line in text.splitlines() if not _LAYOUT.fullmatch(line)]
    return _BLANKS.sub("\n\n", "\n".join(lines)).strip("\n")
