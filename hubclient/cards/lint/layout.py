"""Checks of the Markdown: whether fences and decorations do on the page what they should."""

from __future__ import annotations

from hubclient.cards.lint.finding import Remark, Remarks, quoted
from hubclient.cards.lint.source import Source


def unclosed_fence(source: Source) -> Remarks:
    for line, fence in source.fences.unclosed:
        yield Remark(line, f"the code fence {quoted(fence)} is never closed")


def decoration_in_fence(source: Source) -> Remarks:
    for line, decoration in source.fences.decorations:
        yield Remark(line, f"{quoted(decoration)} stands inside a code fence, and is shown as code")
