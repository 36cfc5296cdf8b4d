"""Who may go at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from hubclient.turns import Gate, Turns


class Crowd:
    """Threads that go through a gate, and stay until they are let out."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self._out: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []

    def enter(self, name: str, held: Callable[[], AbstractContextManager[None]]) -> None:
        self._out[name] = threading.Event()

        def go() -> None:
            with held():
                self.inside.append(name)
                assert self._out[name].wait(10)
                self.inside.remove(name)

        self._threads.append(threading.Thread(target=go))
        self._threads[-1].start()
        time.sleep(0.02)

    def leave(self, *names: str) -> None:
        for name in names:
            self._out[name].set()
        time.sleep(0.05)

    def end(self) -> None:
        for event in self._out.values():
            event.set()
        for thread in self._threads:
            thread.join(10)


@pytest.fixture
def crowd() -> Crowd:
    return Crowd()


def test_light_ones_go_together_and_a_heavy_one_alone(crowd: Crowd) -> None:
    gate = Gate(3)
    for name in "abc":
        crowd.enter(name, lambda: gate.held(1))
    crowd.enter("heavy", lambda: gate.held(100))
    crowd.enter("d", lambda: gate.held(1))
    assert crowd.inside == ["a", "b", "c"]
    crowd.leave("a", "b")
    assert crowd.inside == ["c"], "in the order of arrival"
    crowd.leave("c")
    assert crowd.inside == ["heavy"]
    crowd.leave("heavy")
    assert crowd.inside == ["d"]
    crowd.end()


def test_what_fails_gives_its_place_back() -> None:
    gate = Gate(1)
    with pytest.raises(KeyError), gate.held(1):
        raise KeyError
    with gate.held(1):
        pass


def test_who_is_alone_does_not_wait() -> None:
    turns = Turns()
    with turns.transfer(), turns.transfer(), turns.conversion(), turns.conversion():
        pass


def test_transfers_and_conversions_wait_for_their_own_kind(crowd: Crowd) -> None:
    first = Turns(Gate(8), Gate(1), weight=8)
    crowd.enter("transfer", first.transfer)
    crowd.enter("conversion", first.conversion)
    crowd.enter("small transfer", Turns(first.transfers, first.conversions, weight=1).transfer)
    assert crowd.inside == ["transfer", "conversion"]
    crowd.end()
