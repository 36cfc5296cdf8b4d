"""Makes the trimmed golden answers in this folder from the full ones: `python tests/data/trim.py ../shared`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
MIRROR = HERE.parents[1] / "mirror"
# Enough ordinary sentences to fill mixed batches of many lengths.
ORDINARY = 14


def trim(golden: str, ordinary: set[str]) -> str:
    """The first line, every row whose text is not an ordinary one, and the first few of those that are."""
    first, *rows = golden.splitlines(keepends=True)
    plain = [row for row in rows if json.loads(row)["text"] in ordinary]
    dropped = set(plain[ORDINARY:])
    return first + "".join(row for row in rows if row not in dropped)


def main() -> None:
    shared = Path(sys.argv[1])
    lines = (shared / "data" / "sst2_test.txt").read_text(encoding="utf-8").splitlines()
    ordinary = {line.partition(" ")[2] for line in lines}
    for archive in sorted([*HERE.glob("*.zip"), *MIRROR.rglob("*.zip")]):
        name = archive.with_suffix(".golden.jsonl").name
        text = (shared / "archives" / name).read_text(encoding="utf-8")
        (HERE / name).write_text(trim(text, ordinary), encoding="utf-8")


if __name__ == "__main__":
    main()
