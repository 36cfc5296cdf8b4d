"""Every archive of the shared material, exported and in transformers: the same token ids, the same logits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
import transformers

from hubclient import Hub
from hubclient.padding import read_padding
from hubclient.settings import Settings
from tests.e2e.material import SHARED

ROWS = 12
GOLDENS = sorted(SHARED.glob("*.golden.jsonl"))

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_torch_thread")]


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda path: path.stem)
def test_exports_answer_as_the_original(golden: Path, common_cache: Path, tmp_path: Path) -> None:
    facts, *rows = map(json.loads, golden.read_text("utf-8").splitlines()[: ROWS + 1])
    classifier = Hub(settings=Settings(cache_dir=common_cache), progress=False).pretrained(str(SHARED / facts["archive"]), task=None)
    questions = [question for row in rows for question in asked(row, facts)]
    model, tokenizer = classifier.to_transformers()
    whole, plain = classifier.export(tmp_path / "onnx"), classifier.export(tmp_path / "hf", "hf")
    session = onnxruntime.InferenceSession(str(whole / "model.onnx"))
    loaded = transformers.AutoTokenizer.from_pretrained(plain)
    for texts, ids, logits in questions:
        tokens = tokenizer(*texts, truncation="only_first", return_tensors="pt")
        assert tokens["input_ids"][0].tolist() == ids
        assert loaded(*texts, truncation="only_first")["input_ids"] == ids
        with torch.inference_mode():
            assert np.abs(model(**tokens).logits[0].numpy() - logits).max() <= 1e-4
        feeds = {item.name: tokens[item.name].numpy() for item in session.get_inputs()}
        assert np.abs(session.run(["logits"], feeds)[0][0] - logits).max() <= 1e-4
    assert tokenizer.padding_side == loaded.padding_side == read_padding(classifier.path).side


def asked(row: dict[str, Any], facts: dict[str, Any]) -> list[tuple[list[str], list[int], np.ndarray]]:
    """What a golden row says: texts, token ids, logits."""
    if "pairs" not in row:
        return [([row["text"]], row["input_ids"], np.array(row["logits"]))]
    labels = [facts["hypothesis_template"].format(label) for label in facts["candidate_labels"]]
    return [([row["text"], label], pair["input_ids"], np.array(pair["logits"])) for label, pair in zip(labels, row["pairs"], strict=True)]
