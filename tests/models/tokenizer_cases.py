"""The committed repositories of tokenizers, unusual ones among them, and what transformers 4.57.1 gives for them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "data" / "tokenizers"

# Names of SentencePiece's normalisers -> their tables, which are not in the models.
CHARSMAPS = {"nmt_nfkc": "nmt_nfkc.charsmap.zlib", "nmt_nfkc_cf": "nmt_nfkc_cf.charsmap.zlib"}
SEED = "expected"
SOME, MANY = 500, 20_000
PAIRS = (("Good film", "a Movie"), ("", "b"), ("<mask> x", "[SEP] y"), ("Ünïcode ﬁ ", "  日本 "))


@dataclass(frozen=True)
class Case:
    """`size` counts all tokens; `some` and `many` are digests of each of the first texts, and of each run of so many."""

    name: str
    model_type: str
    files: dict[str, bytes]
    size: int
    some: str
    many: str
    pairs: Sequence[dict[str, Any]]


def files_of(folder: Path) -> dict[str, bytes]:
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    return {name: _with_charsmap(data) if name.endswith(".model") else data for name, data in files.items()}


def _with_charsmap(model: bytes) -> bytes:
    """A message that is appended to one in protobuf's encoding is merged with it."""
    for name, file in CHARSMAPS.items():
        if field(1, name.encode()) + b"\x12\x00" in model:
            return model + field(3, field(2, charsmap(file)))
    return model


@cache
def charsmap(file: str) -> bytes:
    return zlib.decompress((FOLDER / file).read_bytes())


def field(number: int, content: bytes) -> bytes:
    size, length = len(content), b""
    while size > 0x7F:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


def digest(rows: Iterable[Sequence[int]]) -> str:
    return f"{zlib.crc32(json.dumps(list(map(list, rows))).encode()):08x}"


def cases() -> list[Case]:
    expected = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
    return [case(name, **known) for name, known in expected.items()]


def case(name: str, **known: Any) -> Case:
    files = files_of(FOLDER / name)
    return Case(name, json.loads(files["config.json"])["model_type"], files, **known)
