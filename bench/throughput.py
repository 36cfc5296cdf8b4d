"""Texts a second and the latency of one text, against transformers' pipeline and ONNX Runtime by hand with sorted batches."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from measure.material import MINILM, native_folder, parser, read_texts, save_texts
from measure.report import Row, as_milliseconds, as_rate, publish, ratio_row
from measure.rounds import Run, Side, figures, interleaved, median_ratio, python

_OURS = "onnx"
_PEERS = {"pipeline": "transformers pipeline", "onnxruntime": "ONNX Runtime by hand, sorted batches"}


def main() -> None:
    options = _options()
    texts = read_texts(options.texts or options.shared / "data" / "sst2_test.txt")[: options.limit]
    with tempfile.TemporaryDirectory() as folder:
        model = native_folder(options.archive or options.shared / "archives" / MINILM, Path(folder, "cache"))
        file = save_texts(texts, Path(folder, "texts.json"))
        sides = [Side(name, python("classify.py", name, model, file, options.singles)) for name in (_OURS, *_PEERS) if _is_there(name)]
        runs = interleaved(sides, options.rounds)
    publish("throughput", _rows(runs, len(texts)), rounds=options.rounds, as_json=options.json, notes=[_labels_note(runs, len(texts))])


def _options() -> argparse.Namespace:
    options = parser(__doc__, rounds=5)
    options.add_argument("--archive", type=Path, help="the model (default: MiniLM)")
    options.add_argument("--texts", type=Path, help="a file with `label text` lines (default: SST-2 test)")
    options.add_argument("--limit", type=int, help="only so many texts")
    options.add_argument("--singles", type=int, default=300, help="texts that are also classified one at a time (default: %(default)s)")
    return options.parse_args()


def _is_there(side: str) -> bool:
    """transformers comes with the extra [torch]; without it, the other side is measured all the same."""
    if side != "pipeline" or (find_spec("transformers") and find_spec("torch")):
        return True
    print("transformers and torch are not installed: no pipeline", file=sys.stderr)
    return False


def _rows(runs: Mapping[str, Sequence[Run]], texts: int) -> list[Row]:
    rows = []
    for peer in (name for name in _PEERS if name in runs):
        ours, theirs = ([texts / took for took in figures(runs[side], "seconds")] for side in (_OURS, peer))
        rows.append(
            Row(
                f"{texts:,} texts",
                as_rate(median(ours)),
                _PEERS[peer],
                as_rate(median(theirs)),
                f"{median_ratio(ours, theirs):.2f}x",
            )
        )
    return rows + [
        ratio_row("one text", figures(runs[_OURS], "single"), _PEERS[peer], figures(runs[peer], "single"), shown=as_milliseconds)
        for peer in _PEERS
        if peer in runs
    ]


def _labels_note(runs: Mapping[str, Sequence[Run]], texts: int) -> str:
    ours = runs[_OURS][0].said["labels"]
    differ = {
        name: max(sum(a != b for a, b in zip(ours, run.said["labels"], strict=True)) for run in others) for name, others in runs.items()
    }
    told = ", ".join(f"{_PEERS[name]}: {count}" for name, count in differ.items() if name in _PEERS)
    return f"Labels that differ from ours, of {texts:,}: {told}."


if __name__ == "__main__":
    main()
