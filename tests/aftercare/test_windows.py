from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.aftercare.windows import Windows
from core.lines import stamp
from core.model import AutoRollback
from core.records import Watched

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = AutoRollback(window_ms=60_000)


class Clocks:
    """One that is set, and one that is not."""

    def __init__(self) -> None:
        self.monotonic_s = 100.0
        self.now = NOON
        self.windows = Windows(lambda: self.monotonic_s, lambda: self.now)

    def is_over(self, until: datetime) -> bool:
        return self.windows.is_over("dep_1", MINUTE, Watched(stamp(until)))


@pytest.mark.parametrize("set_by", [timedelta(days=1), timedelta(days=-1), timedelta(hours=-1)])
def test_a_clock_that_is_set_changes_nothing(set_by: timedelta) -> None:
    clocks = Clocks()
    until = NOON + timedelta(seconds=60)
    assert not clocks.is_over(until)
    clocks.now += set_by
    clocks.monotonic_s += 59
    assert not clocks.is_over(until)
    clocks.monotonic_s += 1
    assert clocks.is_over(until)


def test_an_agent_that_takes_over_goes_by_the_clock() -> None:
    clocks = Clocks()
    assert not clocks.is_over(NOON + timedelta(seconds=20))
    clocks.monotonic_s += 20
    assert clocks.is_over(NOON + timedelta(seconds=20))
    assert Clocks().is_over(NOON - timedelta(seconds=1))


def test_no_window_is_longer_than_its_rule() -> None:
    clocks = Clocks()
    until = NOON + timedelta(days=1)
    assert not clocks.is_over(until)
    clocks.monotonic_s += 60
    assert clocks.is_over(until)


def test_what_is_not_watched_any_more_is_forgotten() -> None:
    clocks = Clocks()
    assert clocks.is_over(NOON)
    clocks.windows.keep_only(set())
    assert not clocks.is_over(NOON + timedelta(seconds=1))
