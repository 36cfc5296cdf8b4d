"""Einsum: a sum of products, by the names of dimensions.

Strategy: the dimensions of both operands are sorted into those of the batch (in both and the result), those that are summed up (in both
only) and those of one operand; then it is one product of matrices. What `…` stands for is named by numbers, counted from the last.

Source: tensorflow/core/kernels/linalg/einsum_op_impl.h; one or two operands, each dimension named once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import prod

from hubclient.archive.calculate.operator import Operator
from hubclient.archive.calculate.products import multiplied
from hubclient.archive.calculate.step import Array, Step

_DOTS = "..."


@dataclass(frozen=True, slots=True)
class _Named:
    """An operand, and the names of its dimensions."""

    value: Array
    names: tuple[str | int, ...]

    @property
    def sizes(self) -> dict[str | int, int]:
        return dict(zip(self.names, self.value.shape, strict=True))

    def ordered(self, names: list[str | int]) -> Array:
        return self.value.transpose([self.names.index(name) for name in names])

    def without(self, names: Collection[str | int]) -> _Named:
        """These dimensions summed up."""
        axes = tuple(axis for axis, name in enumerate(self.names) if name in names)
        kept = tuple(name for name in self.names if name not in names)
        return _Named(self.value.sum(axis=axes, dtype=self.value.dtype), kept) if axes else self


def _einsum(step: Step, *values: Array) -> Array:
    equation = step.text("equation", "")
    sources, arrow, target = equation.replace(" ", "").partition("->")
    parts = sources.split(",")
    if not arrow or len(parts) != len(values) or len(values) > 2:
        raise step.unsupported(f"'{equation}' with {len(values)} inputs")
    operands = [_named(step, part, value) for part, value in zip(parts, values, strict=True)]
    hidden = max(len([name for name in operand.names if isinstance(name, int)]) for operand in operands)
    if hidden and _DOTS not in target:
        raise step.unsupported(f"'{equation}' sums up what '{_DOTS}' stands for")
    wanted = _names(step, target, len(target.replace(_DOTS, "")) + (hidden if _DOTS in target else 0))
    if missing := set(wanted).difference(*(operand.names for operand in operands)):
        raise step.wrong(f"'{equation}' does not say what {missing} is")
    if len(operands) == 1:
        return operands[0].without(set(operands[0].names) - set(wanted)).ordered(list(wanted))
    return _product(step, *_matched(step, *operands), wanted)


def _named(step: Step, part: str, value: Array) -> _Named:
    return _Named(value, _names(step, part, value.ndim))


def _names(step: Step, part: str, rank: int) -> tuple[str | int, ...]:
    head, dots, tail = part.partition(_DOTS)
    hidden = rank - len(head) - len(tail)
    if hidden < 0 or (hidden and not dots) or not (head + tail + "a").isalpha():
        raise step.wrong(f"'{part}' for {rank} dimensions")
    names = (*head, *range(-hidden, 0), *tail)
    if len(set(names)) < len(names):
        raise step.unsupported(f"'{part}' names a dimension twice")
    return names


def _matched(step: Step, left: _Named, right: _Named) -> tuple[_Named, _Named]:
    """Shared dimensions have one size; of those under `…` a 1 is left out where the other operand has more."""
    sizes = left.sizes, right.sizes
    for name in set(left.names) & set(right.names):
        pair = sizes[0][name], sizes[1][name]
        if pair[0] != pair[1] and not (isinstance(name, int) and 1 in pair):
            raise step.wrong(f"dimension '{name}' is {pair[0]} and {pair[1]}")
    stretched = [name for name in left.names if isinstance(name, int) and sizes[0][name] != sizes[1].get(name, sizes[0][name])]
    ones = [{name for name in stretched if size[name] == 1} for size in sizes]
    return left.without(ones[0]), right.without(ones[1])


def _product(step: Step, left: _Named, right: _Named, wanted: tuple[str | int, ...]) -> Array:
    left, right = left.without(set(left.names) - {*right.names, *wanted}), right.without(set(right.names) - {*left.names, *wanted})
    shared = [name for name in left.names if name in right.names]
    batch, summed = [name for name in shared if name in wanted], [name for name in shared if name not in wanted]
    rows, columns = ([name for name in operand.names if name not in shared] for operand in (left, right))
    sizes = {**left.sizes, **right.sizes}
    sides = [sizes[name] for name in batch]
    first = left.ordered([*batch, *rows, *summed]).reshape(*sides, prod(sizes[name] for name in rows), prod(sizes[name] for name in summed))
    second = right.ordered([*batch, *summed, *columns]).reshape(*sides, first.shape[-1], prod(sizes[name] for name in columns))
    names = (*batch, *rows, *columns)
    result = multiplied(step, first, second).reshape([sizes[name] for name in names])
    return _Named(result, names).ordered(list(wanted))


OPERATORS: Mapping[str, Operator] = {"Einsum": Operator("N*", _einsum)}
