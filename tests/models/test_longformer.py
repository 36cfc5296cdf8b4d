"""Longformer: checkpoints of transformers and graphs of TensorFlow."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import LongformerConfig, LongformerForSequenceClassification, LongformerForTokenClassification

from hubclient.archive.graph import Dataflow
from hubclient.errors import HubError, InconsistentModel, UnsupportedModel
from hubclient.models import family_of
from hubclient.models.family import Head
from hubclient.models.longformer import LONGFORMER
from tests.models.rebuilt import Rebuilt, archived_graph, committed_graph, is_proved, rebuild, rebuild_checkpoint

TINY: dict[str, Any] = {
    "vocab_size": 50,
    "hidden_size": 20,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 9,
    "max_position_embeddings": 310,
    "attention_window": 8,
    "layer_norm_eps": 1e-5,
}
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "one_head": {"num_attention_heads": 1, "hidden_act": "relu", "layer_norm_eps": 1e-3, "num_labels": 27, "num_hidden_layers": 1},
    "five_heads": {"hidden_size": 35, "num_attention_heads": 5, "num_labels": 1, "hidden_act": "gelu_new"},
    "several_windows": {"attention_window": [16, 4, 8], "num_hidden_layers": 3, "hidden_act": "silu"},
    "other_padding": {"attention_window": 4, "pad_token_id": 0, "num_hidden_layers": 3, "type_vocab_size": 1},
    "wide_window": {"attention_window": 512, "hidden_act": "quick_gelu"},
}
# Around the borders of pieces: half a window, three halves, whole windows.
LENGTHS = (1, 2, 4, 5, 8, 11, 12, 13, 16, 17, 24, 25, 40, 300)
GRAPHS = ("longformer_one_head", "longformer_five_heads", "longformer_tokens")
TOLERANCE = 1e-4


def checkpoint(kind: Any = LongformerForSequenceClassification, **settings: Any) -> Any:
    torch.manual_seed(5)
    model = kind(LongformerConfig(**{**TINY, "initializer_range": 0.4, **settings})).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return model


def random_texts() -> list[np.ndarray]:
    """Among their tokens are those of padding."""
    random = np.random.default_rng(3)
    return [random.integers(0, TINY["vocab_size"], length) for length in LENGTHS]


def reference(model: Any, ids: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        logits = model(input_ids=torch.tensor(ids)[None], attention_mask=torch.ones(1, len(ids), dtype=torch.long)).logits
    return np.asarray(logits[0].numpy())


def differences(found: list[np.ndarray], expected: list[np.ndarray]) -> float:
    assert [one.shape for one in found] == [one.shape for one in expected]
    return max(float(np.abs(one - other).max()) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("case", CASES)
def test_logits_are_transformers(case: str, tmp_path: Path) -> None:
    check(checkpoint(**CASES[case]), tmp_path)


@pytest.mark.parametrize("settings", [{"num_labels": 5}, {"num_labels": 1, "attention_window": [8, 16]}], ids=["five", "one"])
def test_each_token_has_logits(settings: dict[str, Any], tmp_path: Path) -> None:
    check(checkpoint(LongformerForTokenClassification, **settings), tmp_path)


def check(model: Any, folder: Path) -> None:
    rebuilt, texts = rebuild_checkpoint(LONGFORMER, model, folder), random_texts()
    assert rebuilt.inputs == ["input_ids", "attention_mask"]
    expected = [reference(model, ids) for ids in texts]
    assert differences([rebuilt.logits(ids[None])[0] for ids in texts], expected) <= TOLERANCE
    assert differences(rebuilt.padded([(ids, ids * 0) for ids in texts], "right", model.config.pad_token_id), expected) <= TOLERANCE


def test_windows_and_the_first_token_count(tmp_path: Path) -> None:
    """Or else no test here would notice a graph without them."""
    model = checkpoint(LongformerForTokenClassification, num_hidden_layers=1)
    rebuilt, ids = rebuild_checkpoint(LONGFORMER, model, tmp_path), np.arange(2, 42)[None]
    changed = ids.copy()
    changed[0, 30] = 2
    differing = np.abs(rebuilt.logits(changed) - rebuilt.logits(ids)).max(axis=2)[0] > 0
    assert np.flatnonzero(differing).tolist() == list(range(26, 35))


def test_the_first_token_is_heeded_from_everywhere(tmp_path: Path) -> None:
    rebuilt, ids = rebuild_checkpoint(LONGFORMER, checkpoint(), tmp_path), np.arange(2, 42)[None]
    changed = ids.copy()
    changed[0, 39] = 2
    assert np.abs(rebuilt.logits(changed) - rebuilt.logits(ids)).max() > TOLERANCE


@pytest.mark.slow
def test_long_texts_take_memory_in_proportion(tmp_path: Path) -> None:
    """A mask of all pairs of 20,000 tokens would alone take 1.6 GB for each head."""
    model = checkpoint(max_position_embeddings=20_010, num_hidden_layers=1, attention_window=64)
    rebuilt, ids = rebuild_checkpoint(LONGFORMER, model, tmp_path), np.random.default_rng(3).integers(2, 50, (1, 20_000))
    before = peak()
    found = rebuilt.logits(ids)[0]
    assert peak() - before < 500 << 20
    assert differences([found], [reference(model, ids[0])]) <= TOLERANCE


def peak() -> int:
    """The most bytes of memory that this process had."""
    (line,) = (line for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) << 10


@pytest.mark.parametrize("name", GRAPHS)
def test_tensorflow_graphs(name: str, tmp_path: Path) -> None:
    graphed = committed_graph(name)
    golden, shapes = graphed.golden, graphed.shapes
    head: Head = "token" if "Token" in golden["class"] else "sequence"
    assert family_of(shapes) is LONGFORMER
    recipe = LONGFORMER.from_tensorflow(graphed.flow, shapes, head)
    assert recipe.config["architectures"] == [golden["class"]]
    stated = {key: value for key, value in golden["settings"].items() if key != "num_labels"}
    assert {key: recipe.config[key] for key in stated} == stated
    rebuilt = rebuild(LONGFORMER, recipe, shapes, graphed.load, tmp_path)
    assert differences(answers(rebuilt, golden["rows"]), [np.array(row["logits"]) for row in golden["rows"]]) <= TOLERANCE


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_are_proved(name: str, tmp_path: Path) -> None:
    graphed = committed_graph(name)
    recipe = LONGFORMER.from_tensorflow(graphed.flow, graphed.shapes, "token" if name.endswith("tokens") else "sequence")
    rebuild(LONGFORMER, recipe, graphed.shapes, graphed.load, tmp_path)
    assert is_proved(LONGFORMER, graphed, recipe.config, tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"num_attention_heads": 2},
        {"layer_norm_eps": 1e-2},
        {"hidden_act": "gelu"},
        {"attention_window": [8, 8]},
        {"attention_window": [6, 8]},
        {"pad_token_id": 0},
    ],
    ids=str,
)
def test_wrong_settings_are_noticed(changes: dict[str, Any], tmp_path: Path) -> None:
    graphed = committed_graph("longformer_one_head")
    recipe = LONGFORMER.from_tensorflow(graphed.flow, graphed.shapes, "sequence")
    wrong = replace(recipe, config={**recipe.config, **changes})
    rebuild(LONGFORMER, wrong, graphed.shapes, graphed.load, tmp_path)
    assert not is_proved(LONGFORMER, graphed, recipe.config, tmp_path)


def test_the_shared_archive(shared: Path, tmp_path: Path) -> None:
    (path,) = (shared / "archives").glob("longformer*_3.4.4_*.zip")
    original = json.loads((shared / "hf" / "tiny_longformer_open" / "config.json").read_text(encoding="utf-8"))
    with archived_graph(path) as graphed:
        recipe = LONGFORMER.from_tensorflow(graphed.flow, graphed.shapes, "sequence")
        assert {key: original[key] for key in recipe.config} == recipe.config
        rebuilt = rebuild(LONGFORMER, recipe, graphed.shapes, graphed.load, tmp_path)
    rows = [json.loads(line) for line in path.with_name(f"{path.stem}.golden.jsonl").read_text(encoding="utf-8").splitlines()[1:]]
    assert len(rows) > 100
    expected = [np.array(row["logits"]) for row in rows]
    assert differences(answers(rebuilt, rows), expected) <= TOLERANCE
    texts = [(np.array(row["input_ids"]), np.zeros(len(row["input_ids"]), np.int64)) for row in rows]
    assert differences(rebuilt.padded(texts, "right", pad=1), expected) <= TOLERANCE


def answers(rebuilt: Rebuilt, rows: list[dict[str, Any]]) -> list[np.ndarray]:
    return [rebuilt.logits(np.array([row["input_ids"]]))[0] for row in rows]


def test_what_transformers_opens(tmp_path: Path) -> None:
    """The recipe's config.json makes the model that the tensors are of."""
    graphed = committed_graph("longformer_one_head")
    recipe = LONGFORMER.from_tensorflow(graphed.flow, graphed.shapes, "sequence")
    rebuilt = rebuild(LONGFORMER, recipe, graphed.shapes, graphed.load, tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({**recipe.config, "num_labels": 7}), encoding="utf-8")
    model, told = LongformerForSequenceClassification.from_pretrained(tmp_path, output_loading_info=True)
    assert told["missing_keys"] == told["unexpected_keys"] == set()
    texts = [ids % 40 for ids in random_texts()[:-1]]
    assert differences([rebuilt.logits(ids[None])[0] for ids in texts], [reference(model.eval(), ids) for ids in texts]) <= TOLERANCE


