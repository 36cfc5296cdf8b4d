"""A Spark NLP archive becomes a native folder, against `unzip -t` of both its layers, and the memory that it takes."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from measure.material import MINILM, ROOT, existing, parser
from measure.report import Row, as_megabytes, as_seconds, publish, ratio_row
from measure.rounds import Run, Side, figures, interleaved, median_ratio, python, seconds

_BOTH_LAYERS = 'unzip -tqq "$1" && unzip -tqq "$2"'
_PEER = "`unzip -t`, both layers"
_PRIVATE = 1.3


def main() -> None:
    options = _options()
    archive = existing(options.archive or options.shared / "archives" / MINILM)
    if shutil.which("unzip") is None:
        sys.exit("the command unzip is missing: apt-get install unzip (Debian), or the package of that name")
    with tempfile.TemporaryDirectory() as folder:
        runs = interleaved(_sides(archive, Path(folder)), options.rounds, warm_up=True)
    publish("convert", _rows(runs), rounds=options.rounds, as_json=options.json)


def _options() -> argparse.Namespace:
    options = parser(__doc__, rounds=9)
    options.add_argument("--archive", type=Path, help="a TensorFlow archive (default: MiniLM)")
    return options.parse_args()


def _sides(archive: Path, folder: Path) -> list[Side]:
    (embedded,) = (ROOT / "mirror").rglob("*.zip")
    inner = folder / "inner.zip"
    with zipfile.ZipFile(archive) as outer:
        (weights,) = (name for name in outer.namelist() if name.endswith("_tensorflow"))
        inner.write_bytes(outer.read(weights))
    return [
        Side("unzip", ("sh", "-c", _BOTH_LAYERS, "unzip", str(archive), str(inner))),
        *(Side(job, python("conversion.py", job, embedded, archive, folder)) for job in ("convert", "pull", "memory")),
    ]


def _rows(runs: Mapping[str, Sequence[Run]]) -> list[Row]:
    unzip = seconds(runs["unzip"])
    private, weights = (figures(runs["memory"], name) for name in ("private", "weights"))
    share = median_ratio(private, weights)
    return [
        ratio_row("archive to native folder", figures(runs["convert"], "seconds"), _PEER, unzip, shown=as_seconds, at_most=1.0),
        ratio_row("the same, hashed, committed and synced", figures(runs["pull"], "seconds"), _PEER, unzip, shown=as_seconds),
        Row(
            "private memory, above the imported process",
            as_megabytes(median(private)),
            "the weights",
            as_megabytes(median(weights)),
            f"{share:.2f}x",
            f"<= {_PRIVATE}x",
            share <= _PRIVATE,
        ),
    ]


if __name__ == "__main__":
    main()
