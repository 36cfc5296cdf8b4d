"""Why a text cannot be searched."""

from __future__ import annotations


class Unreadable(ValueError):
    """The text is not what it is said to be. `line`: where that was seen, from 1."""

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why)
        self.line = line
