"""What is exported answers as the model does, stands by itself, and is there whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import transformers

from hubclient import Classifier, TokenClassifier, from_archive, from_folder, onnx_export
from hubclient.errors import StoreUnwritable, UnsupportedModel, UsageError
from hubclient.export import export
from hubclient.native import GRAPH, MANIFEST
from hubclient.onnx_export import write_whole
from tests.e2e.material import DEMO_ZIP

TEXTS = ["a good film", "", "Bad phone, this is [MASK] film " * 9, "漢字 😀"]


def run_exported(folder: Path, texts: list[Any]) -> np.ndarray:
    """With nothing but ONNX Runtime and the tokenizer that lies beside."""
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    answers = []
    for text in texts:
        tokens = tokenizer(text, truncation=True, return_tensors="np")
        answers.append(session.run(["logits"], {item.name: tokens[item.name] for item in session.get_inputs()})[0])
    return np.concatenate(answers)


def test_onnx(classifier: Classifier, tmp_path: Path) -> None:
    made = classifier.export(tmp_path / "out")
    assert sorted(file.name for file in made.iterdir()) == ["config.json", "model.onnx", "tokenizer.json", "tokenizer_config.json"]
    onnx.checker.check_model(str(made / "model.onnx"), full_check=True)
    assert not any(tensor.external_data for tensor in onnx.load(made / "model.onnx", load_external_data=False).graph.initializer)
    away = (tmp_path / "elsewhere").joinpath("moved")
    away.parent.mkdir()
    made.rename(away)
    assert np.abs(run_exported(away, TEXTS) - classifier.logits(TEXTS)).max() <= 1e-5


def test_onnx_too_large_for_one_message(classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = classifier.export(tmp_path / "whole") / "model.onnx"
    size = whole.stat().st_size
    for limit, names in ((size, ["model.onnx"]), (size - 1, ["model.onnx", "model.onnx.data"])):
        folder = tmp_path / str(limit)
        folder.mkdir()
        write_whole(classifier.path, folder, limit)
        assert sorted(file.name for file in folder.iterdir()) == names
    moved = onnx.load(folder / "model.onnx", load_external_data=False).graph.initializer
    places = [int(entry.value) for tensor in moved for entry in tensor.external_data if entry.key == "offset"]
    assert len(places) > 10
    assert all(place % 4096 == 0 for place in places)
    onnx.checker.check_model(str(folder / "model.onnx"))
    feeds = {"input_ids": [[2, 9, 3]], "attention_mask": [[1, 1, 1]], "token_type_ids": [[0, 0, 0]]}
    arrays = {name: np.array(value, np.int64) for name, value in feeds.items()}
    one, two = (onnxruntime.InferenceSession(str(path)).run(None, arrays)[0] for path in (whole, folder / "model.onnx"))
    assert np.array_equal(one, two)
    assert onnx_export.LIMIT == 2**31 - 1


def test_hugging_face(classifier: Classifier, tmp_path: Path) -> None:
    made = classifier.export(tmp_path / "out", "hf")
    assert not {GRAPH, MANIFEST, "complete.json"} & {file.name for file in made.iterdir()}
    assert (made / "model.safetensors").read_bytes() == (classifier.path / "model.safetensors").read_bytes()
    again = from_folder(made, cache_dir=tmp_path / "cache")
    assert again.manifest.tensors_digest == classifier.manifest.tensors_digest
    assert (again.labels, again.max_length) == (classifier.labels, classifier.max_length)
    assert np.array_equal(again.logits(TEXTS), classifier.logits(TEXTS))
    model = transformers.AutoModelForSequenceClassification.from_pretrained(made).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(made)
    for text in TEXTS:
        tokens = tokenizer(text, truncation=True, return_tensors="pt")
        assert tokens["input_ids"][0].tolist() == classifier.encode(text)
        assert np.abs(model(**tokens).logits.detach().numpy() - classifier.logits([text])).max() <= 1e-4


def test_tokens(tagger: TokenClassifier, tmp_path: Path) -> None:
    made = tagger.export(tmp_path / "out")
    (logits,) = run_exported(made, TEXTS[:1])
    assert np.abs(logits - tagger.logits(TEXTS[:1])[0]).max() <= 1e-5
    again = from_folder(tagger.export(tmp_path / "hf", "hf"), task="token-classification", cache_dir=tmp_path / "cache")
    assert again(TEXTS) == tagger(TEXTS)


def test_what_is_in_force_is_exported(tmp_path: Path) -> None:
    """Length, case and activation are the caller's, in the exported files too."""
    opened = from_archive(DEMO_ZIP, cache_dir=tmp_path / "cache", progress=False, max_length=9, lowercase=False, activation="sigmoid")
    made = opened.export(tmp_path / "out", "hf")
    again = from_folder(made, cache_dir=tmp_path / "cache")
    assert (again.max_length, again.activation, again.multi_label) == (9, "sigmoid", True)
    text = "A GOOD Film that is good and longer than nine tokens"
    assert again.encode(text) == opened.encode(text)
    assert again(text).scores == opened(text).scores
    tokenizer = transformers.AutoTokenizer.from_pretrained(made)
    assert tokenizer(text, truncation=True)["input_ids"] == opened.encode(text)
    assert opened.encode(text) != from_archive(DEMO_ZIP, cache_dir=tmp_path / "cache", progress=False, max_length=9).encode(text)


