"""What was seen of the one before: as long as it served, and while the run of its successor did."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.aftercare.predecessors import Predecessors
from core.gateway.table import Traffic
from core.journal import Journal
from core.logs.writer import CompartmentLog
from core.model import AutoRollback, Health, Service, Stage, Status, Trigger
from core.promotion.ledger import Ledger
from core.records import Activation, ActivationState, Run, Watched
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from pathlib import Path

RULE = AutoRollback(error_rate=0.1, min_requests=20)
AT = "2026-01-01T00:00:00.000000Z"
OLD = deployment(
    id="dep_old", run_id="drn_old", status=Status.SUCCEEDED, stage=Stage.ACTIVE, is_active=True
)
NEW = deployment(id="dep_new", run_id="drn_new", service=Service("web", ".", auto_rollback=RULE))
SERVES = Activation("dep_old", 1, ActivationState.LIVE, AT)


def run(status: Status = Status.RUNNING, trigger: Trigger = Trigger.DEPLOY) -> Run:
    return Run("drn_new", TARGET, trigger, status, AT, ("dep_new",))


def traffic(requests: int, errors: int) -> dict[str, Traffic]:
    return {SERVES.name: Traffic(requests, errors, None)}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    found = Ledger(Journal(tmp_path / "journal.db"), CompartmentLog(tmp_path))
    found.deployments = {OLD.id: OLD, NEW.id: NEW}
    found._fold(SERVES)
    found.runs = {"drn_new": run()}
    return found


@pytest.mark.parametrize(
    ("of", "is_coming"),
    [
        (run(), True),
        (run(Status.QUEUED), False),
        (run(trigger=Trigger.ROLLBACK), False),
        (run(trigger=Trigger.PROMOTE), True),
    ],
)
def test_what_is_being_replaced(ledger: Ledger, of: Run, is_coming: bool) -> None:
    ledger.runs = {of.id: of}
    assert Predecessors(ledger).coming() == ([(NEW, OLD)] if is_coming else [])
    ledger.deployments = {NEW.id: NEW}
    assert Predecessors(ledger).coming() == []


@pytest.mark.parametrize(
    ("first", "last", "rate"),
    [
        ({}, traffic(20, 5), 0.25),
        (traffic(1000, 0), traffic(1020, 20), 1.0),
        (traffic(1000, 900), traffic(1019, 919), None),
        (traffic(1000, 900), {}, None),
    ],
)
def test_its_errors_are_those_of_the_last_moments(
    ledger: Ledger, first: dict[str, Traffic], last: dict[str, Traffic], rate: float | None
) -> None:
    found = Predecessors(ledger)
    found.look(OLD, first)
    found.look(OLD, traffic(7, 7))  # only where the counting begins is kept
    switched = NEW.changed(replaced=OLD.id, watched=Watched(AT))
    assert found.before(switched, last) == Watched(AT, False, rate)
    found.keep_only(set())
    assert found.before(switched, last) is None


def test_its_health_is_that_of_its_last_moments(ledger: Ledger) -> None:
    found, switched = Predecessors(ledger), NEW.changed(replaced=OLD.id, watched=Watched(AT))
    found.look(OLD, {})
    found.look(OLD.changed(health=Health.UNHEALTHY), {})
    assert found.before(switched, {}) == Watched(AT, True, None)
    # While it stands aside it is down, which says nothing of it.
    ledger._fold(replace(SERVES, state=ActivationState.ASIDE))
    found.look(OLD, {})
    assert found.before(switched, {}) == Watched(AT, True, None)
