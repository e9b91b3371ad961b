"""What the ledger keeps in memory, and what it leaves to the journal."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.events import EventType
from core.journal import Journal
from core.logs.writer import CompartmentLog
from core.model import ExecutionStatus, ExecutionTrigger, Stage, Status, Trigger
from core.promotion import ledger as ledger_module
from core.promotion.executions import new_execution
from core.promotion.ledger import Ledger, deployment_event
from core.records import Execution, Run, Variable, VariableRecord
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PAST = deployment(id="dep_past", status=Status.SUCCEEDED, stage=Stage.ACTIVE)
ROLLBACK = Run(
    id="drn_rollback",
    target=TARGET,
    trigger=Trigger.ROLLBACK,
    status=Status.RUNNING,
    created_at="2026-01-01T00:00:00.000000Z",
    deployment_ids=(PAST.id,),
)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    journal = Journal(tmp_path / "journal.db")
    await journal.open()
    log = CompartmentLog(tmp_path / "logs")
    yield Ledger(journal, log)
    log.close()
    await journal.close()


async def test_no_record_has_a_secret_in_its_words(ledger: Ledger) -> None:
    secret = Variable("hunter22", is_sensitive=True)
    set_for_all = VariableRecord(
        TARGET, None, "KEY", Variable("of-all!!", is_sensitive=True), "2026"
    )
    said = "GET /?key=hunter22 -> of-all!!, but plain is shown"
    assigned = {"KEY": secret, "OPEN": Variable("plain")}
    failed = deployment(id="dep_a", assigned=assigned, failure_message=said, health_reason=said)
    run = replace(ROLLBACK, failure_message=said)
    event = deployment_event(
        EventType.DEPLOYMENT_FAILED, failed, said, lines=[said], status=Status.FAILED
    )
    await ledger.write(set_for_all, failed, run, event)
    hidden = "GET /?key=*** -> ***, but plain is shown"
    assert ledger.deployments["dep_a"].failure_message == hidden
    assert ledger.deployments["dep_a"].health_reason == hidden
    assert ledger.runs[run.id].failure_message == hidden
    (kept,) = await ledger.journal.events_after(0)
    assert (kept.message, kept.data) == (hidden, {"lines": [hidden], "status": "failed"})
    assert ledger.deployments["dep_a"].assigned == assigned
    again = Ledger(ledger.journal, CompartmentLog(Path("/nowhere")))
    await again.load()
    assert again.mask.mask(said) == hidden


async def test_the_end_of_another_run_takes_nothing_from_one_that_goes_on(ledger: Ledger) -> None:
    await ledger.write(PAST, ROLLBACK)
    ledger.forget_past()
    assert ledger.deployments.keys() == {PAST.id}
    await ledger.write(ROLLBACK.changed(status=Status.FAILED))
    ledger.forget_past()
    assert not ledger.deployments


async def test_what_was_just_forgotten_can_still_be_asked_for(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledger.write(PAST)
    ledger.forget_past()
    ledger.forget_past()
    assert ledger.lately_forgotten() == {PAST.id: PAST}
    monkeypatch.setattr(ledger_module, "_LATELY_S", 0)
    assert ledger.lately_forgotten() == {}


async def test_what_an_execution_begins_of_at_this_moment_is_not_forgotten(ledger: Ledger) -> None:
    await ledger.write(PAST)
    execution = new_execution(PAST, ExecutionTrigger.MANUAL)
    committing = asyncio.Event()

    def change() -> list[Execution]:
        committing.set()
        return [execution]

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ledger.update(change))
        await committing.wait()
        ledger.forget_past()
    assert ledger.executions.keys() == {execution.id}
    assert ledger.deployments.keys() == {PAST.id}
    await ledger.write(execution.changed(status=ExecutionStatus.SUCCEEDED))
    ledger.forget_past()
    assert not ledger.deployments
