"""Slices. They are views.

Source: tensorflow/core/util/strided_slice_op.cc, tensorflow/core/kernels/slice_op.cc.
"""

from __future__ import annotations

from collections.abc import Mapping

from hubclient.archive.calculate.operator import Operator
from hubclient.archive.calculate.step import Array, Step

Index = int | slice | None


def _strided(step: Step, value: Array, begin: Array, end: Array, strides: Array) -> Array:
    """Python's own slices, but for the masks; of two bits at one place, the ellipsis counts first, then the new axis."""
    starts, stops, steps = (step.vector(part, what) for part, what in ((begin, "begin"), (end, "end"), (strides, "strides")))
    if not len(starts) == len(stops) == len(steps):
        raise step.wrong(f"{len(starts)} begins, {len(stops)} ends and {len(steps)} strides")
    ellipsis, new, shrunk = (step.integer(f"{name}_mask", 0) for name in ("ellipsis", "new_axis", "shrink_axis"))
    places = range(len(starts))
    dots = [place for place in places if ellipsis >> place & 1]
    if len(dots) > 1:
        raise step.wrong("it has several ellipses")
    taken = sum(not (ellipsis | new) >> place & 1 for place in places)
    if taken > value.ndim:
        raise step.wrong(f"it takes {taken} dimensions of {value.ndim}")
    index: list[Index] = []
    axis = 0
    for place in places:
        if place in dots:
            index += [slice(None)] * (value.ndim - taken)
            axis += value.ndim - taken
        elif new >> place & 1:
            index.append(None)
        else:
            bounds = _masked(step, place, starts[place], stops[place], steps[place])
            index.append(_single(step, starts[place], steps[place], value.shape[axis]) if shrunk >> place & 1 else bounds)
            axis += 1
    return value[tuple(index)]


def _masked(step: Step, place: int, start: int, stop: int, stride: int) -> slice:
    if stride == 0:
        raise step.wrong("a stride is 0")
    open_start, open_stop = (step.integer(name, 0) >> place & 1 for name in ("begin_mask", "end_mask"))
    return slice(None if open_start else start, None if open_stop else stop, stride)


def _single(step: Step, start: int, stride: int, side: int) -> int:
    if stride < 0 or not -side <= start < side:
        raise step.wrong(f"index {start} of {side}, stride {stride}")
    return start


def _slice(step: Step, value: Array, begin: Array, size: Array) -> Array:
    starts, sizes = step.sides(begin, "begin"), step.vector(size, "size")
    if not len(starts) == len(sizes) == value.ndim:
        raise step.wrong(f"{len(starts)} begins and {len(sizes)} sizes for {value.ndim} dimensions")
    stops = [side if size == -1 else start + size for start, size, side in zip(starts, sizes, value.shape, strict=True)]
    if any(not start <= stop <= side for start, stop, side in zip(starts, stops, value.shape, strict=True)):
        raise step.wrong(f"{value.shape} has no part from {starts} of {sizes}")
    return value[tuple(slice(start, stop) for start, stop in zip(starts, stops, strict=True))]


OPERATORS: Mapping[str, Operator] = {
    "StridedSlice": Operator("A I I I", _strided),
    "Slice": Operator("A I I", _slice),
}
