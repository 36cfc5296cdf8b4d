"""Texts a second and the latency of one text, in float32, bfloat16 and int8, against transformers' pipeline, ONNX Runtime and OpenVINO by
hand, and what the multiplications allow."""

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

from measure import cpu
from measure.material import MINILM, Text, native_folder, parser, read_texts, save_sets, texts_of_length
from measure.picture import save_bars
from measure.random_model import SIZES, random_bert
from measure.report import Row, as_milliseconds, as_rate, publish, ratio_row
from measure.rounds import Run, Side, figures, interleaved, median_ratio, python

FLOAT32, BFLOAT16, INT8 = "onnx", "bfloat16", "int8"
PIPELINE, BY_HAND, OPENVINO = "pipeline", "onnxruntime", "openvino"
_MULTIPLICATIONS = "matmul"
_NAMES = {
    FLOAT32: "float32",
    BFLOAT16: "bfloat16 (OpenVINO)",
    INT8: "int8",
    PIPELINE: "transformers pipeline",
    BY_HAND: "ONNX Runtime by hand, sorted batches",
    OPENVINO: "OpenVINO by hand, bfloat16",
}
# What a side needs beyond the light core, and what the processor must have for it.
_NEEDS = {PIPELINE: ("transformers", "torch"), BFLOAT16: ("openvino",), OPENVINO: ("openvino",)}
_BFLOAT16_FLAGS = {"amx_bf16", "avx512_bf16"}
# Sets of texts that all have so many tokens, and how many texts.
_LENGTHS = {25: 800, 128: 160, 512: 40}
_LONGEST = 512
# At least so many times as fast as a peer; those of bfloat16 are for processors with AMX.
_GOALS = {
    (FLOAT32, PIPELINE, "SST-2"): 2.1,
    (FLOAT32, BY_HAND, "SST-2"): 1.08,
    (FLOAT32, _MULTIPLICATIONS, "SST-2"): 0.75,
    (FLOAT32, BY_HAND, "128 tokens"): 0.97,
    (FLOAT32, BY_HAND, "512 tokens"): 0.97,
    (BFLOAT16, PIPELINE, "SST-2"): 6,
    (BFLOAT16, OPENVINO, "SST-2"): 0.97,
    (INT8, FLOAT32, "SST-2"): 2.4,
}
_PEERS = {FLOAT32: (PIPELINE, BY_HAND), BFLOAT16: (PIPELINE, OPENVINO), INT8: (FLOAT32,)}
_SINGLE_GOALS = {(FLOAT32, PIPELINE): 0.55, (BFLOAT16, PIPELINE): 0.33}
_SAME_LABELS = 0.998
_POINTS_LOST = 0.6


@dataclass(frozen=True)
class Examination:
    """A model, its sets of texts, and how many texts are asked alone. `gold`: what the texts of the first set are, where that is known."""

    name: str
    model: Path
    sets: Mapping[str, Sequence[str]]
    singles: int
    gold: Sequence[Text] = ()

    def work(self) -> dict[str, float]:
        """Multiplications and additions for each set's texts."""
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
            rows += [*_many(examination, runs), *_single(examination, runs), *_answers(examination, runs)]
            notes += [_labels_note(examination, runs)]
            if options.picture and examination.gold:
                save_bars(options.picture, f"{examination.name}, {next(iter(examination.sets))}: texts a second", _rates(examination, runs))
    publish("throughput", rows, rounds=options.rounds, as_json=options.json, notes=[_processor_note(), *notes])


def _options() -> argparse.Namespace:
    options = parser(__doc__, rounds=5)
    options.add_argument("--archive", type=Path, help="this model alone (default: MiniLM, and BERT of two sizes with random weights)")
    options.add_argument("--texts", type=Path, help="a file with `label text` lines (default: SST-2 test)")
    options.add_argument("--limit", type=int, help="only so many texts")
    options.add_argument("--singles", type=int, default=300, help="texts that are also classified one at a time (default: %(default)s)")
    options.add_argument("--sizes", nargs="*", choices=SIZES, default=list(SIZES), help="sizes of BERT (default: %(default)s)")
    options.add_argument("--picture", type=Path, help="draw the rates into this file, .svg or .png")
    return options.parse_args()


