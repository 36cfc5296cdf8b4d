"""DeBERTa-v2 and v3: attention to distances in all its forms, and what else their settings can say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import transformers
from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position

from hubclient.errors import HubError, InconsistentModel, UnsupportedModel
from hubclient.models import deberta, deberta_graph, distances, family_of
from hubclient.models.builder import GraphBuilder
from hubclient.models.deberta_settings import TERMS, Relative
from hubclient.models.family import HEADS, Recipe
from hubclient.tensors import read_weights
from tests.models import encoders
from tests.models.exports import Named, export
from tests.models.rebuilt import INPUTS, Graphed, Rebuilt, committed_graph, rebuild, rebuild_onnx

TINY: dict[str, Any] = {
    "vocab_size": 40,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 64,
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
    "position_buckets": 8,
    "position_biased_input": False,
}
SEQUENCE, TOKEN = "DebertaV2ForSequenceClassification", "DebertaV2ForTokenClassification"
OWN = {"share_att_key": False, "norm_rel_ebd": "none", "position_buckets": -1, "max_relative_positions": 20}
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "one_head": {"num_attention_heads": 1, "hidden_act": "relu", "layer_norm_eps": 1e-3, "num_labels": 27},
    "five_heads_odd_width": {
        "hidden_size": 35,
        "num_attention_heads": 5,
        "intermediate_size": 9,
        "hidden_act": "gelu_new",
        "num_labels": 1,
    },
    "own_projections": {**OWN, "position_biased_input": True, "type_vocab_size": 3, "pooler_hidden_act": "tanh"},
    "queries_to_positions": {"pos_att_type": ["c2p"], "embedding_size": 7, "position_biased_input": True},
    "positions_to_keys": {"pos_att_type": "P2C|other", "share_att_key": False, "max_relative_positions": 30, "num_hidden_layers": 1},
    "no_terms": {"pos_att_type": None, "hidden_act": "silu"},
    "not_relative": {"relative_attention": False, "position_biased_input": True, "pos_att_type": ["c2p", "p2c"]},
    "mixing": {"conv_kernel_size": 3, "conv_act": "gelu"},
    "mixing_in_groups": {"conv_kernel_size": 5, "conv_groups": 3, "num_hidden_layers": 1, "type_vocab_size": 2},
    "odd_buckets": {"position_buckets": 7, "num_hidden_layers": 3},
    "two_buckets": {"position_buckets": 2, "max_position_embeddings": 300},
}
CONFIG: dict[str, Any] = {**deberta.defaults, **TINY, "architectures": [SEQUENCE]}
LENGTHS = (1, 2, 5, 9, 14)
FURTHEST = 1_100
# transformers has no other attention for DeBERTa than the eager one.
WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "old": {"opset": 14},
    "not_folded": {"do_constant_folding": False},
}


@pytest.mark.parametrize("kind", [SEQUENCE, TOKEN])
@pytest.mark.parametrize("case", CASES)
def test_checkpoints(case: str, kind: str, tmp_path: Path) -> None:
    model = encoders.random_model(kind, TINY | CASES[case])
    check_answers(rebuild_checkpoint(model, tmp_path), model)


@pytest.mark.parametrize("settings", [{}, {"position_buckets": 32, "max_relative_positions": 500}, OWN], ids=["few", "many", "none"])
def test_long_texts(settings: dict[str, Any], tmp_path: Path) -> None:
    """Of more tokens than distances are told apart."""
    model = encoders.random_model(SEQUENCE, TINY | settings)
    check_answers(rebuild_checkpoint(model, tmp_path), model, lengths=(63, 64, 65, 500, 640))


def rebuild_checkpoint(model: Any, folder: Path) -> Rebuilt:
    model.save_pretrained(folder)
    config = {**deberta.defaults, **json.loads((folder / "config.json").read_text(encoding="utf-8"))}
    layout = read_weights(folder / "model.safetensors").layout
    wanted = deberta.expected_shapes(config, model.config.num_labels)
    assert {name: layout[name].shape for name in wanted} == wanted
    return Rebuilt(deberta, config, folder)


def check_answers(rebuilt: Rebuilt, model: Any, lengths: tuple[int, ...] = LENGTHS) -> None:
    random, config = np.random.default_rng(3), model.config
    texts = [(random.integers(0, config.vocab_size, one), random.integers(0, max(config.type_vocab_size, 1), one)) for one in lengths]
    wanted = [reference(model, *text) for text in texts]
    assert encoders.difference([rebuilt.logits(ids[None], types=types[None])[0] for ids, types in texts], wanted) <= encoders.TOLERANCE
    assert encoders.difference(rebuilt.padded(texts, "right", pad=5), wanted) <= encoders.TOLERANCE


def reference(model: Any, ids: np.ndarray, types: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        logits: np.ndarray = model(input_ids=torch.tensor(ids[None]), token_type_ids=torch.tensor(types[None])).logits[0].numpy()
    return logits


@pytest.mark.parametrize("furthest", [20, 33, 64, 100, 257, 300, 512, 640, 1024])
@pytest.mark.parametrize("buckets", [2, 7, 16, 32, 256])
def test_distances_are_put_into_transformers_buckets(buckets: int, furthest: int) -> None:
    if buckets // 2 >= furthest - 1:
        pytest.skip("there is no such model")
    relative = Relative(terms=(), span=buckets, furthest=furthest, buckets=buckets, shared=True, normed=True)
    apart = torch.arange(1 - FURTHEST, FURTHEST + 1)
    wanted = torch.clamp(make_log_bucket_position(apart, buckets, furthest).long() + buckets, 0, 2 * buckets - 1)
    assert rows_of(relative) == wanted.tolist()


def test_distances_without_buckets() -> None:
    relative = Relative(terms=(), span=50, furthest=50, buckets=0, shared=True, normed=True)
    assert rows_of(relative) == torch.clamp(torch.arange(1 - FURTHEST, FURTHEST + 1) + 50, 0, 99).tolist()


def rows_of(relative: Relative) -> list[float]:
    """The row of the table for each distance, as the graph finds it."""
    graph = GraphBuilder({}, "")
    rows = graph.node("Cast", deberta_graph.table_rows(graph, relative, distances.ascending(graph)), to=onnx.TensorProto.FLOAT)
    model = graph.finish(["input_ids"], graph.node("Unsqueeze", rows, graph.integers(0)), 2 * FURTHEST)
    (found,) = onnxruntime.InferenceSession(model).run(None, {"input_ids": np.zeros((1, FURTHEST), np.int64)})
    values: list[float] = found[0].tolist()
    return values


GRAPHS = ("deberta_one_head", "deberta_own_projections", "deberta_mixing", "deberta_not_relative", "deberta_tokens")


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_of_tensorflow(name: str, tmp_path: Path) -> None:
    graphed = committed_graph(name)
    recipe, rebuilt = rebuild_graph(graphed, tmp_path)
    kind, settings = graphed.golden["class"], graphed.golden["settings"]
    check_config(recipe, {**settings, "model_type": "deberta-v2", "architectures": [kind]})
    encoders.check_rows(rebuilt, graphed.golden["rows"])
    assert encoders.proved(deberta, recipe, graphed, tmp_path)
    names = {str(number): f"label {number}" for number in range(settings["num_labels"])}
    (tmp_path / "config.json").write_text(json.dumps({**recipe.config, "id2label": names}), encoding="utf-8")
    model = getattr(transformers, f"AutoModel{HEADS[encoders.head_of(kind)]}").from_pretrained(tmp_path).eval()
    assert type(model).__name__ == kind
    check_answers(rebuilt, model)


def rebuild_graph(graphed: Graphed, folder: Path, **changes: Any) -> tuple[Recipe, Rebuilt]:
    recipe = deberta.from_tensorflow(graphed.flow, graphed.shapes, encoders.head_of(graphed.golden["class"]))
    assert all(recipe.config[key] != value for key, value in changes.items())
    recipe = replace(recipe, config={**recipe.config, **changes})
    return recipe, rebuild(deberta, recipe, graphed.shapes, graphed.load, folder)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("deberta_one_head", {"num_attention_heads": 2}),
        ("deberta_one_head", {"layer_norm_eps": 1e-7}),
        ("deberta_one_head", {"hidden_act": "gelu"}),
        ("deberta_one_head", {"pooler_hidden_act": "tanh"}),
        ("deberta_one_head", {"max_position_embeddings": 70}),
        ("deberta_one_head", {"position_buckets": -1, "max_relative_positions": 8}),
        ("deberta_one_head", {"pos_att_type": ["c2p"]}),
        ("deberta_mixing", {"conv_act": "tanh"}),
        ("deberta_tokens", {"max_position_embeddings": 81}),
    ],
    ids=str,
)
def test_wrong_settings_give_other_answers(name: str, changes: dict[str, Any], tmp_path: Path) -> None:
    graphed = committed_graph(name)
    recipe, _ = rebuild_graph(graphed, tmp_path, **changes)
    assert not encoders.proved(deberta, recipe, graphed, tmp_path)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", ["one_head", "own_projections", "queries_to_positions", "mixing"])
def test_exports_are_read(case: str, way: str, tmp_path: Path) -> None:
    check_export(SEQUENCE, TINY | CASES[case] | {"norm_rel_ebd": "layer_norm"}, tmp_path, **WAYS[way])


@pytest.mark.slow
@pytest.mark.parametrize("optimize", [True, False])
def test_exports_of_torchs_newer_exporter_are_read(optimize: bool, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    check_export(SEQUENCE, TINY | CASES["mixing"], tmp_path, dynamo=True, optimize=optimize)


def test_a_table_of_distances_that_is_not_normed_is_read(tmp_path: Path) -> None:
    check_export(SEQUENCE, TINY | CASES["own_projections"], tmp_path, do_constant_folding=False)


def test_a_table_of_distances_that_lost_its_name_is_refused(tmp_path: Path) -> None:
    """Where it is not normed, exporters cut it beforehand: their graph can be kept."""
    with pytest.raises(UnsupportedModel, match="rel_embeddings"):
        check_export(SEQUENCE, TINY | CASES["own_projections"], tmp_path)


@pytest.mark.parametrize("case", ["positions_to_keys", "mixing_in_groups"])
def test_exports_for_tokens_are_read(case: str, tmp_path: Path) -> None:
    check_export(TOKEN, TINY | CASES[case], tmp_path)


def check_export(kind: str, settings: dict[str, Any], folder: Path, **options: Any) -> None:
    model = encoders.random_model(kind, settings)
    inputs = INPUTS if settings.get("type_vocab_size") else INPUTS[:2]
    data = export(Named(model, inputs).eval(), folder / "m.onnx", inputs=inputs, **options)
    recipe, rebuilt = rebuild_onnx(deberta, data, encoders.head_of(kind), folder)
    check_config(recipe, {**model.config.to_dict(), "architectures": [kind]})
    check_answers(rebuilt, model)


def check_config(recipe: Recipe, stated: dict[str, Any]) -> None:
    """What the recipe says is what the model was made with, or means the same."""
    wanted = {**deberta.defaults, **stated}
    wanted["pos_att_type"] = [term for term in TERMS if term in (wanted["pos_att_type"] or [])]
    if not wanted["position_biased_input"] and wanted["max_relative_positions"] > 0:
        wanted |= {"max_position_embeddings": wanted["max_relative_positions"], "max_relative_positions": -1}
    assert {key: wanted[key] for key in recipe.config} == recipe.config


@pytest.mark.parametrize("path", encoders.archives("deberta_"))
def test_archives(path: Path, tmp_path: Path) -> None:
    recipe, rebuilt = encoders.read_archive(deberta, path, "sequence", tmp_path)
    encoders.check_rows(rebuilt, encoders.golden_rows(path))
    check_config(recipe, json.loads((encoders.ARCHIVES.parent / "hf" / "tiny_deberta_open" / "config.json").read_text(encoding="utf-8")))


def test_variables_tell_what_it_is() -> None:
    assert family_of(committed_graph("deberta_tokens").shapes, "bert") is deberta


def test_the_first_deberta_is_another_architecture() -> None:
    names = ["deberta/encoder/layer_._0/attention/self/in_proj/kernel", "deberta/embeddings/word_embeddings/weight"]
    with pytest.raises(UnsupportedModel, match="DeBERTa, which is not supported"):
        family_of(names)


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"num_attention_heads": 5}, InconsistentModel, "5 heads do not divide a width of 12"),
        ({"attention_head_size": 4}, InconsistentModel, "2 heads do not divide a width of 12"),
        ({"pooler_hidden_size": 10}, InconsistentModel, "pooler_hidden_size is 10"),
        ({"hidden_act": "mish"}, UnsupportedModel, "'mish' \\(hidden_act\\)"),
        ({"pooler_hidden_act": ["gelu"]}, InconsistentModel, "pooler_hidden_act"),
        ({"conv_kernel_size": 4}, InconsistentModel, "4 neighbours"),
        ({"conv_kernel_size": 3, "conv_groups": 5}, InconsistentModel, "5 groups"),
        ({"conv_kernel_size": 3, "conv_act": "mish"}, UnsupportedModel, "conv_act"),
        ({"position_buckets": 256}, UnsupportedModel, "256 buckets for distances up to 64"),
        ({"position_buckets": 1}, UnsupportedModel, "1 buckets"),
        ({"pos_att_type": {"c2p": 1}}, InconsistentModel, "pos_att_type"),
        ({"norm_rel_ebd": None}, InconsistentModel, "norm_rel_ebd is None"),
        ({"type_vocab_size": -1}, InconsistentModel, "type_vocab_size is -1"),
        ({"layer_norm_eps": 10**400}, InconsistentModel, "layer_norm_eps"),
        ({"embedding_size": True}, InconsistentModel, "embedding_size is True"),
        ({"num_hidden_layers": 10**9}, UnsupportedModel, "1000000000 layers"),
    ],
    ids=str,
)
def test_what_the_graph_does_not_honour_is_refused(changes: dict[str, Any], kind: type[HubError], words: str) -> None:
    config = {**CONFIG, **changes}
    with pytest.raises(kind, match=words):
        deberta.expected_shapes(config, 2)
    with pytest.raises(kind, match=words):
        deberta.build_graph(config, {}, "model.safetensors")


@pytest.mark.parametrize("lost", ["intermediate/dense/bias", "attention/self/value_proj/bias", "LayerNorm/gamma", "rel_embeddings"])
def test_what_lacks_variables_is_refused(lost: str) -> None:
    graphed = committed_graph("deberta_one_head")
    shapes = {name: shape for name, shape in graphed.shapes.items() if lost not in name}
    assert len(shapes) < len(graphed.shapes)
    with pytest.raises(HubError):
        deberta.from_tensorflow(graphed.flow, shapes, "sequence")


def test_no_damaged_graph_breaks_the_reader() -> None:
    encoders.check_damage(deberta, "deberta_mixing")
