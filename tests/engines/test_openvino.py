"""OpenVINO: the native folder opened by it, and archives that hold its own form of a model, made here from golden ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hubclient import Classifier, TokenClassifier, from_archive, from_folder
from hubclient.engines.openvino import load_openvino
from hubclient.errors import CorruptArchive, InconsistentModel, MissingExtra, ModelError, UnsupportedModel, UsageError
from hubclient.native import GRAPH, OPENVINO_GRAPH, OPENVINO_WEIGHTS, WEIGHTS
from tests.e2e import damaged
from tests.e2e.material import DEMO_ZIP, Golden, committed, tolerance

pytestmark = pytest.mark.skipif(find_spec("openvino") is None, reason="openvino is not installed")

GOLDENS = committed()
WORDS = [f"a {word} film " * (1 + number % 9) for number, word in enumerate(["good", "bad", "zz", "this"] * 30)]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("openvino-cache")


def opened(archive: Path, cache: Path, **options: Any) -> Classifier:
    model: Classifier = from_archive(archive, cache_dir=cache, progress=False, **options)
    return model


def intermediate(native: Path, folder: Path, *, half: bool = False) -> tuple[bytes, bytes]:
    """The model as OpenVINO writes it: its graph and its weights."""
    openvino = load_openvino("a test")
    openvino.save_model(openvino.Core().read_model(native / GRAPH), folder / "openvino_model.xml", compress_to_fp16=half)
    return (folder / "openvino_model.xml").read_bytes(), (folder / "openvino_model.bin").read_bytes()


def repacked(archive: Path, target: Path, files: dict[str, bytes]) -> Path:
    """The archive with OpenVINO's files in place of its weights, as Spark NLP 5.5 lays them out."""
    members = damaged.read_members(archive)
    weights = next(name for name in members if name.endswith(("_tensorflow", "_onnx")))
    metadata = json.loads(members[damaged.METADATA])
    metadata["paramMap"]["engine"] = "openvino"
    renamed = f"{weights.rpartition('_')[0]}_openvino"
    changes = {weights: None, renamed: damaged.zip_of(files), damaged.METADATA: json.dumps(metadata).encode()}
    return damaged.rewritten(target, changes, source=archive)


@pytest.fixture(scope="module", params=GOLDENS, ids=str)
def golden(request: pytest.FixtureRequest) -> Golden:
    found: Golden = request.param
    return found


