"""A call in somebody's code that loads a model, as far as it can be told without running it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["pretrained", "load", "pull", "annotator", "pipeline", "nlu"]

PARAMETERS: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        "pretrained": ("name", "lang"),
        "load": ("reference",),
        "pull": ("reference", "lang"),
        "annotator": ("name", "lang", "remote_loc"),
        "pipeline": ("name", "lang", "remote_loc", "parse_embeddings", "disk_location"),
        "nlu": ("request", "path"),
    }
)
"""What may be given by position: hubclient's functions, Spark NLP's `X.pretrained` and `PretrainedPipeline`, `nlu.load`."""

_SHOWN = 80


@dataclass(frozen=True)
class Unknown:
    """A value that is worked out when the program runs. `code`: what stands there."""

    code: str


Value = str | None | Unknown


@dataclass(frozen=True)
class Call:
    """`line`, `column`: where the name of the called function stands, both from 1. `arguments`: those that are given, by parameter.
    `annotator`: the class of Spark NLP's. `code`: the call as it is written, on one line and cut."""

    kind: Kind
    line: int
    column: int
    arguments: Mapping[str, Value]
    code: str
    annotator: str | None = None

    def get(self, parameter: str) -> Value:
        """None where it is not given."""
        return self.arguments.get(parameter)


def shortened(code: str) -> str:
    """Code on one line, cut where it would be endless.

    >>> shortened("f(a,\\n      b)")
    'f(a, b)'
    """
    line = " ".join(code[: 4 * _SHOWN].split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
