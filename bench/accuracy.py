"""Accuracy on the public test sets, by both engines, against the original checkpoints: equal, or this program fails."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from measure.material import MINILM, Text, existing, native_folder, parser, read_texts, save_sets
from measure.report import Row, publish
from measure.rounds import Side, interleaved, python

_SST2 = ("neg", "pos")
_TREC6 = ("DESC", "ENTY", "ABBR", "HUM", "NUM", "LOC")
_ENGINES = ("onnx", "torch")


@dataclass(frozen=True)
class Examination:
    """An archive and the labelled texts that it is asked. `stated`: per cent, with as many decimals as are known, of the original
    checkpoint; `original`: its folder below `hf/`, where it is there to be asked itself."""

    name: str
    archive: str
    texts: str
    classes: Sequence[str]
    stated: str | None = None
    original: str | None = None
    encoding: str = "utf-8"


EXAMINATIONS = (
    Examination(
        "demo model, SST-2 test",
        "bert_tiny_sequence_classifier_sst2_en_3.4.4_3.0_1635774771318.zip",
        "sst2_test.txt",
        _SST2,
        stated="83.7",
        original="bert_tiny_sst2",
    ),
    Examination("MiniLM, SST-2 test", MINILM, "sst2_test.txt", _SST2, stated="88.36"),
    Examination(
        "trec6 model, TREC-6 test",
        "bert_tiny_cased_sequence_classifier_trec6_en_3.4.4_3.0_1635774772318.zip",
        "trec6_test.txt",
        _TREC6,
        original="bert_tiny_trec6",
        encoding="latin-1",
    ),
)


def main() -> None:
    options = parser(__doc__).parse_args()
    rows = [row for examination in EXAMINATIONS for row in _examine(examination, options.shared)]
    publish("accuracy", rows, as_json=options.json)
    if not all(row.met for row in rows):
        sys.exit("the answers are not those of the original checkpoints")


def _examine(examination: Examination, shared: Path) -> list[Row]:
    texts = read_texts(shared / "data" / examination.texts, examination.encoding)
    answers = _answers(examination, texts, shared)
    original = answers.get("pipeline")
    if original is None:
        return [_against_stated(examination, engine, _right(examination, texts, answers[engine]), len(texts)) for engine in _ENGINES]
    rows = [_against_original(examination, engine, texts, answers[engine], original) for engine in _ENGINES]
    return (
        rows if examination.stated is None else [*rows, _original_is_stated(examination, _right(examination, texts, original), len(texts))]
    )


def _answers(examination: Examination, texts: Sequence[Text], shared: Path) -> dict[str, list[str]]:
    """Labels by engine; `pipeline` is transformers on the original checkpoint."""
    archive = existing(shared / "archives" / examination.archive)
    with tempfile.TemporaryDirectory() as folder:
        model = native_folder(archive, Path(folder, "cache"))
        file = save_sets({"texts": [text.text for text in texts]}, Path(folder, "texts.json"))
        folders = dict.fromkeys(_ENGINES, model)
        if examination.original:
            folders["pipeline"] = existing(shared / "hf" / examination.original)
        sides = [Side(engine, python("classify.py", engine, folder, file, 0, 0)) for engine, folder in folders.items()]
        return {engine: list(runs[0].said["sets"]["texts"]["labels"]) for engine, runs in interleaved(sides, 1).items()}


def _right(examination: Examination, texts: Sequence[Text], labels: Sequence[str]) -> int:
    return sum(examination.classes[text.label] == label for text, label in zip(texts, labels, strict=True))


def _against_stated(examination: Examination, engine: str, right: int, count: int) -> Row:
    stated = examination.stated or ""
    figure = _as_stated(right, count, stated)
    return _row(examination, f"{engine} engine", right, count, "original, as stated", f"{stated} %", f"{figure} %", figure == stated)


def _against_original(examination: Examination, engine: str, texts: Sequence[Text], labels: Sequence[str], original: Sequence[str]) -> Row:
    same = sum(a == b for a, b in zip(labels, original, strict=True))
    right, theirs = (_right(examination, texts, answers) for answers in (labels, original))
    count = len(texts)
    return _row(
        examination,
        f"{engine} engine",
        right,
        count,
        "original, in transformers",
        _score(theirs, count),
        f"{same:,} labels the same",
        same == count and right == theirs,
    )


def _original_is_stated(examination: Examination, right: int, count: int) -> Row:
    stated = examination.stated or ""
    figure = _as_stated(right, count, stated)
    return _row(
        examination, "original in transformers", right, count, "original, as stated", f"{stated} %", f"{figure} %", figure == stated
    )


def _row(examination: Examination, side: str, right: int, count: int, against: str, theirs: str, compared: str, met: bool) -> Row:
    return Row(f"{examination.name}, {side}", _score(right, count), against, theirs, compared, "equal", met)


def _score(right: int, count: int) -> str:
    return f"{100 * right / count:.2f} % ({right:,} of {count:,})"


def _as_stated(right: int, count: int, stated: str) -> str:
    """Per cent, with as many decimals as the stated figure has."""
    return f"{100 * right / count:.{len(stated.partition('.')[2])}f}"


if __name__ == "__main__":
    main()
