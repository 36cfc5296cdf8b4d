"""The case setting of a tokenizer.json: whether its normaliser lower-cases, and changing that.

Format: https://huggingface.co/docs/tokenizers/api/normalizers, as the library writes it: a normaliser is an object with a `type`.
BertNormalizer has a switch, others stand in a Sequence with or without Lowercase.
"""

from __future__ import annotations

from typing import Any

from hubclient.errors import UnsupportedModel

Json = dict[str, Any]
_LOWERCASE = {"type": "Lowercase"}


def lowercases(tokenizer: Json) -> bool | None:
    """None where the tokenizer has no such setting: it takes text as it is, and nothing says that this was a choice."""
    parts = _parts(tokenizer)
    switches = [bool(part.get("lowercase")) for part in parts if part.get("type") == "BertNormalizer"]
    if switches:
        return any(switches)
    return True if _LOWERCASE in parts else None


def set_lowercase(tokenizer: Json, wanted: bool | None) -> Json:
    """The same tokenizer with this setting; None leaves it. Raises UnsupportedModel where lower-casing is part of something else."""
    if wanted is None or wanted == bool(lowercases(tokenizer)):
        return tokenizer
    parts = _parts(tokenizer)
    if any(part.get("type") == "BertNormalizer" for part in parts):
        changed = [{**part, "lowercase": wanted} if part.get("type") == "BertNormalizer" else part for part in parts]
    elif wanted:
        changed = [_LOWERCASE, *parts]
    else:
        changed = [part for part in parts if part != _LOWERCASE]
    return {
        **tokenizer,
        "normalizer": changed[0] if len(changed) == 1 else {"type": "Sequence", "normalizers": changed} if changed else None,
    }


def _parts(tokenizer: Json) -> list[Json]:
    """The normalisers, one after the other."""
    normalizer = tokenizer.get("normalizer")
    if normalizer is None:
        return []
    if not isinstance(normalizer, dict):
        raise UnsupportedModel("the tokenizer's normaliser cannot be read", why=f"it is {str(normalizer)[:60]}")
    parts = normalizer.get("normalizers", [normalizer]) if normalizer.get("type") == "Sequence" else [normalizer]
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise UnsupportedModel("the tokenizer's normaliser cannot be read", why=f"it is {str(normalizer)[:60]}")
    return parts
