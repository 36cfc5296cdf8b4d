"""How special tokens stand around one text and around a pair of texts, as tokenizer.json says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hubclient.errors import UnsupportedModel

if TYPE_CHECKING:
    from tokenizers.processors import TemplateProcessing


def template(single: str, pair: str, ids: Mapping[str, int], **tokens: str) -> TemplateProcessing:
    """`single` and `pair` as in "cls:0 $A:0 sep:0": names of `tokens`, texts ($A, $B), and the token type of each.

    Raises UnsupportedModel for a token that has no id, or that a template cannot hold.
    """
    from tokenizers.processors import TemplateProcessing

    for token in tokens.values():
        if token not in ids:
            raise UnsupportedModel(f"the vocabulary lacks the special token {token}")
        if token.startswith("$") or ":" in token or token.split() != [token]:
            raise UnsupportedModel(f"a special token is {token!r}", why="tokenizer.json cannot name it in a template")
    return TemplateProcessing(
        single=[_piece(part, tokens) for part in single.split()],
        pair=[_piece(part, tokens) for part in pair.split()],
        special_tokens=sorted({(token, ids[token]) for token in tokens.values()}),
    )


def _piece(part: str, tokens: Mapping[str, str]) -> str:
    name, kind = part.split(":")
    return f"{tokens.get(name, name)}:{kind}"