def test_positions_are_counted_without_padding() -> None:
    config = {**LONGFORMER.defaults, **TINY, "architectures": ["LongformerForSequenceClassification"]}
    assert LONGFORMER.positions(config) == 308


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"attention_window": 7}, "even"),
        ({"attention_window": [8, 5]}, "even"),
        ({"attention_window": [8]}, "one for each layer"),
        ({"attention_window": 0}, "above 0"),
        ({"attention_window": "8"}, "above 0"),
        ({"attention_window": 1 << 70}, "above 0"),
        ({"attention_window": None}, "above 0"),
        ({"hidden_act": "mish"}, "mish"),
        ({"num_attention_heads": 3}, "3 heads"),
        ({"is_decoder": True}, "is_decoder"),
        ({"pad_token_id": None}, "pad_token_id"),
    ],
)
def test_settings_that_change_the_computation_are_refused(changes: dict[str, Any], words: str) -> None:
    config = {**LONGFORMER.defaults, **TINY, "architectures": ["LongformerForSequenceClassification"], **changes}
    with pytest.raises(HubError, match=words):
        LONGFORMER.build_graph(config, {}, "model.safetensors")


def test_a_graph_of_another_head_is_refused() -> None:
    graphed = committed_graph("longformer_tokens")
    with pytest.raises(HubError):
        LONGFORMER.from_tensorflow(graphed.flow, graphed.shapes, "sequence")


