from __future__ import annotations

from core.aftercare.doubts import Doubts
from core.model import EngineName, Health
from tests.promotion.records import deployment

ILL = deployment(health=Health.UNHEALTHY, engine=EngineName.DOCKER)
WELL = deployment(health=Health.HEALTHY, engine=EngineName.DOCKER)
ELSEWHERE = deployment(health=Health.UNHEALTHY, engine=EngineName.PROCESS)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_without_a_reason_nothing_is_doubted() -> None:
    assert not Doubts().hold(ILL)


def test_what_comes_up_again_is_given_time() -> None:
    clock = Clock()
    doubts = Doubts(clock)
    doubts.begin(EngineName.DOCKER)
    assert not doubts.hold(ELSEWHERE)
    for clock.now in (1000.0, 1002.9, 1010.0, 1029.9):
        assert doubts.hold(ILL)
    clock.now = 1030.0
    assert not doubts.hold(ILL)


def test_what_was_well_again_is_believed() -> None:
    clock = Clock()
    doubts = Doubts(clock)
    doubts.begin(EngineName.DOCKER)
    clock.now = 1002.0
    assert doubts.hold(WELL)  # as it was told before the engine was away
    clock.now = 1003.0
    assert not doubts.hold(WELL)
    assert not doubts.hold(ILL)  # the same deployment, a moment later
    doubts.begin(EngineName.DOCKER)
    assert doubts.hold(ILL)
