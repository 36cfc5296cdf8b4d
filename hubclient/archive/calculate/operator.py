"""An operator of the allow-list: what it takes, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hubclient.archive.calculate.step import Array, Step

_KINDS = {"A": "fiub", "N": "fiu", "F": "f", "I": "iu", "B": "b"}
_NAMES = {"A": "plain numbers", "N": "numbers", "F": "floating point numbers", "I": "integers", "B": "truth values"}


@dataclass(frozen=True)
class Operator:
    """`takes` has a letter for each input: A anything, N numbers, F floating point, I integers, B truth values.

    Inputs of one letter, except I, are of one type. A letter followed by `*` stands for one input or more.
    `apply` gets the step and the inputs; it gives one value, or several. `outputs` names them where they have names of their own.
    """

    takes: str
    apply: Callable[..., Array | Sequence[Array]]
    outputs: tuple[str, ...] = ()

    def check(self, step: Step, inputs: Sequence[Array]) -> None:
        letters = self._letters(len(inputs))
        if len(letters) != len(inputs):
            raise step.wrong(f"it has {len(inputs)} inputs")
        types: dict[str, Array] = {}
        for letter, value in zip(letters, inputs, strict=True):
            if value.dtype.kind not in _KINDS[letter]:
                raise step.wrong(f"an input is {value.dtype}, where {_NAMES[letter]} are expected")
            if value.dtype.char == "e" and letter in "NF":
                raise step.unsupported("it reckons in float16")
            if letter != "I" and types.setdefault(letter, value).dtype != value.dtype:
                raise step.wrong(f"its inputs are {types[letter].dtype} and {value.dtype}")

    def _letters(self, count: int) -> str:
        head, star, tail = self.takes.replace(" ", "").partition("*")
        return head + head[-1] * (count - len(head) - len(tail)) + tail if star else head
