"""One operation that is being worked out: its node, its attributes with their defaults, and its errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from hubclient.archive import dtypes
from hubclient.errors import CorruptArchive, UnsupportedModel

if TYPE_CHECKING:
    import numpy as np

    from hubclient.archive.calculate.budget import Budget
    from hubclient.archive.graph import Node

Array = NDArray[Any]
INT32, INT64 = 3, 9  # TensorFlow's numbers of these types, which are often a default
_LONGEST = 4096  # numbers in a list of sides, axes, parts …


@dataclass(frozen=True, slots=True)
class Step:
    node: Node
    budget: Budget

    @property
    def where(self) -> str:
        return f"graph node '{self.node.name}' ({self.node.op})"

    def wrong(self, why: str) -> CorruptArchive:
        """The graph contradicts itself; TensorFlow would refuse, too."""
        return CorruptArchive(f"the operator {self.node.op} cannot be worked out", where=self.where, why=why)

    def unsupported(self, why: str) -> UnsupportedModel:
        return UnsupportedModel(f"the operator {self.node.op} cannot be worked out", where=self.where, why=why)

    def flag(self, name: str, *, default: bool) -> bool:
        return self.node.attribute(name).b if self.has(name) else default

    def integer(self, name: str, default: int) -> int:
        return self.node.attribute(name).i if self.has(name) else default

    def number(self, name: str, default: float) -> float:
        return self.node.attribute(name).f if self.has(name) else default

    def text(self, name: str, default: str) -> str:
        return self.node.attribute(name).s.decode(errors="replace") if self.has(name) else default

    def integers(self, name: str, default: Sequence[int]) -> list[int]:
        return list(self.node.attribute(name).list.i) if self.has(name) else list(default)

    def dtype(self, name: str, default: int | None = None) -> np.dtype[np.generic]:
        """A type by its attribute; `default` is TensorFlow's number."""
        code = default if default is not None and not self.has(name) else self.node.attribute(name).type
        if code == dtypes.BFLOAT16:
            raise self.unsupported("it is in bfloat16")
        return dtypes.stored_type(code, self.where)

    def has(self, name: str) -> bool:
        return name in self.node.definition.attr

    def claim(self, shape: Iterable[int], dtype: np.dtype[Any]) -> None:
        """Ask for the memory of a result before it is made."""
        self.budget.claim(prod(shape) * dtype.itemsize, self.where)

    def multiply(self, multiplications: int) -> None:
        """Ask for the arithmetic of a product before it is done."""
        self.budget.work(multiplications, 0, self.where)

    def scalar(self, value: Array, what: str) -> int:
        """The one number of an input that says an axis, a count …"""
        if value.size != 1:
            raise self.wrong(f"{what} is {value.size} numbers, and must be one")
        return int(value.reshape(()))

    def vector(self, value: Array, what: str) -> list[int]:
        """The numbers of an input that says a shape, axes …"""
        if value.ndim > 1 or value.size > _LONGEST:
            raise self.wrong(f"{what} has the shape {value.shape}")
        numbers: list[int] = value.reshape(-1).tolist()
        return numbers

    def sides(self, value: Array, what: str = "the shape") -> list[int]:
        """A vector of sizes, none below zero."""
        numbers = self.vector(value, what)
        if min(numbers, default=0) < 0:
            raise self.wrong(f"{what} is {numbers}")
        return numbers

    def axis(self, axis: int, rank: int) -> int:
        """An axis counted from the front, where negative ones count from the back."""
        if not -rank <= axis < rank:
            raise self.wrong(f"axis {axis} of {rank} dimensions")
        return axis % rank

    def within(self, index: Array, size: int) -> None:
        """Every index must be one of 0 … size - 1; here they do not count from the back."""
        if index.size and not 0 <= int(index.min()) <= int(index.max()) < size:
            raise self.wrong(f"index {int(index.min() if index.min() < 0 else index.max())} is out of range, there are {size}")
