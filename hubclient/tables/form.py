"""What a file of rows holds, told by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from hubclient.errors import UsageError

Kind = Literal["csv", "tsv", "jsonl", "parquet", "txt"]
_SUFFIXES: Mapping[str, Kind] = MappingProxyType(
    {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".txt": "txt"}
)
_COMPRESSED = ".gz"


@dataclass(frozen=True)
class Form:
    """`compressed`: with gzip."""

    kind: Kind
    compressed: bool = False


def input_form(path: Path) -> Form:
    """Raises UsageError."""
    name = path.name.lower()
    compressed = name.endswith(_COMPRESSED)
    kind = _SUFFIXES.get(Path(name.removesuffix(_COMPRESSED)).suffix)
    if kind is None or (compressed and kind == "parquet"):
        raise UsageError(
            "the name of the file does not say what it holds", where=str(path), hint=f"{', '.join(_SUFFIXES)}; .gz after all but .parquet"
        )
    return Form(kind, compressed)


def output_form(path: Path) -> Form:
    """Raises UsageError."""
    kind = _SUFFIXES.get(path.suffix.lower())
    if kind is None or kind == "txt":
        raise UsageError("the name of the file does not say what to write", where=str(path), hint=".csv, .tsv, .jsonl or .parquet")
    return Form(kind)