@pytest.mark.parametrize("format", ["onnx", "hf"])
def test_nothing_is_overwritten_unless_asked(classifier: Classifier, tmp_path: Path, format: Any) -> None:
    out = tmp_path / "out"
    out.mkdir()
    classifier.export(out, format)
    before = {file.name: file.stat().st_ino for file in out.iterdir()}
    with pytest.raises(UsageError, match="not empty"):
        classifier.export(out, format)
    assert {file.name: file.stat().st_ino for file in out.iterdir()} == before
    (out / "notes.txt").write_text("mine")
    assert classifier.export(out, "onnx", force=True) == out
    assert sorted(file.name for file in out.iterdir()) == ["config.json", "model.onnx", "tokenizer.json", "tokenizer_config.json"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_force_replaces_nothing_but_an_exported_model(classifier: Classifier, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    (folder / "below").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    with pytest.raises(UsageError, match="something else"):
        classifier.export(folder, force=True)
    (folder / "below").rmdir()
    (folder / "config.json").rename(folder / "other.json")
    with pytest.raises(UsageError, match="something else"):
        classifier.export(folder, force=True)
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="file"):
        classifier.export(tmp_path / "file", force=True)
    for own in (classifier.path, classifier.path / "below"):
        with pytest.raises(UsageError, match="own folder"):
            classifier.export(own, force=True)
    with pytest.raises(UsageError, match="format"):
        classifier.export(tmp_path / "x", "torchscript")  # type: ignore[arg-type]


def test_a_failed_export_leaves_nothing(classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = classifier.export(tmp_path / "out")
    before = (out / "model.onnx").read_bytes()

    def fail(*arguments: Any) -> None:
        raise OSError(28, os.strerror(28), "somewhere")

    monkeypatch.setattr("hubclient.export.write_whole", fail)
    with pytest.raises(Exception, match="cannot be exported") as caught:
        classifier.export(out, force=True)
    assert type(caught.value).__name__ == "StoreFull"
    assert (out / "model.onnx").read_bytes() == before
    with pytest.raises(Exception, match="cannot be exported"):
        classifier.export(tmp_path / "new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_the_old_export_comes_back_when_the_new_cannot_take_its_place(
    classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = classifier.export(tmp_path / "out")
    rename = Path.rename

    def once(path: Path, target: Path) -> Path:
        if target == out and (path / "model.safetensors").exists():
            raise OSError(13, os.strerror(13), str(target))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", once)
    with pytest.raises(StoreUnwritable):
        classifier.export(out, "hf", force=True)
    assert (out / "model.onnx").exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_where_nobody_may_write(classifier: Classifier, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreUnwritable):
        classifier.export(tmp_path / "out")
    tmp_path.chmod(0o700)


def test_a_kept_graph_is_exported_as_it_is(classifier: Classifier, tmp_path: Path) -> None:
    """A native folder whose graph is the origin's: the weights lie in a file that it names."""
    folder = tmp_path / "kept"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "manifest.json"):
        (folder / name).write_bytes((classifier.path / name).read_bytes())
    write_whole(classifier.path, folder, 0)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "graph": "kept", "graph_note": "a test says so"}))
    kept = from_folder(folder)
    made = kept.export(tmp_path / "out")
    assert {"model.onnx", "model.onnx.data"} <= {file.name for file in made.iterdir()}
    assert np.abs(run_exported(made, TEXTS) - classifier.logits(TEXTS)).max() <= 1e-5
    for way in (lambda: kept.export(tmp_path / "hf", "hf"), kept.to_transformers, kept.to_pipeline):
        with pytest.raises(UnsupportedModel):
            way()


def test_a_model_without_a_graph(classifier: Classifier, tmp_path: Path) -> None:
    from dataclasses import replace

    manifest = replace(classifier.manifest, graph="none", graph_note="transformers runs it")
    with pytest.raises(UnsupportedModel, match="no ONNX graph"):
        export(classifier.path, tmp_path / "out", manifest)
    assert (export(classifier.path, tmp_path / "out", manifest, format="hf") / "model.safetensors").exists()
