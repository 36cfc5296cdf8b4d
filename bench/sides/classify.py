"""One engine classifies sets of texts: `SIDE FOLDER SETS SINGLES LONGEST`, the model's folder, a file with JSON (a list of texts by the
name of its set), how many texts of the first set are also classified one at a time, and how many tokens a text may have, 0 for the model's
own limit. Says for each set the labels and the seconds, and the median seconds for one.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

Classify = Callable[[Sequence[str]], list[str]]
# Gives what classifies texts like these: some sides try out what is fastest for them.
Fit = Callable[[Sequence[str]], Classify]

_BATCH = 32
_WARM_UP = 128
_PIPELINE_BATCHES = (1, 8, 32)


def _hubclient(engine: str, folder: str, longest: int) -> Fit:
    from hubclient import from_folder

    classifier = from_folder(folder, max_length=longest or None, engine=engine)

    def classify(texts: Sequence[str]) -> list[str]:
        if len(texts) == 1:
            return [classifier(texts[0]).label]
        return [prediction.label for prediction in classifier(list(texts))]

    return lambda texts: classify


def pipeline(folder: str, longest: int) -> Fit:
    """transformers' own, with the batch size that is fastest on the first texts: larger ones pad texts of all lengths to the longest."""
    from transformers import pipeline, utils

    utils.logging.disable_progress_bar()
    pipe = pipeline("text-classification", model=folder, device="cpu", truncation=True, **({"max_length": longest} if longest else {}))

    def in_batches(size: int, texts: Sequence[str]) -> list[str]:
        return [answer["label"] for answer in pipe(list(texts), batch_size=size)]

    def fit(texts: Sequence[str]) -> Classify:
        sizes = {size: timed(partial(in_batches, size), texts[:_WARM_UP])[1] for size in _PIPELINE_BATCHES}
        return partial(in_batches, min(sizes, key=sizes.__getitem__))

    return fit


def onnxruntime(folder: str, longest: int) -> Fit:
    """Written by hand: tokenizer, session, batches of texts sorted by length."""
    import onnxruntime

    session = onnxruntime.InferenceSession(f"{folder}/model.onnx", providers=["CPUExecutionProvider"])
    return _sorted_batches(folder, longest, lambda feeds: session.run(["logits"], feeds)[0])


def _sorted_batches(folder: str, longest: int, logits_of: Callable[[dict[str, np.ndarray]], np.ndarray]) -> Fit:
    from tokenizers import Tokenizer

    config = json.loads(Path(folder, "config.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer.enable_truncation(longest or config["max_position_embeddings"])

    def classify(texts: Sequence[str]) -> list[str]:
        encodings = tokenizer.encode_batch(list(texts))
        order = sorted(range(len(texts)), key=lambda row: len(encodings[row]))
        labels = [""] * len(texts)
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            logits = logits_of(_feeds([encodings[row] for row in rows]))
            for row, best in zip(rows, logits.argmax(axis=1).tolist(), strict=True):
                labels[row] = config["id2label"][str(best)]
        return labels

    return lambda texts: classify


def _feeds(encodings: Sequence[Any]) -> dict[str, np.ndarray]:
    import numpy as np

    longest = max(len(encoding) for encoding in encodings)
    for encoding in encodings:
        encoding.pad(longest)
    return {
        "input_ids": np.array([encoding.ids for encoding in encodings], dtype=np.int64),
        "attention_mask": np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64),
        "token_type_ids": np.array([encoding.type_ids for encoding in encodings], dtype=np.int64),
    }


def timed(classify: Classify, texts: Sequence[str]) -> tuple[list[str], float]:
    start = time.perf_counter()
    labels = classify(texts)
    return labels, time.perf_counter() - start


SIDES: dict[str, Callable[[str, int], Fit]] = {
    "onnx": partial(_hubclient, "onnx"),
    "torch": partial(_hubclient, "torch"),
    "pipeline": pipeline,
    "onnxruntime": onnxruntime,
}


def main(side: str, folder: str, file: str, singles: str, longest: str) -> None:
    fit = SIDES[side](folder, int(longest))
    said: dict[str, Any] = {"sets": {}, "single": None}
    for name, texts in json.loads(Path(file).read_text(encoding="utf-8")).items():
        classify = fit(texts)
        classify(texts[:_WARM_UP])
        labels, seconds = timed(classify, texts)
        said["sets"][name] = {"labels": labels, "seconds": seconds}
        if said["single"] is None and int(singles):
            said["single"] = median(timed(classify, [text])[1] for text in texts[: int(singles)])
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
