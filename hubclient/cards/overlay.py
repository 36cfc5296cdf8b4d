"""An overlay: a small YAML file beside a card that states what neither the card nor the archive says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from hubclient.cards.problem import card_error

if TYPE_CHECKING:
    from hubclient.cards.yaml_mapping import YamlMapping

Activation = Literal["softmax", "sigmoid", "none"]

_KEYS = ("activation", "threshold", "max_length", "lowercase")


@dataclass(frozen=True)
class Overlay:
    """None means that the overlay does not speak."""

    activation: Activation | None = None
    threshold: float | None = None
    max_length: int | None = None
    lowercase: bool | None = None
    path: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {key: value for key in _KEYS if (value := getattr(self, key)) is not None}


def parse_overlay(text: str, *, path: str | None = None) -> Overlay:
    """Parse an overlay. Raises CardError that names the key and the line, at any key it does not know."""
    from hubclient.cards.yaml_mapping import read_mapping

    mapping = read_mapping(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"), path=path)
    reader = _OverlayReader(mapping, path)
    for key in mapping.values:
        if key not in _KEYS:
            reader.refuse(key, f"an overlay has no key '{key}'", "write one of: " + ", ".join(_KEYS))
    return Overlay(reader.activation(), reader.threshold(), reader.max_length(), reader.lowercase(), path)


@dataclass(frozen=True)
class _OverlayReader:
    mapping: YamlMapping
    path: str | None

    def activation(self) -> Activation | None:
        choices: dict[str, Activation] = {"softmax": "softmax", "sigmoid": "sigmoid", "none": "none"}
        text = self._text("activation")
        return None if text is None else choices.get(text) or self._wrong("activation", "softmax, sigmoid or none")

    def threshold(self) -> float | None:
        text = self._text("threshold")
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        return value if 0 <= value <= 1 else self._wrong("threshold", "a number from 0 to 1")

    def max_length(self) -> int | None:
        text = self._text("max_length")
        if text is None:
            return None
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
        return number or self._wrong("max_length", "a whole number above 0")

    def lowercase(self) -> bool | None:
        text = self._text("lowercase")
        if text is None:
            return None
        choices = {"true": True, "false": False}
        return choices[text] if text in choices else self._wrong("lowercase", "true or false")

    def _text(self, key: str) -> str | None:
        if key not in self.mapping.values:
            return None
        value = self.mapping.values[key]
        return value if isinstance(value, str) else self._wrong(key, "a value")

    def _wrong(self, key: str, wanted: str) -> NoReturn:
        self.refuse(key, f"the overlay's '{key}' is not what it must be", f"write {wanted}")

    def refuse(self, key: str, what: str, hint: str) -> NoReturn:
        raise card_error(what, path=self.path, line=self.mapping.lines[key], hint=hint)
