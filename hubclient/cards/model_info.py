"""The table under "Model Information": rows of `|key:|value|` without a header row, hence no table by GFM's rules."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from hubclient.cards.frozen import FrozenMap

_KEYS = (
    "Model Name",
    "Type",
    "Compatibility",
    "License",
    "Edition",
    "Input Labels",
    "Output Labels",
    "Language",
    "Size",
    "Case sensitive",
    "Max sentence length",
    "Dimension",
    "Dependencies",
    "Model Class",
    "Spark Compatibility",
)
_SPELLINGS = {key.casefold(): key for key in _KEYS} | {
    "max sentense length": "Max sentence length",
    "spark nlp compatibility": "Compatibility",
    "upstream dependencies": "Dependencies",
}
_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})\s*([KMGT]?)i?B", re.IGNORECASE | re.ASCII)
_MEBIBYTES = {"": Decimal(1) / 2**20, "K": Decimal(1) / 2**10, "M": Decimal(1), "G": Decimal(2**10), "T": Decimal(2**20)}


def parse_model_info(lines: Iterable[str]) -> FrozenMap[str, str]:
    """The first table of the section, with one spelling for each key that the hub's template knows; the first of two equal keys counts."""
    rows: dict[str, str] = {}
    for line in lines:
        row = line.strip()
        if not row.startswith("|"):
            if rows and row:
                break
            continue
        key, bar, value = row[1:].removesuffix("|").partition("|")
        name = key.strip().removesuffix(":").rstrip()
        if bar and name and name.strip("-: "):
            rows.setdefault(_SPELLINGS.get(name.casefold(), name), value.strip())
    return FrozenMap(rows)


def size_mb(text: str | None) -> float | None:
    """`"1.2 GB"` -> `1228.8`: the hub's units are powers of 1024. Rounded to four places."""
    match = _SIZE.fullmatch(text.strip()) if text else None
    return float(round(Decimal(match[1]) * _MEBIBYTES[match[2].upper()], 4)) if match else None


def truth(text: str | None) -> bool | None:
    return {"true": True, "false": False}.get(text.lower()) if text else None


def whole_number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
