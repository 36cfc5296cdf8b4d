"""Requests a second that `hub serve` answers, against itself without batching: one text a run, one run at a time, with all cores."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from measure.material import MINILM, native_folder, parser, read_texts, save_sets
from measure.report import Row, as_milliseconds, publish, ratio_row
from measure.rounds import Run, Side, figures, interleaved, median_ratio, python

_OURS, _THEIRS = "batching", "one-by-one"
_GOAL = 1.5


def main() -> None:
    options = _options()
    texts = read_texts(options.texts or options.shared / "data" / "sst2_test.txt")
    with tempfile.TemporaryDirectory() as folder:
        model = native_folder(options.archive or options.shared / "archives" / MINILM, Path(folder, "cache"))
        file = save_sets({"texts": [text.text for text in texts]}, Path(folder, "texts.json"))
        sides = [Side(how, python("load.py", how, model, file, options.connections, options.seconds)) for how in (_OURS, _THEIRS)]
        runs = interleaved(sides, options.rounds)
    publish("serve", _rows(runs, options.connections), rounds=options.rounds, as_json=options.json, notes=[_labels_note(runs)])


def _options() -> argparse.Namespace:
    options = parser(__doc__, rounds=3)
    options.add_argument("--archive", type=Path, help="the model (default: MiniLM)")
    options.add_argument("--texts", type=Path, help="a file with `label text` lines (default: SST-2 test)")
    options.add_argument("--connections", type=int, default=64, help="that ask at the same time (default: %(default)s)")
    options.add_argument("--seconds", type=float, default=10, help="that each side is asked for (default: %(default)s)")
    return options.parse_args()


def _rows(runs: Mapping[str, Sequence[Run]], connections: int) -> list[Row]:
    ours, theirs = (figures(runs[side], "rate") for side in (_OURS, _THEIRS))
    ratio = median_ratio(ours, theirs)
    rate = Row(
        f"requests, {connections} connections",
        f"{median(ours):.0f}/s",
        "one by one",
        f"{median(theirs):.0f}/s",
        f"{ratio:.2f}x",
        f">= {_GOAL:g}x",
        ratio >= _GOAL,
    )
    latencies = [
        ratio_row(f"latency, {name}", figures(runs[_OURS], name), "one by one", figures(runs[_THEIRS], name), shown=as_milliseconds)
        for name in ("p50", "p99")
    ]
    return [rate, *latencies]


def _labels_note(runs: Mapping[str, Sequence[Run]]) -> str:
    ours, theirs = (runs[side][0].said["labels"] for side in (_OURS, _THEIRS))
    return f"Labels that differ, of {len(ours):,}: {sum(a != b for a, b in zip(ours, theirs, strict=True))}."


if __name__ == "__main__":
    main()
