"""A value at the top of a JSON object, read and changed where it stands and nowhere else.

Strategy: the text is scanned from key to key. Reading a tokenizer.json as a whole and writing it again would change it: the tokenizers
library does not read every decimal to its last place, and the scores of pieces are decimals.
"""

from __future__ import annotations

import json
import re
from typing import Any

_DECODER = json.JSONDecoder()
_BLANKS = re.compile(r"[ \t\n\r]*+")


def value_of(text: str, key: str) -> Any:
    """Raises ValueError or RecursionError where there is no such key, or no object."""
    start, end = _place(text, key)
    return json.loads(text[start:end])


def with_value(text: str, key: str, value: object) -> str:
    """Raises as `value_of` does."""
    start, end = _place(text, key)
    return text[:start] + json.dumps(value, ensure_ascii=False) + text[end:]


def _place(text: str, wanted: str) -> tuple[int, int]:
    """From where to where the value goes."""
    place = _after(text, 0, "{")
    while True:
        key, place = _DECODER.raw_decode(text, place)
        start = _after(text, place, ":")
        _, place = _DECODER.raw_decode(text, start)
        if key == wanted:
            return start, place
        place = _after(text, place, ",")


def _after(text: str, place: int, mark: str) -> int:
    """Behind a mark and the blanks around it."""
    place = _blank(text, place)
    if text[place : place + 1] != mark:
        raise ValueError(f"'{mark}' was expected at character {place}")
    return _blank(text, place + 1)


def _blank(text: str, place: int) -> int:
    match = _BLANKS.match(text, place)
    return match.end() if match else place
