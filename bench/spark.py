"""Texts a second in Spark, on this machine and in a local cluster of two executors, against the same classifier in plain Python."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from measure.material import ROOT, Text, native_folder, parser, read_texts, save_sets
from measure.report import Row, as_rate, publish
from measure.rounds import Run, Side, figures, interleaved, median_ratio, python

_PYTHON = "python"
_MASTERS = {"local[2]": 0.9, "local-cluster[2,1,2048]": None}


def main() -> None:
    options = _options()
    if shutil.which("java") is None:
        sys.exit("there is nothing to measure: Java is not installed")
    texts = _texts(options)
    (embedded,) = (ROOT / "mirror").rglob("*.zip")
    with tempfile.TemporaryDirectory() as folder:
        model = native_folder(options.archive or embedded, Path(folder, "cache"))
        file = save_sets({"texts": [text.text for text in texts]}, Path(folder, "texts.json"))
        sides = [Side(name, python("spark.py", name, model, file)) for name in (_PYTHON, *options.masters)]
        runs = interleaved(sides, options.rounds)
    publish("spark", _rows(runs, options.masters, len(texts)), rounds=options.rounds, as_json=options.json, notes=[_labels_note(runs)])


def _options() -> argparse.Namespace:
    options = parser(__doc__, rounds=3)
    options.add_argument("--archive", type=Path, help="the model (default: the one that comes with the package)")
    options.add_argument("--texts", type=Path, help="a file with `label text` lines (default: SST-2 test)")
    options.add_argument(
        "--count", type=int, default=50_000, help="so many texts: those of the file, again and again (default: %(default)s)"
    )
    options.add_argument("--masters", nargs="+", choices=_MASTERS, default=list(_MASTERS), help="(default: %(default)s)")
    return options.parse_args()


def _texts(options: argparse.Namespace) -> list[Text]:
    return list(islice(cycle(read_texts(options.texts or options.shared / "data" / "sst2_test.txt")), options.count))


def _rows(runs: Mapping[str, Sequence[Run]], masters: Sequence[str], texts: int) -> list[Row]:
    theirs = [texts / took for took in figures(runs[_PYTHON], "seconds")]
    rows = []
    for master in masters:
        ours, goal = [texts / took for took in figures(runs[master], "seconds")], _MASTERS[master]
        ratio = median_ratio(ours, theirs)
        met = None if goal is None else ratio >= goal
        wanted = "" if goal is None else f">= {goal:g}x"
        rows.append(
            Row(f"{texts:,} texts, {master}", as_rate(median(ours)), "plain Python", as_rate(median(theirs)), f"{ratio:.2f}x", wanted, met)
        )
    return rows


def _labels_note(runs: Mapping[str, Sequence[Run]]) -> str:
    plain = runs[_PYTHON][0].said["labels"]
    differ = {
        name: max(sum(a != b for a, b in zip(plain, run.said["labels"], strict=True)) for run in some)
        for name, some in runs.items()
        if name != _PYTHON
    }
    return f"Labels that differ, of {len(plain):,}: {', '.join(f'{name}: {count}' for name, count in differ.items())}."


if __name__ == "__main__":
    main()
