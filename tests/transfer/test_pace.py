"""How many streams there are, how long one is believed in, and how much may come in a second."""

from __future__ import annotations

import pytest

from hubclient.settings import Limits
from hubclient.transfer.line import Line
from hubclient.transfer.pace import Pace
from hubclient.transfer.ramp import Ramp

MIB = 1 << 20


def climb(ramp: Ramp, rates: list[float]) -> list[int]:
    """How many streams there are after each quarter of a second in which bytes came at these rates."""
    now, arrived, streams = 0.0, 0, []
    ramp.answered(now, arrived)
    for rate in rates:
        now += 0.25
        arrived += int(rate / 4)
        ramp.review(now, arrived)
        streams.append(ramp.streams)
    return streams


def test_one_stream_until_the_server_has_answered() -> None:
    ramp = Ramp(16)
    ramp.review(5.0, 100 * MIB)
    assert ramp.streams == 1
    ramp.answered(6.0, 100 * MIB)
    assert ramp.streams == 4


def test_more_streams_while_they_pay() -> None:
    assert climb(Ramp(64), [10 * MIB, 20 * MIB, 21 * MIB, 90 * MIB]) == [8, 16, 16, 16]


def test_while_something_else_holds_the_streams_nothing_is_learnt_of_the_line() -> None:
    ramp = Ramp(64)
    ramp.answered(0.0, 0)
    for tenth in range(1, 20):
        ramp.look_anew(tenth / 10, tenth * MIB)
        ramp.review(tenth / 10 + 0.09, tenth * MIB)
    assert ramp.streams == 4
    ramp.review(3.0, 40 * MIB)
    assert ramp.streams == 8


@pytest.mark.parametrize(("most", "streams"), [(1, [1, 1]), (3, [3, 3]), (6, [6, 6]), (12, [8, 12])])
def test_never_more_than_the_limit(most: int, streams: list[int]) -> None:
    assert climb(Ramp(most), [10 * MIB, 20 * MIB]) == streams


def test_after_a_failure_it_goes_on_with_those_left_and_climbs_again() -> None:
    ramp = Ramp(16)
    climb(ramp, [10 * MIB, 20 * MIB])
    ramp.failed(2)
    assert ramp.streams == 2
    ramp.review(10.0, 0)
    assert ramp.streams == 2
    ramp.review(10.3, 10 * MIB)
    assert ramp.streams == 4
    ramp.failed(0)
    assert ramp.streams == 1


def test_a_connection_that_hardly_brings_anything_is_lost() -> None:
    pace = Pace(30)
    assert not any(pace.is_lost(1, 100) for _ in range(29))
    assert pace.is_lost(1, 100)
    assert not any(pace.is_lost(1, 2000) for _ in range(100))


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("chunk", [100, 4096, 1_000_000])
def test_no_more_than_the_limit_comes(chunk: int) -> None:
    clock = Clock()
    line = Line(Limits(rate=50_000), clock=clock.time, sleep=clock.sleep)
    for _ in range(5_000_000 // chunk):
        line.pay(chunk)
    assert clock.now - 100 == pytest.approx(100, rel=0.01)


def test_a_pause_is_no_credit() -> None:
    clock = Clock()
    line = Line(Limits(rate=1000), clock=clock.time, sleep=clock.sleep)
    line.pay(1000)
    clock.now += 3600
    before = clock.now
    line.pay(10_000)
    assert clock.now - before >= 9.7


def test_without_a_limit_nobody_waits() -> None:
    assert Line(Limits(), sleep=lambda seconds: pytest.fail("waited")).pay(1 << 40) == 0
