"""One engine classifies texts: `ENGINE FOLDER TEXTS SINGLES`, the model's folder, a file with a JSON list of texts, and how many of
them are also classified one at a time. Says the labels, the seconds for all texts, and the median seconds for one.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

Classify = Callable[[Sequence[str]], list[str]]

_BATCH = 32
_WARM_UP = 128
_PIPELINE_BATCHES = (1, 8, 32)


def onnx(folder: str) -> Classify:
    return _hubclient(folder, "onnx")


def torch(folder: str) -> Classify:
    return _hubclient(folder, "torch")


def _hubclient(folder: str, engine: str) -> Classify:
    from hubclient import from_folder

    classifier = from_folder(folder, engine=engine)

    def classify(texts: Sequence[str]) -> list[str]:
        if len(texts) == 1:
            return [classifier(texts[0]).label]
        return [prediction.label for prediction in classifier(list(texts))]

    return classify


def pipeline(folder: str) -> Classify:
    """transformers' own, with the batch size that is fastest on the first texts: larger ones pad texts of all lengths to the longest."""
    from transformers import pipeline, utils

    utils.logging.disable_progress_bar()
    pipe = pipeline("text-classification", model=folder, device="cpu")
    fastest: list[int] = []

    def classify(texts: Sequence[str]) -> list[str]:
        def in_batches(size: int) -> list[str]:
            return [answer["label"] for answer in pipe(list(texts), truncation=True, batch_size=size)]

        if not fastest:
            fastest.append(min(_PIPELINE_BATCHES, key=lambda size: timed(lambda _: in_batches(size), texts)[1]))
        return in_batches(fastest[0])

    return classify


def onnxruntime(folder: str) -> Classify:
    """Written by hand: tokenizer, session, batches of texts sorted by length."""
    import onnxruntime
    from tokenizers import Tokenizer

    config = json.loads(Path(folder, "config.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer.enable_truncation(config["max_position_embeddings"])
    session = onnxruntime.InferenceSession(f"{folder}/model.onnx", providers=["CPUExecutionProvider"])

    def classify(texts: Sequence[str]) -> list[str]:
        encodings = tokenizer.encode_batch(list(texts))
        order = sorted(range(len(texts)), key=lambda row: len(encodings[row]))
        labels = [""] * len(texts)
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            logits = session.run(["logits"], _feeds([encodings[row] for row in rows]))[0]
            for row, best in zip(rows, logits.argmax(axis=1).tolist(), strict=True):
                labels[row] = config["id2label"][str(best)]
        return labels

    return classify


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


def main(engine: str, folder: str, file: str, singles: str) -> None:
    classify = {"onnx": onnx, "torch": torch, "pipeline": pipeline, "onnxruntime": onnxruntime}[engine](folder)
    texts = json.loads(Path(file).read_text(encoding="utf-8"))
    classify(texts[:_WARM_UP])
    labels, seconds = timed(classify, texts)
    alone = [timed(classify, [text])[1] for text in texts[: int(singles)]]
    print(json.dumps({"labels": labels, "seconds": seconds, "single": median(alone) if alone else None}))


if __name__ == "__main__":
    main(*sys.argv[1:])
