"""How large batches are fastest: processor time a token on one core, for texts of several lengths and batches of several sizes.

What it says decides `tokens` of the engines, and `SMALLEST` in `hubclient/batches.py`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import get_args

from measure.material import MINILM, native_folder, parser, read_texts, texts_of_length

from hubclient.engines import Precision, Wanted, choose_engine, open_engine

_LENGTHS = {25: 320, 128: 64, 512: 16}
_BUDGETS = (64, 128, 256, 512, 1024, 2048, 4096)


def main() -> None:
    options = parser(__doc__, rounds=5)
    options.add_argument("--archive", type=Path, help="the model (default: MiniLM)")
    options.add_argument("--texts", type=Path, help="a file with `label text` lines (default: SST-2 test)")
    options.add_argument("--engine", default="onnx", help="the engine (default: %(default)s)")
    options.add_argument("--precision", choices=get_args(Precision), default="float32", help="what it computes in (default: %(default)s)")
    asked = options.parse_args()
    texts = [text.text for text in read_texts(asked.texts or asked.shared / "data" / "sst2_test.txt")]
    with tempfile.TemporaryDirectory() as folder:
        model = native_folder(asked.archive or asked.shared / "archives" / MINILM, Path(folder))
        wanted = choose_engine(asked.engine, asked.precision)
        print(f"Microseconds a token, {asked.engine}, {asked.precision}, one thread, median of {asked.rounds} rounds.\n")
        print("| tokens a text | " + " | ".join(f"{budget:,} a batch" for budget in _BUDGETS) + " |")
        print("| --- " * (len(_BUDGETS) + 1) + "|")
        sets = {str(length): texts_of_length(model, length, count, texts) for length, count in _LENGTHS.items()}
        for name, some in {"SST-2": texts[:400], **sets}.items():
            took = _measure(model, wanted, some, asked.rounds)
            print(f"| {name} | " + " | ".join(f"{1e6 * seconds:.1f}" for seconds in took) + " |")


def _measure(model: Path, wanted: Wanted, texts: Sequence[str], rounds: int) -> list[float]:
    """Seconds of processor time a token, for each budget."""
    from tokenizers import Tokenizer

    from hubclient.batches import alike, filled
    from hubclient.padding import read_padding

    opened, padding = open_engine(wanted, model, threads=1), read_padding(model)
    tokens = Tokenizer.from_file(str(model / "tokenizer.json")).encode_batch(list(texts))
    batches = [[filled([tokens[n] for n in batch], padding) for batch in alike(tokens, tokens=budget)] for budget in _BUDGETS]
    took: list[list[float]] = [[] for _ in _BUDGETS]
    for number in range(-1, rounds):
        print(f"round {number + 1} of {rounds}" if number >= 0 else "warm-up", file=sys.stderr)
        for one, seconds in zip(batches, took, strict=True):
            start = time.process_time()
            for batch in one:
                opened.logits(batch)
            if number >= 0:
                seconds.append((time.process_time() - start) / sum(map(len, tokens)))
    return [median(seconds) for seconds in took]


if __name__ == "__main__":
    main()