def test_a_missing_projection_is_named() -> None:
    graphed = committed_graph("longformer_one_head")
    nodes = tuple(node for node in graphed.flow.nodes if not (node.variable or "").endswith("key_global/bias"))
    with pytest.raises(UnsupportedModel) as caught:
        LONGFORMER.from_tensorflow(Dataflow(graphed.flow.output, nodes, graphed.flow.port, graphed.flow.graph), graphed.shapes, "sequence")
    assert "key_global.bias" in str(caught.value.why)


def test_a_projection_of_another_width_is_refused() -> None:
    graphed = committed_graph("longformer_one_head")
    shapes = {name: (3,) if name.endswith("key_global/bias") else shape for name, shape in graphed.shapes.items()}
    with pytest.raises(InconsistentModel, match="key_global"):
        LONGFORMER.from_tensorflow(graphed.flow, shapes, "sequence")


def test_a_graph_without_windows_is_refused() -> None:
    graphed = committed_graph("longformer_one_head")
    nodes = [node for node in graphed.flow.nodes if node.op == "MatrixBandPart"]
    assert nodes
    for node in nodes:
        object.__setattr__(node, "op", "Identity")
    with pytest.raises(UnsupportedModel, match="window"):
        LONGFORMER.from_tensorflow(graphed.flow, graphed.shapes, "sequence")
