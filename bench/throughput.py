"""Texts a second and the latency of one text, against transformers' pipeline, ONNX Runtime by hand, and what the multiplications allow."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from measure.material import MINILM, native_folder, parser, read_texts, save_sets, texts_of_length
from measure.random_model import SIZES, random_bert
from measure.report import Row, as_milliseconds, as_rate, publish, ratio_row
from measure.rounds import Run, Side, figures, interleaved, median_ratio, python

_OURS = "onnx"
_PIPELINE, _BY_HAND = "pipeline", "onnxruntime"
_NAMES = {_PIPELINE: "transformers pipeline", _BY_HAND: "ONNX Runtime by hand, sorted batches"}
_MULTIPLICATIONS = "matmul"
# Sets of texts that all have so many tokens, and how many texts.
_LENGTHS = {25: 800, 128: 160, 512: 40}
_LONGEST = 512
# At least so many times as fast as a peer.
_GOALS = {(_PIPELINE, "SST-2"): 2.1, (_BY_HAND, "SST-2"): 1.08, (_BY_HAND, "128 tokens"): 0.97, (_BY_HAND, "512 tokens"): 0.97}
_SINGLE_GOALS = {_PIPELINE: 0.55}
_OF_MULTIPLICATIONS = 0.75


@dataclass(frozen=True)
class Examination:
    """A model, its sets of texts, and how many texts are asked alone. `work`: multiplications and additions for each set's texts."""

    name: str
    model: Path
    sets: Mapping[str, Sequence[str]]
    singles: int

    def work(self) -> dict[str, float]:
        from tokenizers import Tokenizer

        config = json.loads((self.model / "config.json").read_text(encoding="utf-8"))
        tokenizer = Tokenizer.from_file(str(self.model / "tokenizer.json"))
        lengths = {name: [min(_LONGEST, len(one)) for one in tokenizer.encode_batch(list(texts))] for name, texts in self.sets.items()}
        return {name: sum(_work(config, tokens) for tokens in each) for name, each in lengths.items()}


def main() -> None:
    options = _options()
    rows, notes = [], []
    with tempfile.TemporaryDirectory() as folder:
        for examination in _examinations(options, Path(folder)):
            runs = _runs(examination, options.rounds, Path(folder))
            rows += [*_many(examination, runs), *_single(examination, runs)]
            notes.append(_labels_note(examination, runs))
    publish("throughput", rows, rounds=options.rounds, as_json=options.json, notes=notes)


def _options() -> argparse.Namespace:
    options = parser(__doc__, rounds=5)
    options.add_argument("--archive", type=Path, help="this model alone (default: MiniLM, and BERT of two sizes with random weights)")
    options.add_argument("--texts", type=Path, help="a file with `label text` lines (default: SST-2 test)")
    options.add_argument("--limit", type=int, help="only so many texts")
    options.add_argument("--singles", type=int, default=300, help="texts that are also classified one at a time (default: %(default)s)")
    options.add_argument("--sizes", nargs="*", choices=SIZES, default=list(SIZES), help="sizes of BERT (default: %(default)s)")
    return options.parse_args()


def _examinations(options: argparse.Namespace, folder: Path) -> Iterator[Examination]:
    texts = [text.text for text in read_texts(options.texts or options.shared / "data" / "sst2_test.txt")[: options.limit]]
    model = native_folder(options.archive or options.shared / "archives" / MINILM, folder / "cache")
    if options.archive:
        yield Examination("the model", model, {f"{len(texts):,} texts": texts}, options.singles)
        return
    equal = {f"{tokens} tokens": texts_of_length(model, tokens, count, texts) for tokens, count in _LENGTHS.items()}
    yield Examination("MiniLM", model, {"SST-2": texts, **equal}, options.singles)
    for size in options.sizes:
        made = native_folder(random_bert(size, model, folder / size), folder / "cache")
        yield Examination(f"BERT {size}, random", made, {"200 texts": texts[:200]}, 20)


def _runs(examination: Examination, rounds: int, folder: Path) -> dict[str, list[Run]]:
    file = save_sets(examination.sets, folder / "sets.json")
    asked = (examination.model, file, examination.singles, _LONGEST)
    sides = [Side(name, python("classify.py", name, *asked)) for name in (_OURS, *_NAMES) if _is_there(name)]
    return interleaved([Side(_MULTIPLICATIONS, python("matmul.py")), *sides], rounds)


def _is_there(side: str) -> bool:
    """transformers comes with the extra [torch]; without it, the others are measured all the same."""
    if side != _PIPELINE or (find_spec("transformers") and find_spec("torch")):
        return True
    print("transformers and torch are not installed: no pipeline", file=sys.stderr)
    return False


def _many(examination: Examination, runs: Mapping[str, Sequence[Run]]) -> list[Row]:
    rows = []
    work = examination.work()
    for name, texts in examination.sets.items():
        what = f"{examination.name}, {name}"
        rates = {side: [len(texts) / run.said["sets"][name]["seconds"] for run in runs[side]] for side in (_OURS, *_NAMES) if side in runs}
        rows += [_rate_row(what, rates[_OURS], _NAMES[peer], rates[peer], _GOALS.get((peer, name))) for peer in _NAMES if peer in rates]
        allowed = [rate / (work[name] / len(texts)) for rate in figures(runs[_MULTIPLICATIONS], "rate")]
        goal = _OF_MULTIPLICATIONS if name == "SST-2" else None
        rows.append(_rate_row(what, rates[_OURS], "what the multiplications allow", allowed, goal))
    return rows


def _rate_row(what: str, ours: Sequence[float], against: str, theirs: Sequence[float], at_least: float | None) -> Row:
    ratio = median_ratio(ours, theirs)
    goal, met = ("", None) if at_least is None else (f">= {at_least:g}x", ratio >= at_least)
    return Row(what, as_rate(median(ours)), against, as_rate(median(theirs)), f"{ratio:.2f}x", goal, met)


def _single(examination: Examination, runs: Mapping[str, Sequence[Run]]) -> list[Row]:
    what, ours = f"{examination.name}, one text", figures(runs[_OURS], "single")
    peers = [peer for peer in _NAMES if peer in runs]
    goals = _SINGLE_GOALS if examination.name == "MiniLM" else {}
    return [
        ratio_row(what, ours, _NAMES[peer], figures(runs[peer], "single"), shown=as_milliseconds, at_most=goals.get(peer)) for peer in peers
    ]


def _work(config: Mapping[str, int], tokens: int) -> float:
    """Multiplications and additions of BERT for one text: the linear layers of every token, and every token heeding every other."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    return config["num_hidden_layers"] * (2 * tokens * (4 * hidden**2 + 2 * hidden * inner) + 4 * tokens**2 * hidden)


def _labels_note(examination: Examination, runs: Mapping[str, Sequence[Run]]) -> str:
    def labels(run: Run) -> list[str]:
        return [label for found in run.said["sets"].values() for label in found["labels"]]

    ours = labels(runs[_OURS][0])
    differ = {
        peer: max(sum(a != b for a, b in zip(ours, labels(run), strict=True)) for run in runs[peer]) for peer in _NAMES if peer in runs
    }
    told = ", ".join(f"{_NAMES[peer]}: {count}" for peer, count in differ.items())
    return f"{examination.name}: labels that differ from ours, of {len(ours):,}: {told}."


if __name__ == "__main__":
    main()
