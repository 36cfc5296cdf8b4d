"""How short texts are filled up to the longest of their batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hubclient.models import FAMILIES
from hubclient.native import CONFIG, TOKENIZER_CONFIG, read_json

Side = Literal["left", "right"]

# The families whose token for the whole text stands last. That of all others stands first, and has to stay there.
_LEFT = frozenset({"xlnet"})


@dataclass(frozen=True)
class Padding:
    """`token` is what texts are filled up with.

    `harmless`: transformers' own model is known to answer a text in such a batch as it does alone. A graph that was built always does.
    """

    token: int = 0
    side: Side = "right"
    harmless: bool = True

    @classmethod
    def of(cls, config: Mapping[str, Any], tokenizer_config: Mapping[str, Any]) -> Padding:
        """A tokenizer's own side counts where the architecture is none of ours: ours answer rightly on one side alone."""
        kind = config.get("model_type")
        stated = kind not in FAMILIES and tokenizer_config.get("padding_side") == "left"
        return cls(
            token=_token(config),
            side="left" if stated or kind in _LEFT else "right",
            harmless=kind in FAMILIES and not (kind == "xlnet" and _heeds_padding(config)),
        )


def read_padding(folder: Path) -> Padding:
    """That of a native folder."""
    settings = folder / TOKENIZER_CONFIG
    return Padding.of(read_json(folder / CONFIG), read_json(settings) if settings.exists() else {})


def _token(config: Mapping[str, Any]) -> int:
    """The mask hides it, but the embedding table must have it."""
    token = config.get("pad_token_id")
    return token if type(token) is int and 0 <= token < config.get("vocab_size", token + 1) else 0


def _heeds_padding(config: Mapping[str, Any]) -> bool:
    """transformers' XLNet takes padding for the first token, or into a mean; where attention is causal, it takes one text at a time."""
    return config.get("summary_type") in ("first", "mean") or config.get("attn_type") == "uni"
