"""`hub export`: what it writes, what it prints, and that it overwrites nothing unless asked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from tokenizers import Tokenizer

from hubclient import from_folder, pretrained
from tests.e2e.material import DEMO, PUBMED
from tests.e2e.shell import hub

TEXT = "I really liked that movie!"

pytestmark = pytest.mark.usefixtures("shop")


def test_onnx(tmp_path: Path) -> None:
    done = hub("export", f"en/{DEMO}", tmp_path / "out")
    assert done.code == 0, done.err
    assert done.lines == [str(tmp_path / "out")]
    assert DEMO in done.err
    session = onnxruntime.InferenceSession(str(tmp_path / "out" / "model.onnx"))
    ids = Tokenizer.from_file(str(tmp_path / "out" / "tokenizer.json")).encode(TEXT).ids
    feeds = {"input_ids": ids, "attention_mask": [1] * len(ids), "token_type_ids": [0] * len(ids)}
    logits = session.run(None, {name: np.array([values]) for name, values in feeds.items()})[0]
    assert np.abs(logits - pretrained(DEMO, "en").logits([TEXT])).max() <= 1e-5


def test_hugging_face(tmp_path: Path) -> None:
    """The overlay of the card is in force, as when the model is opened by its name."""
    done = hub("export", PUBMED, "--lang", "en", tmp_path / "out", "--format", "hf", "--json")
    assert done.code == 0, done.err
    (said,) = map(json.loads, done.lines)
    assert (said["path"], said["format"]) == (str(tmp_path / "out"), "hf")
    assert said["files"] == {file.name: file.stat().st_size for file in (tmp_path / "out").iterdir()}
    assert "model.safetensors" in said["files"]
    assert from_folder(tmp_path / "out", cache_dir=tmp_path / "cache").activation == "sigmoid"


def test_force(tmp_path: Path) -> None:
    assert hub("export", f"en/{DEMO}", tmp_path / "out").code == 0
    refused = hub("export", f"en/{DEMO}", tmp_path / "out", "--format", "hf")
    assert refused.code == 2
    assert "not empty" in refused.err
    assert not (tmp_path / "out" / "model.safetensors").exists()
    assert hub("export", f"en/{DEMO}", tmp_path / "out", "--format", "hf", "--force").code == 0
    assert not (tmp_path / "out" / "model.onnx").exists()


@pytest.mark.parametrize(("arguments", "words"), [(["--format", "pickle"], "pickle"), (["--source", "ftp"], "ftp")])
def test_what_cannot_be(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = hub("export", f"en/{DEMO}", tmp_path / "out", *arguments)
    assert done.code == 2
    assert words in done.err
    assert not (tmp_path / "out").exists()


def test_an_unknown_model(tmp_path: Path) -> None:
    done = hub("export", "en/no_such_model_at_all", tmp_path / "out")
    assert done.code == 4
    assert not (tmp_path / "out").exists()
