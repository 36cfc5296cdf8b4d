"""Several things that mostly wait, done at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")


def together(tasks: Iterable[Callable[[], T]], *, at_once: int) -> list[T]:
    """What they return, in their order. Once one has failed, no other is begun, and its error is raised when those at work are done."""
    with ThreadPoolExecutor(at_once, thread_name_prefix="hubclient-together") as pool:
        futures = [pool.submit(task) for task in tasks]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    failed = next((future for future in futures if not future.cancelled() and future.exception()), None)
    return [failed.result()] if failed else [future.result() for future in futures]