def _examinations(options: argparse.Namespace, folder: Path) -> Iterator[Examination]:
    gold = read_texts(options.texts or options.shared / "data" / "sst2_test.txt")[: options.limit]
    texts = [text.text for text in gold]
    model = native_folder(options.archive or options.shared / "archives" / MINILM, folder / "cache")
    if options.archive:
        yield Examination("the model", model, {f"{len(texts):,} texts": texts}, options.singles, gold)
        return
    equal = {f"{tokens} tokens": texts_of_length(model, tokens, count, texts) for tokens, count in _LENGTHS.items()}
    yield Examination("MiniLM", model, {"SST-2": texts, **equal}, options.singles, gold)
    for size in options.sizes:
        made = native_folder(random_bert(size, model, folder / size), folder / "cache")
        yield Examination(f"BERT {size}, random", made, {"200 texts": texts[:200]}, 20)


def _runs(examination: Examination, rounds: int, folder: Path) -> dict[str, list[Run]]:
    file = save_sets(examination.sets, folder / "sets.json")
    asked = (examination.model, file, examination.singles, _LONGEST)
    sides = [Side(name, python("classify.py", name, *asked)) for name in _NAMES if _is_there(name)]
    return interleaved([Side(_MULTIPLICATIONS, python("matmul.py")), *sides], rounds)


def _is_there(side: str) -> bool:
    """Peers come with extras, and bfloat16 with the processor; without them, the others are measured all the same."""
    lacking = [package for package in _NEEDS.get(side, ()) if not find_spec(package)]
    if lacking:
        print(f"{' and '.join(lacking)} not installed: no {_NAMES[side]}", file=sys.stderr)
    return not lacking and (side not in (BFLOAT16, OPENVINO) or bool(_BFLOAT16_FLAGS & cpu.flags()))


def _many(examination: Examination, runs: Mapping[str, Sequence[Run]]) -> list[Row]:
    rows = []
    work = examination.work()
    for name, texts in examination.sets.items():
        rates = {side: _rate(runs[side], name, texts) for side in _NAMES if side in runs}
        for ours in (side for side in _PEERS if side in rates):
            what = f"{examination.name}, {name}" + ("" if ours == FLOAT32 else f", {_NAMES[ours]}")
            rows += [
                _rate_row(what, rates[ours], _NAMES[peer], rates[peer], _goal(ours, peer, name)) for peer in _PEERS[ours] if peer in rates
            ]
            if ours == FLOAT32:
                allowed = [rate / (work[name] / len(texts)) for rate in figures(runs[_MULTIPLICATIONS], "rate")]
                goal = _goal(ours, _MULTIPLICATIONS, name)
                rows.append(_rate_row(what, rates[ours], "what the multiplications allow", allowed, goal))
    return rows


def _rate(runs: Sequence[Run], name: str, texts: Sequence[str]) -> list[float]:
    return [len(texts) / run.said["sets"][name]["seconds"] for run in runs]


def _rates(examination: Examination, runs: Mapping[str, Sequence[Run]]) -> dict[str, float]:
    name, texts = next(iter(examination.sets.items()))
    ours = {FLOAT32: "hubclient, ", BFLOAT16: "hubclient, ", INT8: "hubclient, "}
    return {ours.get(side, "") + label: median(_rate(runs[side], name, texts)) for side, label in _NAMES.items() if side in runs}


def _goal(ours: str, peer: str, name: str) -> float | None:
    return None if ours == BFLOAT16 and not _has_amx() else _GOALS.get((ours, peer, name))


def _rate_row(what: str, ours: Sequence[float], against: str, theirs: Sequence[float], at_least: float | None) -> Row:
    ratio = median_ratio(ours, theirs)
    goal, met = ("", None) if at_least is None else (f">= {at_least:g}x", ratio >= at_least)
    return Row(what, as_rate(median(ours)), against, as_rate(median(theirs)), f"{ratio:.2f}x", goal, met)


