"""Reduced precision: what it computes, what it costs, and when it is refused; and the devices that this machine may lack."""

from __future__ import annotations

import json
import logging
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from hubclient import Classifier, Hub, from_archive, from_folder
from hubclient.derived import derived_folder
from hubclient.engines import Wanted, choose_engine
from hubclient.engines.device import Device, parse_device
from hubclient.engines.int8 import quantised, weight_bits
from hubclient.errors import UnsupportedModel, UsageError
from hubclient.native import GRAPH
from hubclient.sample import SAMPLE
from tests.e2e.material import DEMO_ZIP
from tests.tasks.made import NLI, save_model

TEXTS = [f"a {word} film " * (1 + number % 9) for number, word in enumerate(["good", "bad", "zz", "this"] * 30)]


@pytest.fixture
def demo(tmp_path: Path) -> Classifier:
    return from_archive(DEMO_ZIP, cache_dir=tmp_path / "cache", progress=False)


def test_int8_answers_nearly_as_float32_does(demo: Classifier) -> None:
    reduced = from_folder(demo.path, precision="int8")
    assert (reduced.engine, reduced.precision) == ("onnx", "int8")
    difference = np.abs(reduced.logits(TEXTS) - demo.logits(TEXTS))
    assert 1e-5 < difference.max() < 0.5
    assert (reduced.predict(list(SAMPLE)) == demo.predict(list(SAMPLE))).mean() > 0.9
    assert np.abs(reduced.logits(TEXTS[:1]) - reduced.logits(TEXTS)[:1]).max() < 0.5


def test_what_int8_costs_is_measured_once_and_said(demo: Classifier, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "hubclient"):
        reduced = from_folder(demo.path, precision="int8")
    cost = reduced.cost
    assert cost
    assert (cost.engine, cost.precision, cost.answers) == ("onnx", "int8", len(SAMPLE))
    assert cost.changed == int((reduced.predict(list(SAMPLE)) != demo.predict(list(SAMPLE))).sum())
    assert cost.difference == pytest.approx(float(np.abs(reduced.logits(list(SAMPLE)) - demo.logits(list(SAMPLE))).max()), rel=0.2)
    assert [str(cost)] == [record.getMessage() for record in caplog.records]
    assert "answers differ" in str(cost)
    caplog.clear()
    assert from_folder(demo.path, precision="int8").cost == cost
    assert not caplog.records
    assert from_folder(demo.path, precision="int8", sample=["another text"]).cost != cost
    assert len(caplog.records) == 1


def test_what_is_derived_goes_with_the_model(demo: Classifier, tmp_path: Path) -> None:
    store = Hub(cache_dir=tmp_path / "cache").store
    (before,) = store.holdings()
    from_folder(demo.path, precision="int8")
    made = derived_folder(demo.path)
    assert made == tmp_path / "cache" / "derived" / demo.path.name
    assert {path.suffix for path in made.iterdir()} == {".json", ".onnx"}
    (holding,) = store.holdings()
    assert holding.size > before.size
    assert store.remove(holding.names, force=True) == holding.size
    assert not made.exists()


def test_of_a_folder_of_ones_own_it_is_in_the_cache(demo: Classifier, tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(demo.path, own)
    listing = sorted(own.iterdir())
    assert from_folder(own, precision="int8").cost
    assert sorted(own.iterdir()) == listing
    assert derived_folder(own).parent == Path(os.environ["HUBCLIENT_CACHE"]) / "derived"


def test_too_many_changed_answers_are_refused(demo: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    first = from_folder(demo.path, precision="int8")
    assert first.cost
    (path,) = derived_folder(demo.path).glob("cost-*.json")
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "changed": 4}), encoding="utf-8")
    with pytest.raises(UnsupportedModel, match="too many answers") as caught:
        from_folder(demo.path, precision="int8")
    assert "4 of" in str(caught.value.why)
    assert "5.0% may change" in str(caught.value.why)
    assert from_folder(demo.path, precision="int8", max_changed=0.5).cost
    with pytest.raises(UnsupportedModel):
        from_folder(demo.path, precision="int8", max_changed=0)


