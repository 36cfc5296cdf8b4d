"""The case setting of a tokenizer.json: whether its normaliser lower-cases, and changing that.

Strategy: the file is changed where the normaliser stands and nowhere else. Reading it all and writing it again would change scores: the
tokenizers library does not read every decimal to its last place.

Format: https://huggingface.co/docs/tokenizers/api/normalizers, as the library writes it: a normaliser is an object with a `type`.
BertNormalizer has a switch, others stand in a Sequence with or without Lowercase.
"""

from __future__ import annotations

import json
import re
from typing import Any

from hubclient.errors import InconsistentModel, UnsupportedModel

Json = dict[str, Any]
_LOWERCASE = {"type": "Lowercase"}
_DECODER = json.JSONDecoder()
_BLANKS = re.compile(r"[ \t\n\r]*+")


def lowercases(normalizer: Json | None) -> bool | None:
    """None where there is no such setting: text is taken as it is, and nothing says that this was a choice."""
    parts = _parts(normalizer)
    switches = [bool(part.get("lowercase")) for part in parts if part.get("type") == "BertNormalizer"]
    if switches:
        return any(switches)
    return True if _LOWERCASE in parts else None


def normalizer_of(text: str) -> Json | None:
    """That of a tokenizer.json. Raises InconsistentModel."""
    start, end = _place(text)
    normalizer = json.loads(text[start:end])
    if normalizer is not None and not isinstance(normalizer, dict):
        raise InconsistentModel("the tokenizer's normaliser cannot be read", why=f"it is {str(normalizer)[:60]}")
    return normalizer


def with_lowercase(text: str, wanted: bool | None) -> str:
    """A tokenizer.json with this setting; None leaves it. Raises InconsistentModel, UnsupportedModel."""
    normalizer = normalizer_of(text)
    if wanted is None or wanted == bool(lowercases(normalizer)):
        return text
    start, end = _place(text)
    return text[:start] + json.dumps(_changed(normalizer, wanted), ensure_ascii=False) + text[end:]


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


def _place(text: str) -> tuple[int, int]:
    """From where to where the value of the top-level key `normalizer` goes."""
    try:
        place = _after(text, 0, "{")
        while True:
            key, place = _DECODER.raw_decode(text, place)
            start = _after(text, place, ":")
            _, place = _DECODER.raw_decode(text, start)
            if key == "normalizer":
                return start, place
            place = _after(text, place, ",")
    except (ValueError, RecursionError) as error:
        raise InconsistentModel("the tokenizer names no normaliser", why=str(error)) from error


def _after(text: str, place: int, mark: str) -> int:
    """Behind a mark and the blanks around it."""
    place = _blank(text, place)
    if text[place : place + 1] != mark:
        raise ValueError(f"'{mark}' was expected at character {place}")
    return _blank(text, place + 1)


def _blank(text: str, place: int) -> int:
    match = _BLANKS.match(text, place)
    return match.end() if match else place