def _single(examination: Examination, runs: Mapping[str, Sequence[Run]]) -> list[Row]:
    rows = []
    for ours in (side for side in (FLOAT32, BFLOAT16) if side in runs):
        what = f"{examination.name}, one text" + ("" if ours == FLOAT32 else f", {_NAMES[ours]}")
        for peer in (peer for peer in _PEERS[ours] if peer in runs):
            wanted = examination.name == "MiniLM" and (ours == FLOAT32 or _has_amx())
            goal = _SINGLE_GOALS.get((ours, peer)) if wanted else None
            times = (figures(runs[ours], "single"), figures(runs[peer], "single"))
            rows.append(ratio_row(what, times[0], _NAMES[peer], times[1], shown=as_milliseconds, at_most=goal))
    return rows


def _answers(examination: Examination, runs: Mapping[str, Sequence[Run]]) -> list[Row]:
    """What reduced precision changes, in the first set, in the worst of the rounds."""
    if not examination.gold:
        return []
    name = next(iter(examination.sets))
    found = {side: [run.said["sets"][name]["labels"] for run in runs[side]] for side in (FLOAT32, BFLOAT16, INT8) if side in runs}
    rows = []
    for side in (side for side in (BFLOAT16, INT8) if side in found):
        what = f"{examination.name}, {name}, {_NAMES[side]}"
        same = min(_share(a, b) for a, b in zip(found[side], found[FLOAT32], strict=True))
        goal = side == BFLOAT16 and _has_amx()
        met = same >= _SAME_LABELS if goal else None
        rows.append(
            Row(f"{what}: labels", f"{same:.2%}", "float32", "", f"{same:.2%} the same", f">= {_SAME_LABELS:.1%}" if goal else "", met)
        )
        right = [_accuracy(examination, labels) for labels in (found[side][0], found[FLOAT32][0])]
        if None not in right:
            rows.append(_accuracy_row(what, [float(one or 0) for one in right], goal=side == INT8))
    return rows


def _accuracy_row(what: str, right: Sequence[float], *, goal: bool) -> Row:
    ours, theirs = right
    lost = 100 * (theirs - ours)
    stated = (f"<= {_POINTS_LOST:g} lost", lost <= _POINTS_LOST) if goal else ("", None)
    return Row(f"{what}: accuracy", f"{ours:.2%}", "float32", f"{theirs:.2%}", f"{-lost:+.2f} points", *stated)


def _accuracy(examination: Examination, labels: Sequence[str]) -> float | None:
    """None where the texts' classes are not the model's."""
    named = json.loads((examination.model / "config.json").read_text(encoding="utf-8"))["id2label"]
    gold = [named.get(str(text.label)) for text in examination.gold]
    return None if None in gold else _share(labels, gold)


def _share(found: Sequence[str], wanted: Sequence[str | None]) -> float:
    return sum(a == b for a, b in zip(found, wanted, strict=True)) / len(found)


def _has_amx() -> bool:
    return "amx_bf16" in cpu.flags()


def _work(config: Mapping[str, int], tokens: int) -> float:
    """Multiplications and additions of BERT for one text: the linear layers of every token, and every token heeding every other."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    return config["num_hidden_layers"] * (2 * tokens * (4 * hidden**2 + 2 * hidden * inner) + 4 * tokens**2 * hidden)


def _processor_note() -> str:
    if _has_amx():
        return f"{cpu.name()}, with AMX."
    shorter = "it is computed with AVX512-BF16, and has no goal" if _BFLOAT16_FLAGS & cpu.flags() else "bfloat16 is left out"
    return f"{cpu.name()}: no AMX. The goals of bfloat16 are not measured; {shorter}."


def _labels_note(examination: Examination, runs: Mapping[str, Sequence[Run]]) -> str:
    def labels(run: Run) -> list[str]:
        return [label for found in run.said["sets"].values() for label in found["labels"]]

    ours = labels(runs[FLOAT32][0])
    peers = [side for side in _NAMES if side in runs and side != FLOAT32]
    differ = {peer: max(sum(a != b for a, b in zip(ours, labels(run), strict=True)) for run in runs[peer]) for peer in peers}
    told = ", ".join(f"{_NAMES[peer]}: {count}" for peer, count in differ.items())
    return f"{examination.name}: labels that differ from ours in float32, of {len(ours):,}: {told}."


if __name__ == "__main__":
    main()
