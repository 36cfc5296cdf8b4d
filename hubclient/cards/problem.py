"""How the readers of this package say what is wrong with a text, and on which line."""

from __future__ import annotations

from hubclient.errors import CardError


def card_error(what: str, *, path: str | None, line: int, why: str | None = None, hint: str | None = None) -> CardError:
    """A CardError at `path:line` (lines count from 1); a text without a path is called `<card>`."""
    return CardError(what, where=f"{path or '<card>'}:{line}", why=why, hint=hint)
