"""What a calculation has taken of what it may take."""

from __future__ import annotations

from hubclient.archive.calculate.limits import Limits
from hubclient.errors import UnsupportedModel

_PER_NUMBER = 64  # what reading or making a number costs, beside one multiplication of a product of matrices


class Budget:
    """Counts, and raises UnsupportedModel when a limit is passed; `where` names the node."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._operations = 0
        self._held = 0
        self._work = 0

    def operate(self, where: str, count: int = 1) -> None:
        self._operations += count
        if self._operations > self.limits.operations:
            raise _too_much(f"it takes more than {self.limits.operations:,} operations", where)

    def work(self, multiplications: int, numbers: int, where: str) -> None:
        self._work += multiplications + _PER_NUMBER * numbers
        if self._work > self.limits.work:
            raise _too_much("it takes too much arithmetic", where)

    def claim(self, size: int, where: str) -> None:
        """Ask for the memory of a value before it is made."""
        if size > self.limits.value:
            raise _too_much(f"a value would take {size:,} bytes, and {self.limits.value:,} are allowed", where)
        if self._held + size > self.limits.held:
            raise _too_much(f"its values would take more than {self.limits.held:,} bytes together", where)

    def hold(self, size: int, where: str) -> None:
        self.claim(size, where)
        self._held += size

    def release(self, size: int) -> None:
        self._held -= size


def _too_much(why: str, where: str) -> UnsupportedModel:
    return UnsupportedModel("the graph is too large to be worked out", where=where, why=why)
