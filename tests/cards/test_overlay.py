from __future__ import annotations

import pytest

from hubclient.cards import Overlay, parse_overlay
from hubclient.errors import CardError


@pytest.mark.parametrize(
    ("text", "overlay"),
    [
        ("activation: sigmoid\n", Overlay(activation="sigmoid")),
        ("# why\nactivation: none\nthreshold: 0.25\nmax_length: 128\nlowercase: true\n", Overlay("none", 0.25, 128, True)),
        ("\ufeffactivation: softmax\r\nlowercase: false\r\n", Overlay(activation="softmax", lowercase=False)),
        ("threshold: 0\n", Overlay(threshold=0.0)),
        ("", Overlay()),
        ("# nothing\n", Overlay()),
    ],
)
def test_overlays(text: str, overlay: Overlay) -> None:
    assert parse_overlay(text) == overlay


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("# x\nactivatoin: sigmoid\n", 2, "activatoin"),
        ("activation: relu\n", 1, "activation"),
        ("activation:\n", 1, "activation"),
        ("activation: [sigmoid]\n", 1, "activation"),
        ("lowercase: true\nthreshold: 1.5\n", 2, "threshold"),
        ("threshold: nan\n", 1, "threshold"),
        ("threshold: half\n", 1, "threshold"),
        ("max_length: 0\n", 1, "max_length"),
        ("max_length: -3\n", 1, "max_length"),
        ("max_length: 1.5\n", 1, "max_length"),
        ("lowercase: maybe\n", 1, "lowercase"),
        ("lowercase: true\nlowercase: false\n", 2, "lowercase"),
    ],
)
def test_broken_overlays_name_the_key_and_the_line(text: str, line: int, key: str) -> None:
    with pytest.raises(CardError, match=f"'{key}'") as caught:
        parse_overlay(text, path="a.overlay.yaml")
    assert caught.value.where == f"a.overlay.yaml:{line}"


def test_to_dict_holds_only_what_is_said() -> None:
    assert Overlay(activation="sigmoid", path="x").to_dict() == {"activation": "sigmoid"}
