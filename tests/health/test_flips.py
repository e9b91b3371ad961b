"""How often the health of a service is told."""

from __future__ import annotations

from core.health.flips import Flips


def told(at: float, *, count: int = 5) -> Flips:
    """So many changes, at once."""
    flips = Flips()
    assert [flips.add(at) for _ in range(count)] == [False] * count
    return flips


def test_a_few_changes_are_told_at_once() -> None:
    assert told(100, count=4).pause_s(100) == 0


def test_many_are_said_to_flap_once_and_wait() -> None:
    flips = told(100)
    assert flips.pause_s(100) == 10
    assert flips.pause_s(104) == 6
    assert flips.add(110)
    assert not flips.add(120)
    assert flips.pause_s(120) == 10


def test_what_goes_on_slowly_goes_on_flapping() -> None:
    flips = told(100)
    said = [flips.add(at) for at in range(110, 300, 10)]
    assert said.count(True) == 1


def test_what_calms_down_may_flap_again() -> None:
    flips = told(100)
    assert flips.add(110)
    assert flips.pause_s(161) == 0
    assert not flips.add(200)
    assert [flips.add(201) for _ in range(5)].count(True) == 1