@pytest.fixture(scope="module")
def kept(golden: Golden, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    folder = tmp_path_factory.mktemp("intermediate")
    xml, weights = intermediate(opened(golden.archive, cache).path, folder)
    archive = repacked(golden.archive, folder / golden.archive.name, {"openvino_model.xml": xml, "openvino_model.bin": weights})
    return opened(archive, cache)


def golden_logits(golden: Golden) -> tuple[list[str], np.ndarray]:
    return [row.text for row in golden.rows], np.array([row.logits for row in golden.rows])


def test_the_native_folder(golden: Golden, cache: Path) -> None:
    model = opened(golden.archive, cache, engine="openvino")
    assert (model.engine, model.precision) == ("openvino", "float32")
    texts, wanted = golden_logits(golden)
    assert np.abs(model.logits(texts) - wanted).max() <= tolerance(golden, "openvino")
    for text, row in zip(texts, wanted, strict=True):
        assert np.abs(model.logits([text])[0] - row).max() <= tolerance(golden, "openvino")


def test_an_archive_with_openvino_weights(golden: Golden, kept: Classifier) -> None:
    assert (kept.engine, kept.manifest.graph) == ("openvino", "openvino")
    assert list(kept.labels) == golden.facts["labels"]
    assert kept.max_length == golden.facts["max_length"]
    assert {OPENVINO_GRAPH, OPENVINO_WEIGHTS} < {file.name for file in kept.path.iterdir()}
    assert not {GRAPH, WEIGHTS} & {file.name for file in kept.path.iterdir()}
    texts, wanted = golden_logits(golden)
    assert np.abs(kept.logits(texts) - wanted).max() <= tolerance(golden, "openvino")
    assert [kept.encode(row.text) for row in golden.rows] == [row.input_ids for row in golden.rows]
    assert from_folder(kept.path).engine == "openvino"


@pytest.mark.parametrize("options", [{"engine": "onnx"}, {"engine": "torch"}, {"precision": "int8"}], ids=str)
def test_no_other_engine_opens_such_an_archive(kept: Classifier, options: Any) -> None:
    with pytest.raises(UnsupportedModel, match="cannot open this model") as caught:
        from_folder(kept.path, **options)
    assert "OpenVINO's form" in str(caught.value.why)
    assert "openvino" in str(caught.value.hint)


def test_what_needs_the_tensors_is_refused(kept: Classifier, tmp_path: Path) -> None:
    refused: list[Callable[[], object]] = [
        kept.to_transformers,
        lambda: kept.export(tmp_path / "onnx"),
        lambda: kept.export(tmp_path / "hf", "hf"),
    ]
    for use in refused:
        with pytest.raises(UnsupportedModel):
            use()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("files", "error"),
    [
        (lambda xml, weights: {"openvino_model.xml": xml}, CorruptArchive),
        (lambda xml, weights: {"openvino_model.bin": weights}, CorruptArchive),
        (lambda xml, weights: {"a.xml": xml, "a.bin": weights, "b.xml": xml}, CorruptArchive),
        (lambda xml, weights: {"a.xml": xml[: len(xml) // 2], "a.bin": weights}, ModelError),
        (lambda xml, weights: {"a.xml": xml, "a.bin": weights[: len(weights) // 2]}, ModelError),
        (lambda xml, weights: {"a.xml": b"<net/>", "a.bin": weights}, ModelError),
        (lambda xml, weights: {"a.xml": xml.replace(b"input_ids", b"other_ids"), "a.bin": weights}, UnsupportedModel),
    ],
    ids=["no weights", "no graph", "two graphs", "half a graph", "half the weights", "another graph", "other inputs"],
)
def test_damaged_weights(cache: Path, tmp_path: Path, files: Callable[[bytes, bytes], dict[str, bytes]], error: type[Exception]) -> None:
    xml, weights = intermediate(opened(DEMO_ZIP, cache).path, tmp_path)
    with pytest.raises(error):
        opened(repacked(DEMO_ZIP, tmp_path / "archive.zip", files(xml, weights)), tmp_path / "cache")


def test_labels_that_the_model_does_not_have(cache: Path, tmp_path: Path) -> None:
    xml, weights = intermediate(opened(GOLDENS[1].archive, cache).path, tmp_path)
    with pytest.raises(InconsistentModel, match="2 labels"):
        opened(repacked(DEMO_ZIP, tmp_path / "archive.zip", {"a.xml": xml, "a.bin": weights}), tmp_path / "cache")


def test_weights_in_half_precision_open_too(cache: Path, tmp_path: Path) -> None:
    xml, weights = intermediate(opened(DEMO_ZIP, cache).path, tmp_path, half=True)
    model = opened(repacked(DEMO_ZIP, tmp_path / "archive.zip", {"a.xml": xml, "a.bin": weights}), cache)
    texts, wanted = golden_logits(GOLDENS[0])
    assert np.abs(model.logits(texts) - wanted).max() <= 0.02


def test_many_callers(cache: Path) -> None:
    model = opened(DEMO_ZIP, cache, engine="openvino", threads=2)
    wanted = model.logits(WORDS)
    with ThreadPoolExecutor(5) as pool:
        found = list(pool.map(lambda number: model.logits(iter(WORDS)) if number % 2 else model.logits(WORDS[:1]), range(8)))
    for answer in found:
        assert np.abs(answer - wanted[: len(answer)]).max() < 1e-5


def test_a_model_that_finds_entities(token_repository: Path, cache: Path) -> None:
    found = from_folder(token_repository, task="token-classification", cache_dir=cache, engine="openvino")
    wanted = from_folder(token_repository, task="token-classification", cache_dir=cache)
    assert isinstance(found, TokenClassifier)
    for one, other in zip(found.logits(WORDS), wanted.logits(WORDS), strict=True):
        assert np.abs(one - other).max() < 1e-4


def test_bfloat16_where_the_processor_has_it_and_nowhere_else(cache: Path) -> None:
    capabilities = load_openvino("a test").Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if "BF16" not in capabilities:
        with pytest.raises(UsageError, match="does not compute in bfloat16"):
            opened(DEMO_ZIP, cache, precision="bfloat16")
        return
    model = opened(DEMO_ZIP, cache, precision="bfloat16")
    assert (model.engine, model.precision) == ("openvino", "bfloat16")
    assert model.cost
    texts, wanted = golden_logits(GOLDENS[0])
    difference = np.abs(model.logits(texts) - wanted).max()
    assert 1e-4 < difference < 0.1


def test_a_processor_without_bfloat16(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hubclient.engines import openvino

    class Core:
        def get_property(self, device: str, name: str) -> Any:
            return ["FP32", "INT8"] if name == "OPTIMIZATION_CAPABILITIES" else "Some CPU "

    with pytest.raises(UsageError, match="does not compute in bfloat16") as caught:
        openvino._check_bfloat16(Core())
    assert "Some CPU has FP32, INT8" in str(caught.value.why)


def test_without_openvino(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtra, match="openvino"):
        opened(DEMO_ZIP, cache, engine="openvino")
    with pytest.raises(MissingExtra, match="openvino"):
        opened(DEMO_ZIP, cache, precision="bfloat16")


def test_nothing_is_reported_to_its_makers() -> None:
    code = (
        "import sys; from hubclient.engines.openvino import load_openvino; load_openvino('x'); print('openvino_telemetry' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_is_refused_and_does_not_hang(cache: Path) -> None:
    code = f"""
import os, signal, sys
from hubclient import from_archive
from hubclient.errors import ModelError
model = from_archive({str(DEMO_ZIP)!r}, cache_dir={str(cache)!r}, progress=False, engine="openvino", threads=2)
wanted = model(["a good film"] * 200)
child = os.fork()
if not child:
    signal.alarm(60)
    try:
        model(["a good film"] * 200)
    except ModelError as error:
        assert "forked" in str(error), error
        os._exit(0)
    os._exit(3)
_, status = os.waitpid(child, 0)
assert model(["a good film"] * 200) == wanted
sys.exit(os.waitstatus_to_exitcode(status))
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, env=env, timeout=200)
    assert done.returncode == 0, done.stderr
