"""What texts are filled up with, on which side, and that it changes no answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hubclient.batches import filled
from hubclient.padding import Padding, read_padding


@dataclass
class Words:
    ids: list[int]

    @property
    def type_ids(self) -> list[int]:
        return [1] * len(self.ids)

    def __len__(self) -> int:
        return len(self.ids)


TEXTS = [Words([8]), Words([5, 6, 7])]


@pytest.mark.parametrize(
    ("config", "tokenizer_config", "padding"),
    [
        ({"model_type": "bert"}, {}, Padding(0, "right")),
        ({"model_type": "roberta", "pad_token_id": 1}, {}, Padding(1, "right")),
        ({"model_type": "bert", "pad_token_id": None}, {}, Padding(0, "right")),
        ({"model_type": "bert", "pad_token_id": -1}, {}, Padding(0, "right")),
        ({"model_type": "bert", "pad_token_id": True}, {}, Padding(0, "right")),
        ({"model_type": "bert", "pad_token_id": 9, "vocab_size": 9}, {}, Padding(0, "right")),
        # What an encoder answers is at the first token, wherever its tokenizer would put padding.
        ({"model_type": "bert"}, {"padding_side": "left"}, Padding(0, "right")),
        ({"model_type": "xlnet", "pad_token_id": 5}, {}, Padding(5, "left")),
        ({"model_type": "xlnet", "pad_token_id": 5}, {"padding_side": "right"}, Padding(5, "left")),
        ({"model_type": "xlnet", "summary_type": "mean"}, {}, Padding(0, "left", harmless=False)),
        ({"model_type": "xlnet", "summary_type": "first"}, {}, Padding(0, "left", harmless=False)),
        ({"model_type": "xlnet", "attn_type": "uni"}, {}, Padding(0, "left", harmless=False)),
        ({"model_type": "gpt2", "pad_token_id": 3}, {"padding_side": "left"}, Padding(3, "left", harmless=False)),
        ({"model_type": "gpt2"}, {"padding_side": "middle"}, Padding(0, "right", harmless=False)),
    ],
)
def test_padding_by_settings(config: dict[str, Any], tokenizer_config: dict[str, Any], padding: Padding) -> None:
    assert Padding.of(config, tokenizer_config) == padding


def test_padding_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "other", "pad_token_id": 2}), encoding="utf-8")
    assert read_padding(tmp_path) == Padding(2, "right", harmless=False)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"padding_side": "left"}), encoding="utf-8")
    assert read_padding(tmp_path) == Padding(2, "left", harmless=False)


@pytest.mark.parametrize(
    ("side", "ids", "mask"),
    [("right", [[8, 3, 3], [5, 6, 7]], [[1, 0, 0], [1, 1, 1]]), ("left", [[3, 3, 8], [5, 6, 7]], [[0, 0, 1], [1, 1, 1]])],
)
def test_batches_are_filled_up(side: Any, ids: list[list[int]], mask: list[list[int]]) -> None:
    batch = filled(TEXTS, Padding(3, side))
    assert batch.input_ids.tolist() == ids
    assert batch.attention_mask.tolist() == batch.token_type_ids.tolist() == mask


def test_texts_alone() -> None:
    alone = list(filled(TEXTS, Padding(3, "left")).alone())
    assert [one.input_ids.tolist() for one in alone] == [[[8]], [[5, 6, 7]]]
    assert [one.attention_mask.tolist() for one in alone] == [[[1]], [[1, 1, 1]]]
    assert [one.token_type_ids.tolist() for one in alone] == [[[1]], [[1, 1, 1]]]
