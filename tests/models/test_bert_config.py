"""Settings of a config.json that the graph of BERT cannot honour."""

from __future__ import annotations

from typing import Any

import pytest

from hubclient.errors import InconsistentModel, UnsupportedModel
from hubclient.models.bert import BERT

CONFIG = {**BERT.defaults, "architectures": ["BertForSequenceClassification"], "hidden_size": 8, "num_attention_heads": 2}


def test_what_the_graph_honours_passes() -> None:
    BERT.check_config(CONFIG)
    BERT.check_config({**CONFIG, "position_embedding_type": "absolute", "is_decoder": False, "add_cross_attention": False})


@pytest.mark.parametrize(
    ("key", "value"),
    [("position_embedding_type", "relative_key"), ("is_decoder", True), ("add_cross_attention", True), ("hidden_act", "mish")],
)
def test_what_it_does_not_honour_is_refused_by_name(key: str, value: Any) -> None:
    with pytest.raises(UnsupportedModel, match=str(value)) as caught:
        BERT.check_config({**CONFIG, key: value})
    # Nothing is converted, so no engine has anything to open.
    assert "torch" not in str(caught.value)


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(InconsistentModel, match="3 heads do not divide a width of 8"):
        BERT.check_config({**CONFIG, "num_attention_heads": 3})
