"""Where a model is run: on the processor, or on a graphics card of NVIDIA's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from hubclient.errors import UsageError

Place = Literal["cpu", "cuda"]
# A graphics card is asked for one batch while the next is made ready, and is only busy with large ones.
CARD_LANES = 2
CARD_TOKENS = 1 << 15
_CARD = re.compile(r"cuda(?::(\d{1,3}))?")


@dataclass(frozen=True)
class Device:
    """`number`: of several cards, as CUDA counts them from 0."""

    place: Place = "cpu"
    number: int = 0

    def __str__(self) -> str:
        return self.place if self.place == "cpu" else f"{self.place}:{self.number}"


def parse_device(text: str | None) -> Device:
    """None is the processor. Raises UsageError."""
    if text in (None, "cpu"):
        return Device()
    if isinstance(text, str) and (card := _CARD.fullmatch(text)):
        return Device("cuda", int(card[1] or 0))
    raise UsageError(f"there is no device {text!r}", hint='use "cpu", "cuda", or "cuda:1" for the second card')
