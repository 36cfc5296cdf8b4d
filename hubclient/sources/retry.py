"""When, and how often, a source is asked again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from hubclient.errors import ServerFailure, SourceError, Unreachable

_FIRST_SECONDS, _LONGEST_SECONDS = 0.25, 8.0
# Hugging Face counts requests in windows of five minutes.
_LONGEST_ASKED_SECONDS = 300.0

T = TypeVar("T")


class Patience:
    """Jittered exponential waits, and not more than `retries` of them in a row without progress.

    A server's Retry-After is obeyed; one beyond five minutes ends the attempt, for a person should decide that.
    """

    def __init__(self, retries: int, sleep: Callable[[float], None] = time.sleep) -> None:
        self._retries = retries
        self._sleep = sleep
        self._failures = 0
        self._random = random.SystemRandom()

    def wait(self, error: SourceError, *, progressed: bool = False) -> None:
        """Wait before the next attempt. Raises `error` when there should be none."""
        self._failures = 1 if progressed else self._failures + 1
        asked = error.retry_after or 0.0
        if not _is_transient(error) or self._failures > self._retries or asked > _LONGEST_ASKED_SECONDS:
            raise error
        longest = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2 ** (self._failures - 1))
        self._sleep(max(asked, self._random.uniform(longest / 2, longest)))

    def insist(self, action: Callable[[], T]) -> T:
        while True:
            try:
                return action()
            except SourceError as error:
                self.wait(error)


def _is_transient(error: SourceError) -> bool:
    return isinstance(error, (ServerFailure, Unreachable)) and not error.lasting
