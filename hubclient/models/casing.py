"""The case setting of a tokenizer.json: whether its normaliser lower-cases, and changing that.

Strategy: the file is changed where the normaliser stands and nowhere else (see `json_value`).

Format: https://huggingface.co/docs/tokenizers/api/normalizers, as the library writes it: a normaliser is an object with a `type`.
BertNormalizer has a switch, others stand in a Sequence with or without Lowercase.
"""

from __future__ import annotations

from typing import Any

from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models.json_value import value_of, with_value

Json = dict[str, Any]
_LOWERCASE = {"type": "Lowercase"}


def lowercases(normalizer: Json | None) -> bool | None:
    """None where there is no such setting: text is taken as it is, and nothing says that this was a choice."""
    parts = _parts(normalizer)
    switches = [bool(part.get("lowercase")) for part in parts if part.get("type") == "BertNormalizer"]
    if switches:
        return any(switches)
    return True if _LOWERCASE in parts else None


def normalizer_of(text: str) -> Json | None:
    """That of a tokenizer.json. Raises InconsistentModel."""
    try:
        normalizer = value_of(text, "normalizer")
    except (ValueError, RecursionError) as error:
        raise InconsistentModel("the tokenizer names no normaliser", why=str(error)) from error
    if normalizer is not None and not isinstance(normalizer, dict):
        raise InconsistentModel("the tokenizer's normaliser cannot be read", why=f"it is {str(normalizer)[:60]}")
    return normalizer


def with_lowercase(text: str, wanted: bool | None) -> str:
    """A tokenizer.json with this setting; None leaves it. Raises InconsistentModel, UnsupportedModel."""
    normalizer = normalizer_of(text)
    if wanted is None or wanted == bool(lowercases(normalizer)):
        return text
    return with_value(text, "normalizer", _changed(normalizer, wanted))


def _changed(normalizer: Json | None, wanted: bool) -> Json | None:
    parts = _parts(normalizer)
    if any(part.get("type") == "BertNormalizer" for part in parts):
        changed = [{**part, "lowercase": wanted} if part.get("type") == "BertNormalizer" else part for part in parts]
    else:
        changed = [_LOWERCASE, *parts] if wanted else [part for part in parts if part != _LOWERCASE]
    if len(changed) > 1:
        return {"type": "Sequence", "normalizers": changed}
    return changed[0] if changed else None


def _parts(normalizer: Json | None) -> list[Json]:
    """The normalisers, one after the other."""
    if normalizer is None:
        return []
    parts = normalizer.get("normalizers") if normalizer.get("type") == "Sequence" else [normalizer]
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise UnsupportedModel("the tokenizer's normaliser cannot be read", why=f"it is {str(normalizer)[:60]}")
    return parts
