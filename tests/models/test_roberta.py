"""RoBERTa, XLM-RoBERTa and CamemBERT: positions without padding, a head of two layers, and everything else as BERT has it."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hubclient.archive.graph import Graph
from hubclient.errors import HubError, InconsistentModel, UnsupportedModel
from hubclient.models import family_of
from hubclient.models.roberta import CAMEMBERT, ROBERTA, XLM_ROBERTA
from tests.models import encoders
from tests.models.rebuilt import DATA, committed_graph

TINY: dict[str, Any] = {
    "vocab_size": 40,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 40,
    "type_vocab_size": 1,
}
SEQUENCE, TOKEN = "RobertaForSequenceClassification", "RobertaForTokenClassification"
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "one_head": (SEQUENCE, {"num_attention_heads": 1, "hidden_act": "relu", "layer_norm_eps": 1e-3}),
    "five_heads_odd_width": (SEQUENCE, {"hidden_size": 35, "num_attention_heads": 5, "intermediate_size": 9, "hidden_act": "gelu_new"}),
    "many_positions_and_labels": (SEQUENCE, {"max_position_embeddings": 302, "num_labels": 27, "hidden_act": "silu"}),
    "one_output": (SEQUENCE, {"num_labels": 1, "num_hidden_layers": 3, "layer_norm_eps": 1e-5}),
    "padding_with_the_first_id": (SEQUENCE, {"pad_token_id": 0, "num_hidden_layers": 1}),
    "padding_with_another_id": (SEQUENCE, {"pad_token_id": 17, "type_vocab_size": 3}),
    "tokens": (TOKEN, {"num_labels": 9, "num_attention_heads": 3}),
    "tokens_one_layer": (TOKEN, {"num_labels": 1, "num_hidden_layers": 1, "hidden_act": "quick_gelu"}),
}
CONFIG = {**ROBERTA.defaults, **TINY, "architectures": [SEQUENCE]}


@pytest.mark.parametrize("case", CASES)
def test_checkpoints(case: str, tmp_path: Path) -> None:
    kind, settings = CASES[case]
    encoders.check_checkpoint(ROBERTA, kind, TINY | settings, tmp_path)


@pytest.mark.parametrize("family", [XLM_ROBERTA, CAMEMBERT], ids=["xlm_roberta", "camembert"])
def test_checkpoints_of_the_other_two(family: Any, tmp_path: Path) -> None:
    encoders.check_checkpoint(family, f"{family.title}ForSequenceClassification", TINY | {"num_labels": 4}, tmp_path)


def test_a_graph_of_tensorflow(tmp_path: Path) -> None:
    encoders.check_graph(ROBERTA, "roberta_one_head", tmp_path)


def test_tensorflow_counts_from_the_first_id_whatever_its_configuration_says(tmp_path: Path) -> None:
    encoders.check_graph(ROBERTA, "roberta_other_padding", tmp_path, pad_token_id=1)


def test_a_graph_that_labels_tokens(tmp_path: Path) -> None:
    encoders.check_graph(XLM_ROBERTA, "xlm_roberta_tokens", tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"num_attention_heads": 1},
        {"layer_norm_eps": 1e-2},
        {"hidden_act": "gelu_new"},
        {"pad_token_id": 6},
    ],
    ids=lambda changes: str(*changes),
)
def test_wrong_settings_give_other_answers(changes: dict[str, Any], tmp_path: Path) -> None:
    encoders.check_noticed(ROBERTA, "roberta_other_padding", changes, tmp_path)


@pytest.mark.parametrize("way", encoders.EXPORTS)
def test_exports_are_read(way: str, tmp_path: Path) -> None:
    settings = {"num_attention_heads": 3, "hidden_act": "relu", "layer_norm_eps": 1e-4, "num_labels": 4, "pad_token_id": 5}
    encoders.check_export(ROBERTA, SEQUENCE, TINY | settings, way, tmp_path)


def test_an_export_that_labels_tokens_is_read(tmp_path: Path) -> None:
    encoders.check_export(CAMEMBERT, "CamembertForTokenClassification", TINY | {"num_labels": 5}, "eager", tmp_path)


@pytest.mark.parametrize("path", encoders.archives("roberta_"))
def test_archives_of_roberta(path: Path, tmp_path: Path) -> None:
    encoders.check_archive(ROBERTA, path, "tiny_roberta_open", tmp_path)


@pytest.mark.parametrize("path", encoders.archives("xlm_roberta_"))
def test_archives_of_xlm_roberta(path: Path, tmp_path: Path) -> None:
    encoders.check_archive(XLM_ROBERTA, path, "tiny_xlmr_open", tmp_path)


@pytest.mark.parametrize("path", encoders.archives("camembert_"))
def test_archives_of_camembert(path: Path, tmp_path: Path) -> None:
    encoders.check_archive(CAMEMBERT, path, "tiny_camembert_open", tmp_path)


def test_names_do_not_tell_the_three_apart() -> None:
    names = committed_graph("roberta_one_head").shapes
    assert family_of(names) is ROBERTA
    assert family_of(names, "xlm-roberta") is XLM_ROBERTA
    assert family_of(["roberta.embeddings.word_embeddings.weight"], "camembert") is CAMEMBERT
    assert family_of(names, "bert") is ROBERTA


def test_positions_begin_after_padding() -> None:
    assert ROBERTA.positions(CONFIG) == 38
    assert ROBERTA.positions({**CONFIG, "pad_token_id": 0}) == 39


@pytest.mark.parametrize("pad", [None, -1, 39, True, "1", 1.0])
def test_padding_that_cannot_be_is_refused(pad: Any) -> None:
    with pytest.raises(InconsistentModel, match=f"pad_token_id is {pad!r}"):
        ROBERTA.expected_shapes({**CONFIG, "pad_token_id": pad}, 2)


@pytest.mark.parametrize(
    ("key", "value"), [("position_embedding_type", "relative_key"), ("is_decoder", True), ("pruned_heads", {"0": [1]})]
)
def test_what_the_graph_does_not_honour_is_refused(key: str, value: Any) -> None:
    with pytest.raises(UnsupportedModel, match=key):
        ROBERTA.check_config({**CONFIG, key: value})


@pytest.mark.parametrize("name", ["roberta_one_head", "electra_narrow", "distilbert_tokens"])
def test_no_damaged_graph_breaks_the_reader(name: str) -> None:
    """Flipped bits all over a graph of TensorFlow's: what cannot be read is refused, whatever it is."""
    graphed, data = committed_graph(name), zipfile.ZipFile(DATA / f"graphs_{name}.zip").read("saved_model.pb")
    family, head = family_of(graphed.shapes), encoders.head_of(graphed.golden["class"])
    read = 0
    for position in range(0, len(data), len(data) // 60):
        damaged = bytearray(data)
        damaged[position] ^= 1 << (position % 8)
        with suppress(HubError):
            flow = Graph(bytes(damaged)).trace(graphed.golden["logits"])
            if flow.variables.keys() <= graphed.shapes.keys():
                family.from_tensorflow(flow, graphed.shapes, head)
                read += 1
    assert 0 < read < 60


def test_another_familys_weights_are_refused() -> None:
    graphed = committed_graph("electra_narrow")
    with pytest.raises(HubError, match="not those of one model named 'roberta'"):
        encoders.read_graph(ROBERTA, graphed, "sequence")


def test_the_other_head_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match=r"classifier"):
        encoders.read_graph(ROBERTA, committed_graph("roberta_one_head"), "token")
    with pytest.raises(UnsupportedModel, match=r"classifier.dense"):
        encoders.read_graph(XLM_ROBERTA, committed_graph("xlm_roberta_tokens"), "sequence")
