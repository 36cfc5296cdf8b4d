"""Where the values of a calculation come from: feeds, variables and constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hubclient.archive import dtypes
from hubclient.archive.calculate.step import Array, Step
from hubclient.archive.constants import constant
from hubclient.archive.graph import VARIABLES

if TYPE_CHECKING:
    from hubclient.archive.protobuf import TensorShapeProto

_PLACEHOLDERS = frozenset({"Placeholder", "PlaceholderV2", "PlaceholderWithDefault"})


@dataclass(frozen=True)
class Sources:
    feeds: Mapping[str, Array]
    variable: Callable[[str], Array]

    def value(self, step: Step) -> Array | None:
        """What the node brings in from outside; None if it does not, or has a default and is not fed."""
        if step.node.op in VARIABLES:
            return self._stored(step)
        if step.node.op in _PLACEHOLDERS:
            return self._fed(step)
        if step.node.op == "Const":
            _refuse_bfloat16(step, step.node.attribute("value").tensor.dtype)
            return constant(step.node)
        return None

    def _stored(self, step: Step) -> Array:
        if step.has("dtype"):
            _refuse_bfloat16(step, step.node.attribute("dtype").type)
        value = self.variable(step.node.variable or "")
        wanted = step.dtype("dtype") if step.has("dtype") else value.dtype
        if value.dtype != wanted or not _fits(value.shape, step):
            raise step.wrong(f"the variable is {value.dtype} {value.shape}")
        return value

    def _fed(self, step: Step) -> Array | None:
        name = step.node.name
        names = [feed for feed in self.feeds if name == feed or name.endswith(("_" + feed, "/" + feed))]
        if not names:
            if step.node.inputs:
                return None
            raise step.unsupported(f"there is nothing to feed it with, only {', '.join(self.feeds) or 'nothing'}")
        value = np.asarray(self.feeds[max(names, key=len)])
        fed = value.astype(step.dtype("dtype")) if step.has("dtype") else value
        if not _fits(value.shape, step) or not np.array_equal(fed, value):
            raise step.unsupported(f"it does not take {value.dtype} {value.shape}")
        return fed


def _refuse_bfloat16(step: Step, code: int) -> None:
    if code == dtypes.BFLOAT16:
        raise step.unsupported("it is in bfloat16")


def _fits(shape: tuple[int, ...], step: Step) -> bool:
    """Whether the shape is what the node's attribute demands; in it, sides below zero may have any size."""
    if not step.has("shape"):
        return True
    wanted: TensorShapeProto = step.node.attribute("shape").shape
    sides = [dim.size for dim in wanted.dim]
    # Older exporters write an empty shape where it is not known.
    return wanted.unknown_rank or not sides or (len(sides) == len(shape) and all(a in (b, -1) for a, b in zip(sides, shape, strict=True)))
