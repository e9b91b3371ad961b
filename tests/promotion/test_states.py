from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.errors import InternalError
from core.model import Health, Stage, Status
from core.promotion.states import TABLE, Move, move, state_of
from tests.promotion.records import deployment

if TYPE_CHECKING:
    from core.records import Deployment

HAPPY = [
    Move.BEGIN,
    Move.START_CANDIDATE,
    Move.CHECK_READINESS,
    Move.SWITCH_ROUTE,
    Move.DRAIN_PREVIOUS,
    Move.ACTIVATE,
]
STATES = sorted({state for moves in TABLE.values() for pair in moves.items() for state in pair})


def after(*moves: Move) -> Deployment:
    found = deployment()
    for each in moves:
        found = move(found, each)
    return found


def test_the_seven_stages_in_order() -> None:
    seen = [deployment().stage]
    found = deployment()
    for each in HAPPY[1:]:
        found = move(found if found.status is Status.RUNNING else move(found, Move.BEGIN), each)
        seen.append(found.stage)
    assert seen == [
        Stage.BUILDING,
        Stage.STARTING_CANDIDATE,
        Stage.CHECKING_READINESS,
        Stage.SWITCHING_ROUTE,
        Stage.DRAINING_PREVIOUS,
        Stage.ACTIVE,
    ]
    assert move(found, Move.ROLL_BACK).stage is Stage.ROLLED_BACK


@pytest.mark.parametrize(("how", "state"), itertools.product(Move, STATES))
def test_every_move_from_every_state(how: Move, state: tuple[Status, Stage, bool]) -> None:
    status, stage, is_active = state
    before = deployment(status=status, stage=stage, is_active=is_active)
    if state in TABLE[how]:
        assert state_of(move(before, how)) == TABLE[how][state]
    else:
        with pytest.raises(InternalError, match=f"cannot {how}"):
            move(before, how)


def test_active_from_the_switch_and_succeeded_at_the_end() -> None:
    draining = after(*HAPPY[:-1])
    assert (draining.is_active, draining.status) == (True, Status.RUNNING)
    assert draining.activated_at
    assert draining.health is Health.HEALTHY
    active = move(draining, Move.ACTIVATE)
    assert (active.is_active, active.status) == (True, Status.SUCCEEDED)
    assert active.activated_at == draining.activated_at
    assert active.completed_at


def test_a_failure_keeps_the_stage_it_happened_at() -> None:
    failed = move(after(*HAPPY[:3]), Move.FAIL, failure_message="no")
    assert (failed.status, failed.stage) == (Status.FAILED, Stage.CHECKING_READINESS)
    assert (failed.health, failed.failure_message) == (Health.UNHEALTHY, "no")
    assert failed.completed_at


@pytest.mark.parametrize("displaced", [Move.SUPERSEDE, Move.ROLL_BACK, Move.STOP])
def test_a_rollback_that_fails_leaves_what_was(displaced: Move) -> None:
    past = move(after(*HAPPY), displaced)
    again = move(past, Move.REACTIVATE)
    assert (again.id, again.health) == (past.id, Health.PENDING)
    failed = move(move(again, Move.CHECK_READINESS), Move.FAIL)
    assert state_of(failed) == state_of(past)
    assert failed.failure_message is None
    assert failed.returns_to is None


class OneService(RuleBasedStateMachine):
    """Any order of legal moves over several deployments of one service."""

    def __init__(self) -> None:
        super().__init__()
        self.all: dict[str, Deployment] = {}
        self.running: str | None = None

    def do(self, which: str, how: Move) -> None:
        self.all[which] = move(self.all[which], how)

    @property
    def active(self) -> str | None:
        return next((each.id for each in self.all.values() if each.is_active), None)

    @precondition(lambda self: self.running is None)
    @rule()
    def deploy(self) -> None:
        self.running = f"dep_{len(self.all)}"
        self.all[self.running] = move(deployment(id=self.running), Move.BEGIN)
        self.do(self.running, Move.START_CANDIDATE)

    @precondition(lambda self: self.running is None and self.past())
    @rule()
    def roll_back(self) -> None:
        self.running = self.past()[-1]
        self.do(self.running, Move.REACTIVATE)

    def past(self) -> list[str]:
        return [
            each.id
            for each in self.all.values()
            if each.status in (Status.SUCCEEDED, Status.STOPPED) and not each.is_active
        ]

    @precondition(lambda self: self.running is not None)
    @rule()
    def fail(self) -> None:
        assert self.running is not None
        self.do(self.running, Move.FAIL)
        self.running = None

    @precondition(lambda self: self.running is not None)
    @rule()
    def switch(self) -> None:
        assert self.running is not None
        before = self.active
        self.do(self.running, Move.SWITCH_ROUTE)
        if before is not None:
            is_rollback = self.all[self.running].returns_to is not None
            self.do(before, Move.ROLL_BACK if is_rollback else Move.SUPERSEDE)
            self.do(self.running, Move.DRAIN_PREVIOUS)
        self.do(self.running, Move.ACTIVATE)
        self.running = None

    @precondition(lambda self: self.running is None and self.active)
    @rule()
    def stop(self) -> None:
        assert self.active is not None
        self.do(self.active, Move.STOP)

    @invariant()
    def at_most_one_is_active(self) -> None:
        assert sum(each.is_active for each in self.all.values()) <= 1

    @invariant()
    def the_past_stays_true(self) -> None:
        for each in self.all.values():
            if each.id != self.running:
                assert each.status.is_final
                assert each.returns_to is None
                assert (each.activated_at is None) == (each.status is Status.FAILED)


OneService.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestOneService = OneService.TestCase
