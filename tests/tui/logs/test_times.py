from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.tui.logs.wire import START
from tui.logs.times import TimeMode, clock

if TYPE_CHECKING:
    from collections.abc import Iterator

AT = "2026-11-21T10:00:00.500000Z"


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    clock.cache_clear()
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
    clock.cache_clear()


def test_the_clock_is_the_local_one(zone: None) -> None:
    assert TimeMode.CLOCK.label(AT, START) == "19:00:00"


def test_a_damaged_stamp_is_shown_as_none() -> None:
    for mode in TimeMode:
        assert len(mode.label("yesterday", START)) == mode.width
    assert TimeMode.CLOCK.label("yesterday", START) == "--:--:--"


@pytest.mark.parametrize(
    ("seconds", "label"),
    [(-5, "  0s"), (0, "  0s"), (59, " 59s"), (61, "  1m"), (3_600, "  1h"), (400_000, "  4d")],
)
def test_how_long_ago(seconds: float, label: str) -> None:
    assert TimeMode.AGO.label(AT[:19] + "Z", START + timedelta(seconds=seconds)) == label


def test_the_key_goes_through_all_of_them() -> None:
    modes = [TimeMode.CLOCK]
    for _ in TimeMode:
        modes.append(modes[-1].next)
    assert set(modes) == set(TimeMode)
    assert modes[-1] is TimeMode.CLOCK
