"""One engine classifies sets of texts: `SIDE FOLDER SETS SINGLES LONGEST`, the model's folder, a file with JSON (a list of texts by the
name of its set), how many texts of the first set are also classified one at a time, and how many tokens a text may have, 0 for the model's
own limit. Says for each set the labels and the seconds, and the median seconds for one.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from hubclient.engines import Precision

Classify = Callable[[Sequence[str]], list[str]]
# Gives what classifies texts like these: some sides try out what is fastest for them.
Fit = Callable[[Sequence[str]], Classify]

_BATCH = 32
_BUDGET = 2048
_WARM_UP = 128
_PIPELINE_BATCHES = (1, 8, 32)


def _hubclient(engine: str, precision: Precision, folder: str, longest: int) -> Fit:
    from hubclient import from_folder

    # How many labels change is what is measured here.
    classifier = from_folder(folder, max_length=longest or None, engine=engine, precision=precision, max_changed=1)

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


def openvino(folder: str, longest: int) -> Fit:
    """Written by hand: bfloat16, as many streams as cores, sorted batches under a budget of tokens, all of them in a queue."""
    import numpy as np
    import openvino
    from tokenizers import Tokenizer

    config = json.loads(Path(folder, "config.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer.enable_truncation(longest or config["max_position_embeddings"])
    streams = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    settings = {"INFERENCE_PRECISION_HINT": "bf16", "NUM_STREAMS": str(streams)}
    model = openvino.Core().compile_model(f"{folder}/model.onnx", "CPU", settings)
    names = {name for port in model.inputs for name in port.get_names()}
    # The first answer by itself: see `hubclient/engines/openvino.py`.
    first = model.create_infer_request()
    first.infer({name: np.ones((1, 4), np.int64) for name in names if name in ("input_ids", "attention_mask", "token_type_ids")})
    first.get_output_tensor().data.copy()

    def classify(texts: Sequence[str]) -> list[str]:
        encodings = tokenizer.encode_batch(list(texts))
        order = sorted(range(len(texts)), key=lambda row: len(encodings[row]))
        labels = [""] * len(texts)

        def note(request: Any, rows: list[int]) -> None:
            for row, best in zip(rows, np.argmax(request.get_output_tensor().data, axis=1).tolist(), strict=True):
                labels[row] = config["id2label"][str(best)]

        queue = openvino.AsyncInferQueue(model)
        queue.set_callback(note)
        while order:
            count = max(1, _BUDGET // len(encodings[order[-1]]))
            rows, order = order[-count:], order[:-count]
            feeds = _feeds([encodings[row] for row in rows])
            queue.start_async({name: array for name, array in feeds.items() if name in names}, rows)
        queue.wait_all()
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
    "onnx": partial(_hubclient, "onnx", "float32"),
    "torch": partial(_hubclient, "torch", "float32"),
    "bfloat16": partial(_hubclient, "openvino", "bfloat16"),
    "int8": partial(_hubclient, "onnx", "int8"),
    "pipeline": pipeline,
    "onnxruntime": onnxruntime,
    "openvino": openvino,
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
