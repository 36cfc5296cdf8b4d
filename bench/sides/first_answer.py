"""A new process answers one text and ends: `ours NAME LANGUAGE TEXT`, or `by-hand FOLDER TEXT` on the native folder of the same model."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path


def ours(name: str, language: str, text: str) -> str:
    from hubclient import pretrained

    return pretrained(name, language)(text).label


def by_hand(folder: str, text: str) -> str:
    import numpy as np
    import onnxruntime
    from tokenizers import Tokenizer

    labels = json.loads(Path(folder, "config.json").read_text(encoding="utf-8"))["id2label"]
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    session = onnxruntime.InferenceSession(f"{folder}/model.onnx", providers=["CPUExecutionProvider"])
    encoding = tokenizer.encode(text)
    feeds = {"input_ids": encoding.ids, "attention_mask": encoding.attention_mask, "token_type_ids": encoding.type_ids}
    logits = session.run(["logits"], {name: np.array([values], dtype=np.int64) for name, values in feeds.items()})[0]
    return str(labels[str(int(logits.argmax()))])


def peak_resident() -> int:
    """Bytes that this process has had in memory at most; a parent's own peak does not count, as it does in getrusage."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    sides: dict[str, Callable[..., str]] = {"ours": ours, "by-hand": by_hand}
    label = sides[sys.argv[1]](*sys.argv[2:])
    print(json.dumps({"label": label, "resident": peak_resident()}))
