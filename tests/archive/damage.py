"""What every reader is put through: its input cut off at every byte, its bits flipped, and examples that take the time they take."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, settings

from hubclient.errors import HubError

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def survives(read: Callable[[bytes], object], data: bytes) -> bool:
    """Whether `data` is read; a refusal must be a HubError, and anything else is the test's failure."""
    try:
        read(data)
    except HubError:
        return False
    return True


def truncations_read(read: Callable[[bytes], object], data: bytes, *, every: int = 1, dense: int = 2_000) -> list[int]:
    """The lengths at which the beginning of `data` is still read: all up to `dense` are tried, then each `every`-th."""
    lengths = [*range(min(dense, len(data))), *range(dense, len(data), every)]
    return [length for length in lengths if survives(read, data[:length])]


def flips_read(read: Callable[[bytes], object], data: bytes, *, every: int = 1) -> list[int]:
    """The positions at which one flipped bit goes unnoticed."""
    unnoticed = []
    for position in range(0, len(data), every):
        flipped = bytearray(data)
        flipped[position] ^= 1 << (position % 8)
        if survives(read, bytes(flipped)):
            unnoticed.append(position)
    return unnoticed
