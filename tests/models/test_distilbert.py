"""DistilBERT: no token types, no pooler, names of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models.distilbert import DISTILBERT
from tests.models import encoders
from tests.models.exports import Named, export
from tests.models.rebuilt import rebuild_onnx

TINY: dict[str, Any] = {"vocab_size": 40, "dim": 12, "n_layers": 2, "n_heads": 2, "hidden_dim": 8, "max_position_embeddings": 32}
SEQUENCE, TOKEN = "DistilBertForSequenceClassification", "DistilBertForTokenClassification"
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "one_head": (SEQUENCE, {"n_heads": 1, "activation": "relu"}),
    "five_heads_odd_width": (SEQUENCE, {"dim": 35, "n_heads": 5, "hidden_dim": 9, "activation": "gelu_new"}),
    "many_positions_and_labels": (SEQUENCE, {"max_position_embeddings": 300, "num_labels": 27, "n_layers": 3}),
    "sinusoidal_positions": (SEQUENCE, {"sinusoidal_pos_embds": True, "num_labels": 1, "activation": "silu"}),
    "tokens": (TOKEN, {"num_labels": 9, "n_layers": 1}),
}
CONFIG = {**DISTILBERT.defaults, **TINY, "architectures": [SEQUENCE]}


@pytest.mark.parametrize("case", CASES)
def test_checkpoints(case: str, tmp_path: Path) -> None:
    kind, settings = CASES[case]
    encoders.check_checkpoint(DISTILBERT, kind, TINY | settings, tmp_path)


@pytest.mark.parametrize("name", ["distilbert_five_heads", "distilbert_tokens"])
def test_graphs_of_tensorflow(name: str, tmp_path: Path) -> None:
    encoders.check_graph(DISTILBERT, name, tmp_path)


@pytest.mark.parametrize("changes", [{"n_heads": 7}, {"activation": "gelu"}], ids=lambda changes: str(*changes))
def test_wrong_settings_give_other_answers(changes: dict[str, Any], tmp_path: Path) -> None:
    encoders.check_noticed(DISTILBERT, "distilbert_five_heads", changes, tmp_path)


@pytest.mark.parametrize("way", encoders.EXPORTS)
def test_exports_are_read(way: str, tmp_path: Path) -> None:
    settings = {"n_heads": 3, "activation": "relu", "num_labels": 4}
    encoders.check_export(DISTILBERT, SEQUENCE, TINY | settings, way, tmp_path)


def test_an_export_that_labels_tokens_is_read(tmp_path: Path) -> None:
    encoders.check_export(DISTILBERT, TOKEN, TINY | {"num_labels": 5}, "eager", tmp_path)


def test_another_epsilon_cannot_be_said(tmp_path: Path) -> None:
    model = encoders.random_model(SEQUENCE, TINY)
    for module in model.modules():
        if hasattr(module, "eps"):
            module.eps = 1e-5
    data = export(Named(model, DISTILBERT.anatomy.inputs).eval(), tmp_path / "m.onnx", inputs=DISTILBERT.anatomy.inputs)
    with pytest.raises(UnsupportedModel, match="epsilon is 1e-05, and DistilBert has 1e-12"):
        rebuild_onnx(DISTILBERT, data, "sequence", tmp_path)


@pytest.mark.parametrize("path", encoders.archives("distilbert_"))
def test_archives(path: Path, tmp_path: Path) -> None:
    encoders.check_archive(DISTILBERT, path, "tiny_distilbert_open", tmp_path)


def test_another_name_for_a_setting_must_say_the_same() -> None:
    DISTILBERT.check_config({**CONFIG, "hidden_size": 12})
    with pytest.raises(InconsistentModel, match="hidden_size is another name for dim, and they are 24 and 12"):
        DISTILBERT.check_config({**CONFIG, "hidden_size": 24})


@pytest.mark.parametrize("value", ["mish", None, ["gelu"]])
def test_unknown_functions_are_refused(value: Any) -> None:
    with pytest.raises(UnsupportedModel, match="is not known"):
        DISTILBERT.check_config({**CONFIG, "activation": value})


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(InconsistentModel, match="5 heads do not divide a width of 12"):
        DISTILBERT.check_config({**CONFIG, "n_heads": 5})