def test_a_change_that_is_measured_is_refused(demo: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights of two bits leave little of a model."""
    monkeypatch.setattr("hubclient.engines.int8.weight_bits", lambda: 2)
    with pytest.raises(UnsupportedModel, match="too many answers"):
        from_folder(demo.path, precision="int8", max_changed=0.01)


@pytest.mark.parametrize("share", [-0.1, 1.1, "all", True, float("nan")])
def test_shares_that_cannot_be(demo: Classifier, share: Any) -> None:
    with pytest.raises(UsageError, match="max_changed"):
        from_folder(demo.path, precision="int8", max_changed=share)


def test_no_texts_to_try(demo: Classifier) -> None:
    with pytest.raises(UsageError, match="sample"):
        from_folder(demo.path, precision="int8", sample=[])


@pytest.mark.parametrize("task", ["text-classification", "zero-shot-classification"])
def test_every_task_is_tried(tmp_path: Path, task: Any) -> None:
    """Of a multi-label model all labels above the threshold are the answer."""
    folder = save_model(tmp_path / "model", "SequenceClassification", NLI)
    options: Any = {"activation": "sigmoid"} if task == "text-classification" else {}
    model = from_folder(folder, task=task, cache_dir=tmp_path / "cache", precision="int8", max_changed=1, **options)
    assert model.cost
    assert model.cost.answers == len(SAMPLE)


def test_the_embedding_tables_and_the_head_stay_as_they_are(demo: Classifier) -> None:
    import onnx

    graph = onnx.load_from_string(quantised(demo.path / GRAPH)).graph
    whole = [tensor for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.INT8 and tensor.name.endswith("_int8")]
    assert whole
    assert all(min(tensor.dims) >= 32 for tensor in whole)
    assert not [tensor.name for tensor in whole if "embeddings" in tensor.name]
    outside = [tensor for tensor in graph.initializer if tensor.external_data]
    assert any("word_embeddings" in tensor.name for tensor in outside)


def test_how_many_bits_a_weight_may_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    facts = tmp_path / "cpuinfo"
    for flags, bits in (("flags : sse avx2", 7), ("flags : sse avx512_vnni", 8), ("flags : avx_vnni", 8), ("", 7)):
        facts.write_text(f"{flags}\n", encoding="utf-8")
        assert weight_bits(facts) == bits
    assert weight_bits(tmp_path / "missing") == 7
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert weight_bits(facts) == 8


def test_pickles_are_not_tried_again(demo: Classifier) -> None:
    import pickle

    reduced = from_folder(demo.path, precision="int8")
    again = pickle.loads(pickle.dumps(reduced))
    assert (again.precision, again.cost) == ("int8", reduced.cost)


# Devices


@pytest.mark.parametrize(("text", "device"), [(None, Device()), ("cpu", Device()), ("cuda", Device("cuda")), ("cuda:3", Device("cuda", 3))])
def test_devices(text: str | None, device: Device) -> None:
    assert parse_device(text) == device


@pytest.mark.parametrize("text", ["gpu", "cuda:", "cuda:x", "cpu:0", "", 1])
def test_devices_that_are_none(demo: Classifier, text: Any) -> None:
    with pytest.raises(UsageError, match="no device"):
        Classifier(demo.path, device=text)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ((None, None, None), Wanted("onnx")),
        ((None, "int8", None), Wanted("onnx", "int8")),
        ((None, "bfloat16", "cpu"), Wanted("openvino", "bfloat16")),
        (("torch", None, None), Wanted("torch")),
        ((None, "bfloat16", "cuda"), Wanted("torch", "bfloat16", Device("cuda"))),
        (("onnx", None, "cuda:1"), Wanted("onnx", "float32", Device("cuda", 1))),
    ],
)
def test_the_engine_that_is_chosen(options: tuple[Any, Any, Any], wanted: Wanted) -> None:
    assert choose_engine(*options) == wanted


@pytest.mark.parametrize(
    "options",
    [("onnx", "bfloat16", None), ("torch", "bfloat16", None), ("openvino", None, "cuda"), (None, "int8", "cuda"), (None, "float16", None)],
    ids=str,
)
def test_what_no_engine_does(options: tuple[Any, Any, Any]) -> None:
    with pytest.raises(UsageError):
        choose_engine(*options)


def test_on_a_card_the_engine_is_the_one_that_can_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert choose_engine(None, None, "cuda").engine == "torch"
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
    assert choose_engine(None, None, "cuda").engine == "onnx"


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a graphics card")
def test_a_machine_without_a_card(demo: Classifier) -> None:
    with pytest.raises(UsageError, match="no graphics card"):
        Classifier(demo.path, engine="torch", device="cuda")
    with pytest.raises(UsageError, match="no part for graphics cards"):
        Classifier(demo.path, engine="onnx", device="cuda")


def test_a_card_is_asked_for_by_its_number_and_its_absence_noticed(demo: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX Runtime leaves out without a word what it cannot load."""
    from hubclient.engines import onnx
    from hubclient.errors import ModelError

    session, asked = onnxruntime.InferenceSession, []

    def spy(graph: Any, options: Any, providers: Any) -> Any:
        asked.append(providers)
        return session(graph, options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnx, "runs_on_cards", lambda: True)
    monkeypatch.setattr(onnxruntime, "InferenceSession", spy)
    with pytest.raises(ModelError, match="cannot use the graphics card"):
        Classifier(demo.path, engine="onnx", device="cuda:1")
    assert asked == [[("CUDAExecutionProvider", {"device_id": "1", "use_tf32": "0"}), "CPUExecutionProvider"]]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no graphics card")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_answers_of_a_card(demo: Classifier, precision: Any) -> None:
    model = Classifier(demo.path, engine="torch", device="cuda", precision=precision)
    assert model.device == "cuda:0"
    difference = np.abs(model.logits(TEXTS) - demo.logits(TEXTS)).max()
    assert difference < (1e-4 if precision == "float32" else 0.1)
