"""History stays in the order in which it happened, whatever the clock says."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from core.model import ExecutionStatus, ExecutionTrigger, Stage, Status, Trigger
from core.promotion.ledger import Ledger
from core.promotion.moments import Moments
from core.promotion.states import Move, move
from core.records import Execution, Run
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    import pytest

    from core.records import Deployment

BEFORE, NOON, LATER = (f"2026-03-01T{hour}:00:00.000000Z" for hour in ("11", "12", "13"))


def test_a_clock_that_goes_on_is_believed() -> None:
    moments = Moments()
    for at in (BEFORE, NOON, LATER):
        made = deployment(id=f"dep_{at}", status=Status.QUEUED, created_at=at)
        assert moments.of_deployment(made, None).created_at == at


def test_what_comes_later_is_dated_later() -> None:
    moments = Moments(deployments=NOON)
    made = [
        moments.of_deployment(deployment(status=Status.QUEUED, created_at=BEFORE), None)
        for _ in range(3)
    ]
    assert [each.created_at for each in made] == [
        "2026-03-01T12:00:00.000001Z",
        "2026-03-01T12:00:00.000002Z",
        "2026-03-01T12:00:00.000003Z",
    ]
    caught_up = deployment(status=Status.QUEUED, created_at=LATER)
    assert moments.of_deployment(caught_up, None).created_at == LATER


def test_what_comes_back_keeps_its_dates() -> None:
    past = deployment(status=Status.SUCCEEDED, created_at=BEFORE, activated_at=BEFORE)
    assert Moments(deployments=NOON).of_deployment(past, None) == past


def test_a_record_is_dated_once() -> None:
    moments = Moments(runs=NOON, executions=NOON)
    run = Run("drn_1", TARGET, Trigger.DEPLOY, Status.QUEUED, BEFORE)
    dated = moments.of_run(run, None)
    ended = moments.of_run(run.changed(status=Status.FAILED, completed_at=BEFORE), dated)
    assert ended.created_at == dated.created_at == ended.completed_at
    asked = Execution(
        *("exe_1", "dep_1", TARGET, "tidy"),
        *(ExecutionTrigger.MANUAL, ExecutionStatus.RUNNING, BEFORE),
    )
    begun = moments.of_execution(asked, None)
    over = moments.of_execution(asked.changed(ended_at=BEFORE), begun)
    assert over.started_at == begun.started_at == over.ended_at


async def test_a_rollback_goes_to_what_was_before(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of three is active after the other, while the clock goes back."""
    made: list[Deployment] = []
    for number, at in enumerate((LATER, NOON, BEFORE)):
        monkeypatch.setattr("core.promotion.states.stamp", lambda at=at: at)
        new = deployment(id=f"dep_{number}", status=Status.QUEUED, created_at=at)
        await ledger.write(new.changed(activated_at=None))
        switching = ledger.deployments[new.id].changed(
            status=Status.RUNNING, stage=Stage.SWITCHING_ROUTE
        )
        await ledger.write(
            *(move(each, Move.SUPERSEDE) for each in made[-1:]), move(switching, Move.ACTIVATE)
        )
        made.append(ledger.deployments[new.id])
    history = await ledger.journal.history(TARGET, None, 9)
    assert [each.id for each in history] == ["dep_2", "dep_1", "dep_0"]
    assert all(new.created_at > old.created_at for new, old in pairwise(history))
    assert [each.id for each in await ledger.journal.newest_per_service(TARGET)] == ["dep_2"]
    (earlier,) = await ledger.journal.earlier_per_service(TARGET)
    assert earlier.id == "dep_1"


async def test_an_agent_after_it_knows_what_was(ledger: Ledger) -> None:
    first = deployment(id="dep_1", status=Status.QUEUED, created_at=LATER, activated_at=None)
    await ledger.write(first)
    again = Ledger(ledger.journal, ledger.log)
    await again.load()
    second = deployment(id="dep_2", status=Status.QUEUED, created_at=BEFORE, activated_at=None)
    await again.write(second)
    assert again.deployments["dep_2"].created_at > LATER
